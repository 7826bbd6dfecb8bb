//! What `#[darkrift(…)]` says, on a type, a field or a variant.

use proc_macro2::{Ident, Span};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr, Path, Result};

use crate::errors::Errors;

/// The spellings of the encodings, and the variants of `Encoding` that they stand for.
const ENCODINGS: [(&str, &str); 5] = [
    ("utf16le", "Utf16Le"),
    ("utf16be", "Utf16Be"),
    ("utf8", "Utf8"),
    ("utf32le", "Utf32Le"),
    ("ascii", "Ascii"),
];

/// On a struct or an enum.
#[derive(Default)]
pub(crate) struct TypeAttributes {
    /// Where the runtime crate is, when it cannot be found by itself.
    pub(crate) krate: Option<Path>,
    /// The message's tag.
    pub(crate) tag: Option<Expr>,
    /// The text encoding of all fields that name no other: a variant of `Encoding`.
    pub(crate) encoding: Option<Ident>,
    /// A message set that refuses bytes left over.
    pub(crate) strict: Option<Span>,
}

/// On a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    /// The text encoding of this field: a variant of `Encoding`.
    pub(crate) encoding: Option<Ident>,
    /// Not on the wire.
    pub(crate) skip: Option<Span>,
    /// Where the user's own `encode` and `decode` are.
    pub(crate) with: Option<Path>,
    /// Bytes without a length, up to the payload's end.
    pub(crate) raw: Option<Span>,
    /// The largest length allowed.
    pub(crate) max_len: Option<Expr>,
}

/// On a variant of a message set.
#[derive(Default)]
pub(crate) struct VariantAttributes {
    /// The variant of messages with any other tag.
    pub(crate) other: Option<Span>,
}

impl TypeAttributes {
    /// Of a type under `#[derive(Encode)]`, `#[derive(Decode)]` or `#[derive(Message)]`.
    pub(crate) fn of_value(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each_argument(attributes, errors, |meta| {
            if meta.path.is_ident("crate") {
                set(&mut found.krate, &meta, parse_path(&meta)?)
            } else if meta.path.is_ident("tag") {
                set(&mut found.tag, &meta, meta.value()?.parse()?)
            } else if meta.path.is_ident("encoding") {
                set(&mut found.encoding, &meta, parse_encoding(&meta)?)
            } else {
                Err(meta.error("unknown attribute; a type takes `tag`, `encoding` and `crate`"))
            }
        });
        found
    }

    /// Of an enum under `#[derive(MessageSet)]`.
    pub(crate) fn of_message_set(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each_argument(attributes, errors, |meta| {
            if meta.path.is_ident("crate") {
                set(&mut found.krate, &meta, parse_path(&meta)?)
            } else if meta.path.is_ident("strict") {
                set(&mut found.strict, &meta, span_of(&meta))
            } else if meta.path.is_ident("tag") {
                Err(meta.error("a message set has no tag of its own: each of its types has one"))
            } else {
                Err(meta.error("unknown attribute; a message set takes `strict` and `crate`"))
            }
        });
        found
    }
}

impl FieldAttributes {
    pub(crate) fn new(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each_argument(attributes, errors, |meta| {
            if meta.path.is_ident("encoding") {
                set(&mut found.encoding, &meta, parse_encoding(&meta)?)
            } else if meta.path.is_ident("skip") {
                set(&mut found.skip, &meta, span_of(&meta))
            } else if meta.path.is_ident("with") {
                set(&mut found.with, &meta, parse_path(&meta)?)
            } else if meta.path.is_ident("raw") {
                set(&mut found.raw, &meta, span_of(&meta))
            } else if meta.path.is_ident("max_len") {
                set(&mut found.max_len, &meta, meta.value()?.parse()?)
            } else {
                Err(meta.error(
                    "unknown attribute; a field takes `encoding`, `skip`, `with`, `raw` and `max_len`",
                ))
            }
        });
        found.refuse_contradictions(errors);
        found
    }

    fn refuse_contradictions(&self, errors: &mut Errors) {
        if let Some(skip) = self.skip {
            if self.encoding.is_some() || self.with.is_some() || self.raw.is_some() || self.max_len.is_some()
            {
                errors.push(skip, "a field with `skip` is not on the wire and takes no other attribute");
            }
        } else if let Some(raw) = self.raw {
            if self.with.is_some() {
                errors.push(raw, "`raw` and `with` each say how the field is written: choose one");
            }
            if self.encoding.is_some() {
                errors.push(raw, "`raw` bytes are no text and have no `encoding`");
            }
        } else if let (Some(with), Some(_)) = (&self.with, &self.max_len) {
            errors.push_at(with, "`max_len` cannot look into `with`: check the length in your own functions");
        }
    }
}

impl VariantAttributes {
    pub(crate) fn new(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each_argument(attributes, errors, |meta| {
            if meta.path.is_ident("other") {
                set(&mut found.other, &meta, span_of(&meta))
            } else {
                Err(meta.error("unknown attribute; a variant of a message set takes `other`"))
            }
        });
        found
    }
}

/// Refuses `#[darkrift(…)]` where it has no meaning.
pub(crate) fn refuse(attributes: &[Attribute], errors: &mut Errors, message: &str) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("darkrift")) {
        errors.push_at(attribute, message);
    }
}

fn each_argument(
    attributes: &[Attribute],
    errors: &mut Errors,
    mut take: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("darkrift")) {
        errors.take(attribute.parse_nested_meta(&mut take));
    }
}

fn set<T>(slot: &mut Option<T>, meta: &ParseNestedMeta<'_>, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(meta.error("given twice"));
    }
    Ok(())
}

fn span_of(meta: &ParseNestedMeta<'_>) -> Span {
    syn::spanned::Spanned::span(&meta.path)
}

fn parse_path(meta: &ParseNestedMeta<'_>) -> Result<Path> {
    let value = meta.value()?;
    if let Ok(quoted) = value.fork().parse::<LitStr>() {
        return Err(syn::Error::new(quoted.span(), "a path, written without quotes"));
    }
    // `crate::…` starts with a keyword, which a path may.
    Path::parse_mod_style(value)
}

fn parse_encoding(meta: &ParseNestedMeta<'_>) -> Result<Ident> {
    let name: LitStr = meta.value()?.parse()?;
    let plain = name.value().to_ascii_lowercase().replace('-', "");
    match ENCODINGS.iter().find(|(spelling, _)| *spelling == plain) {
        Some((_, variant)) => Ok(Ident::new(variant, name.span())),
        None => {
            let known = ENCODINGS.map(|(spelling, _)| format!("\"{spelling}\"")).join(", ");
            Err(syn::Error::new(name.span(), format!("unknown encoding; the format's are {known}")))
        }
    }
}
