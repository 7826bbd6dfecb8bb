//! Typed messages for DarkRift 2 by derive.

mod attributes;
mod crate_path;
mod decode;
mod encode;
mod errors;
mod generics;
mod message;
mod message_set;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, Result, parse_macro_input};

use crate::message_set::Set;
use crate::value::Value;

/// A type that can be written into a payload.
#[proc_macro_derive(Encode, attributes(darkrift))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Value::new(input)?.refuse_tag()?.impl_encode()))
}

/// A type that can be read from a payload.
#[proc_macro_derive(Decode, attributes(darkrift))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Value::new(input)?.refuse_tag()?.impl_decode(None)))
}

/// A message: a type that is always sent with one tag.
#[proc_macro_derive(Message, attributes(darkrift))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    expand(input, |input| Value::new(input)?.impl_message())
}

/// A closed set of messages, found by tag.
#[proc_macro_derive(MessageSet, attributes(darkrift))]
pub fn derive_message_set(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Set::new(input)?.expand()))
}

fn expand(
    input: TokenStream,
    derive: impl FnOnce(DeriveInput) -> Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}
