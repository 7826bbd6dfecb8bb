//! What a derive is applied to, checked: a struct's fields, or an enum's variants and their integer.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Fields, Generics, Index, Member, Meta, Result, Token, Type,
};

use crate::attributes::{FieldAttributes, TypeAttributes, refuse};
use crate::crate_path::crate_path;
use crate::errors::Errors;

/// The integers an enum can be on the wire.
const INTEGERS: [&str; 8] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

/// A type to write and to read.
pub(crate) struct Value {
    pub(crate) ident: Ident,
    /// Its name as errors say it.
    pub(crate) name: String,
    pub(crate) generics: Generics,
    /// The path of the protocol's types.
    pub(crate) krate: TokenStream,
    pub(crate) attributes: TypeAttributes,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Struct(Vec<Field>),
    /// Without fields, as one integer.
    Enum {
        integer: Ident,
        variants: Vec<Ident>,
    },
}

pub(crate) struct Field {
    pub(crate) member: Member,
    /// Its name, or its index, as errors say it.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) attributes: FieldAttributes,
}

impl Value {
    pub(crate) fn new(input: DeriveInput) -> Result<Self> {
        let mut errors = Errors::default();
        let attributes = TypeAttributes::of_value(&input.attrs, &mut errors);
        let krate = errors.take(crate_path(attributes.krate.as_ref())).unwrap_or_default();
        let body = match input.data {
            Data::Struct(data) => Body::Struct(fields(data.fields, &mut errors)),
            Data::Enum(data) => fieldless_enum(&input.ident, &input.attrs, data, &attributes, &mut errors),
            Data::Union(data) => {
                errors.push_at(
                    data.union_token,
                    "a union cannot be a message: nothing says which field is meant",
                );
                Body::Struct(Vec::new())
            }
        };
        errors.finish()?;
        let name = input.ident.unraw().to_string();
        Ok(Self { ident: input.ident, name, generics: input.generics, krate, attributes, body })
    }
}

impl Field {
    /// Whether it has bytes in the payload at all.
    pub(crate) fn is_on_the_wire(&self) -> bool {
        self.attributes.skip.is_none()
    }

    /// Whether the traits of its type write and read it.
    pub(crate) fn uses_its_type(&self) -> bool {
        self.is_on_the_wire() && self.attributes.raw.is_none() && self.attributes.with.is_none()
    }
}

fn fields(fields: Fields, errors: &mut Errors) -> Vec<Field> {
    let fields: Vec<Field> = fields
        .into_iter()
        .enumerate()
        .map(|(index, field)| {
            let attributes = FieldAttributes::new(&field.attrs, errors);
            let (member, name) = match field.ident {
                Some(ident) => {
                    let name = ident.unraw().to_string();
                    (Member::Named(ident), name)
                }
                None => {
                    // The span of the type: an index of its own has none worth pointing at.
                    let index = Index { index: index as u32, span: field.ty.span() };
                    let name = index.index.to_string();
                    (Member::Unnamed(index), name)
                }
            };
            Field { member, name, ty: field.ty, attributes }
        })
        .collect();

    let mut on_the_wire = fields.iter().filter(|field| field.is_on_the_wire()).peekable();
    let mut raw_before = false;
    while let Some(field) = on_the_wire.next() {
        let Some(raw) = field.attributes.raw else { continue };
        if raw_before {
            errors.push(raw, "a second `raw` field: the first already takes the rest of the payload");
        } else if on_the_wire.peek().is_some_and(|next| next.attributes.raw.is_none()) {
            errors.push(raw, "a `raw` field takes the rest of the payload and must be the last field");
        }
        raw_before = true;
    }
    fields
}

fn fieldless_enum(
    ident: &Ident,
    attributes: &[Attribute],
    data: DataEnum,
    found: &TypeAttributes,
    errors: &mut Errors,
) -> Body {
    if let Some(variant) = data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
        // Nothing else is of use to hear: with an integer it has no form either.
        errors.push_at(
            &variant.fields,
            "an enum with fields has no form in DarkRift's format: make each variant a message and derive \
             `MessageSet`, which `decode_set` and `messages` read, or write `Encode` and `Decode` by hand as in the \
             documentation of `darkrift-derive`",
        );
        return Body::Struct(Vec::new());
    }
    let integer = errors.take(integer_of(ident, attributes)).unwrap_or_else(|| ident.clone());
    if let Some(encoding) = &found.encoding {
        errors.push(encoding.span(), "an enum is an integer on the wire and has no text to encode");
    }
    if data.variants.is_empty() {
        errors.push_at(ident, "an enum without variants has no values to send");
    }
    for variant in &data.variants {
        refuse(&variant.attrs, errors, "a variant takes no attribute: it is its integer");
    }
    Body::Enum { integer, variants: data.variants.into_iter().map(|variant| variant.ident).collect() }
}

/// The integer that `#[repr(…)]` names.
fn integer_of(ident: &Ident, attributes: &[Attribute]) -> Result<Ident> {
    let Some(repr) = attributes.iter().find(|attribute| attribute.path().is_ident("repr")) else {
        return Err(syn::Error::new_spanned(
            ident,
            "an enum needs its integer on the wire: #[repr(u8)], or another of u8 to u64 and i8 to i64",
        ));
    };
    let metas = repr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
    let integer = metas.iter().find_map(|meta| {
        let ident = meta.path().get_ident()?;
        INTEGERS.iter().any(|integer| ident == integer).then(|| ident.clone())
    });
    integer.ok_or_else(|| {
        syn::Error::new_spanned(
            metas.to_token_stream(),
            "unsupported repr; the format has u8, i8, u16, i16, u32, i32, u64 and i64",
        )
    })
}
