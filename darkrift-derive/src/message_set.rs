//! `#[derive(MessageSet)]`: from a tag to the variant of its type, and back.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Result, Type};

use crate::attributes::{TypeAttributes, VariantAttributes, refuse};
use crate::crate_path::crate_path;
use crate::errors::Errors;

/// An enum of message types.
pub(crate) struct Set {
    ident: Ident,
    krate: TokenStream,
    strict: bool,
    /// The variants of one tag each.
    tagged: Vec<Variant>,
    /// The variant of all other tags.
    other: Option<Variant>,
}

struct Variant {
    ident: Ident,
    ty: Type,
}

impl Set {
    pub(crate) fn new(input: DeriveInput) -> Result<Self> {
        let mut errors = Errors::default();
        let attributes = TypeAttributes::of_message_set(&input.attrs, &mut errors);
        let krate = errors.take(crate_path(attributes.krate.as_ref())).unwrap_or_default();
        if !input.generics.params.is_empty() {
            errors.push_at(&input.generics, "a message set cannot be generic: its tags must be known");
        }
        let (mut tagged, mut other) = (Vec::new(), None);
        match input.data {
            Data::Enum(data) => {
                if data.variants.is_empty() {
                    errors.push_at(&input.ident, "a message set without variants can hold no message");
                }
                for variant in data.variants {
                    let attributes = VariantAttributes::new(&variant.attrs, &mut errors);
                    let Some(found) = one_field(variant, &mut errors) else { continue };
                    match attributes.other {
                        None => tagged.push(found),
                        Some(span) if other.is_some() => {
                            errors.push(span, "a second variant for other tags: one takes them all");
                        }
                        Some(_) => other = Some(found),
                    }
                }
            }
            Data::Struct(data) => {
                errors.push_at(
                    data.struct_token,
                    "a message set is an enum with a variant for each message type",
                );
            }
            Data::Union(data) => {
                errors.push_at(
                    data.union_token,
                    "a message set is an enum with a variant for each message type",
                );
            }
        }
        errors.finish()?;
        Ok(Self { ident: input.ident, krate, strict: attributes.strict.is_some(), tagged, other })
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let constants = self.constants();
        let message_set = self.impl_message_set();
        let to_message = self.impl_to_message();
        quote! {
            const _: () = {
                #constants
                #message_set
                #to_message
            };
        }
    }

    /// One constant for each tag, and the check that no two are equal.
    fn constants(&self) -> TokenStream {
        let krate = &self.krate;
        let count = self.tagged.len();
        let tags = self.tagged.iter().enumerate().map(|(index, Variant { ty, .. })| {
            let name = tag_name(index);
            quote_spanned!(ty.span()=> const #name: u16 = <#ty as #krate::Tagged>::TAG;)
        });
        let names = (0..count).map(tag_name);
        let same_as = self
            .tagged
            .iter()
            .map(|variant| format!("this variant has the same tag as `{}::{}`", self.ident, variant.ident));
        let checks = self.tagged.iter().enumerate().skip(1).map(|(index, variant)| {
            let span = Span::mixed_site().located_at(variant.ident.span());
            quote_spanned!(span=> const _: () = check_that_tag_is_new(#index);)
        });
        quote! {
            #(#tags)*
            const TAGS: [u16; #count] = [#(#names),*];

            #[allow(dead_code)]
            #[track_caller]
            const fn check_that_tag_is_new(index: usize) {
                const SAME_AS: [&str; #count] = [#(#same_as),*];
                let mut earlier = 0;
                while earlier < index {
                    if TAGS[earlier] == TAGS[index] {
                        ::core::panic!("{}", SAME_AS[earlier]);
                    }
                    earlier += 1;
                }
            }
            #(#checks)*
        }
    }

    fn impl_message_set(&self) -> TokenStream {
        let (ident, krate) = (&self.ident, &self.krate);
        let decode = if self.strict { format_ident!("decode_strict") } else { format_ident!("decode") };
        let arms = self.tagged.iter().enumerate().map(|(index, Variant { ident, ty })| {
            let tag = tag_name(index);
            quote_spanned! {ty.span()=>
                #tag => #krate::Message::#decode::<#ty>(message).map(Self::#ident),
            }
        });
        let rest = match &self.other {
            Some(Variant { ident, ty }) => quote_spanned! {ty.span()=>
                _ => ::core::result::Result::Ok(Self::#ident(::core::clone::Clone::clone(message))),
            },
            None => quote! {
                unknown => ::core::result::Result::Err(#krate::DecodeError::unknown_tag_of::<Self>(unknown)),
            },
        };
        quote! {
            #[automatically_derived]
            impl #krate::MessageSet for #ident {
                const TAGS: &'static [u16] = &TAGS;

                fn from_message(
                    message: &#krate::Message,
                ) -> ::core::result::Result<Self, #krate::DecodeError> {
                    match #krate::Message::tag(message) {
                        #(#arms)*
                        #rest
                    }
                }
            }
        }
    }

    fn impl_to_message(&self) -> TokenStream {
        let (ident, krate) = (&self.ident, &self.krate);
        let variants = self.tagged.iter().map(|variant| &variant.ident);
        let (of_tag, of_payload) = (variants.clone(), variants);
        let tags = (0..self.tagged.len()).map(tag_name);
        let encodes = self.tagged.iter().map(
            |Variant { ty, .. }| quote_spanned!(ty.span()=> <#ty as #krate::Encode>::encode(message, writer)),
        );
        let other = |method| {
            self.other
                .iter()
                .map(move |Variant { ident, .. }| quote!(Self::#ident(message) => #krate::ToMessage::#method))
        };
        let (other_tag, other_payload, other_kind) =
            (other(quote!(tag)), other(quote!(encode_payload)), other(quote!(kind)));
        quote! {
            #[automatically_derived]
            impl #krate::ToMessage for #ident {
                fn tag(&self) -> u16 {
                    match self {
                        #(Self::#of_tag(_) => #tags,)*
                        #(#other_tag(message),)*
                    }
                }

                fn encode_payload(
                    &self,
                    writer: &mut #krate::Writer,
                ) -> ::core::result::Result<(), #krate::EncodeError> {
                    match self {
                        #(Self::#of_payload(message) => #encodes,)*
                        #(#other_payload(message, writer),)*
                    }
                }

                fn kind(&self) -> #krate::MessageKind {
                    match self {
                        #(#other_kind(message),)*
                        #[allow(unreachable_patterns)]
                        _ => #krate::MessageKind::Ordinary,
                    }
                }
            }
        }
    }
}

fn tag_name(index: usize) -> Ident {
    format_ident!("TAG_{index}")
}

/// The variant and the type in it.
fn one_field(variant: syn::Variant, errors: &mut Errors) -> Option<Variant> {
    let advice = match variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let field = fields.unnamed.into_iter().next()?;
            refuse(&field.attrs, errors, "the field of a variant takes no attribute: its type has its own");
            return Some(Variant { ident: variant.ident, ty: field.ty });
        }
        // One without fields stands for a message without a payload.
        Fields::Unit => "make a unit struct",
        _ => "move these fields into a struct",
    };
    let name = &variant.ident;
    let shape = if variant.fields.is_empty() { format!(" `struct {name};`") } else { format!(" `{name}`") };
    errors.push_at(
        &variant,
        format_args!(
            "a variant of a message set holds one message type: {advice}{shape} with `#[derive(Message)]`, and the \
             variant `{name}({name})`"
        ),
    );
    None
}
