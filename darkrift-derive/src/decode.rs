//! `impl Decode`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::generics::impl_header;
use crate::value::{Body, Field, Value};

impl Value {
    /// With the tag of the messages that carry it, where it is a message.
    pub(crate) fn impl_decode(&self, tag: Option<TokenStream>) -> TokenStream {
        let krate = &self.krate;
        let generics = self.bound_generics(&quote!(#krate::Decode), Some(&quote!(::core::default::Default)));
        let header = impl_header(self, &generics, &quote!(#krate::Decode));
        let tag = tag
            .map(|tag| quote!(const MESSAGE_TAG: ::core::option::Option<u16> = ::core::option::Option::Some(#tag);));
        let (min_bytes, body) = match &self.body {
            Body::Struct(fields) => (self.min_bytes(fields), self.decode_fields(fields)),
            Body::Enum { integer, variants } => {
                (quote!(<#integer as #krate::Decode>::MIN_BYTES), self.decode_variant(integer, variants))
            }
        };
        quote! {
            #header {
                #tag
                const MIN_BYTES: usize = #min_bytes;

                #[inline]
                #[allow(unused_variables)]
                fn decode(
                    reader: &mut #krate::Reader<'_>,
                ) -> ::core::result::Result<Self, #krate::DecodeError> {
                    #body
                }
            }
        }
    }

    fn min_bytes(&self, fields: &[Field]) -> TokenStream {
        let krate = &self.krate;
        let types = fields.iter().filter(|field| field.uses_its_type()).map(|field| &field.ty);
        quote!(0 #(+ <#types as #krate::Decode>::MIN_BYTES)*)
    }

    fn decode_fields(&self, fields: &[Field]) -> TokenStream {
        let krate = &self.krate;
        let members = fields.iter().map(|field| &field.member);
        let values = fields.iter().map(|field| {
            if !field.is_on_the_wire() {
                let ty = &field.ty;
                return quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default());
            }
            let read = self.decode_field(field);
            let (type_name, field_name) = (&self.name, &field.name);
            quote! {
                #read.map_err(|error| #krate::DecodeError::in_field(error, #type_name, #field_name))?
            }
        });
        // A struct expression evaluates its fields in the order in which they are written: that of the wire.
        let read = quote!(::core::result::Result::Ok(Self { #(#members: #values,)* }));
        match &self.attributes.encoding {
            // A closure, so that an error, too, comes past the line that gives the encoding back.
            Some(encoding) => self.read_in(
                encoding,
                &quote!((|| -> ::core::result::Result<Self, #krate::DecodeError> { #read })()),
            ),
            None => read,
        }
    }

    fn decode_field(&self, field: &Field) -> TokenStream {
        let krate = &self.krate;
        let Field { ty, attributes, .. } = field;
        // The span of the type, so that the compiler's complaint about a type that is no value points at it.
        let span = ty.span();
        let read = if let Some(path) = &attributes.with {
            quote_spanned!(path.span()=> #path::decode(reader))
        } else if attributes.raw.is_some() {
            self.read_raw(field)
        } else if let Some(max_len) = &attributes.max_len {
            quote_spanned!(span=> #krate::Reader::read_at_most::<#ty>(reader, #max_len))
        } else {
            quote_spanned!(span=> <#ty as #krate::Decode>::decode(reader))
        };
        match &attributes.encoding {
            Some(encoding) => {
                let read = self.read_in(encoding, &read);
                quote!({ #read })
            }
            None => read,
        }
    }

    fn read_raw(&self, field: &Field) -> TokenStream {
        let krate = &self.krate;
        let Field { ty, attributes, .. } = field;
        let convert = quote_spanned!(ty.span()=> <#ty as ::core::convert::From<#krate::bytes::Bytes>>::from);
        let check = attributes.max_len.as_ref().map(|max_len| {
            quote! {
                let (max_len, found): (usize, usize) = (#max_len, #krate::Reader::remaining(reader));
                if found > max_len {
                    let error = #krate::DecodeError::limit_exceeded(max_len, found);
                    ::core::result::Result::Err(#krate::DecodeError::at(error, #krate::Reader::position(reader)))
                } else
            }
        });
        quote! {{
            #check {
                ::core::result::Result::Ok(#convert(#krate::Reader::read_rest(reader)))
            }
        }}
    }

    fn decode_variant(&self, integer: &syn::Ident, variants: &[syn::Ident]) -> TokenStream {
        let krate = &self.krate;
        let values: Vec<_> = (0..variants.len()).map(|index| format_ident!("VARIANT_{index}")).collect();
        let ident = &self.ident;
        quote! {
            #(const #values: #integer = #ident::#variants as #integer;)*
            let position = #krate::Reader::position(reader);
            match <#integer as #krate::Decode>::decode(reader)? {
                #(#values => ::core::result::Result::Ok(Self::#variants),)*
                unknown => ::core::result::Result::Err(
                    #krate::DecodeError::at(#krate::DecodeError::invalid_discriminant(unknown), position),
                ),
            }
        }
    }

    /// `read`, with its text in `encoding`.
    fn read_in(&self, encoding: &syn::Ident, read: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        quote! {
            let outer = #krate::Reader::encoding(reader);
            #krate::Reader::set_encoding(reader, #krate::Encoding::#encoding);
            let result = #read;
            #krate::Reader::set_encoding(reader, outer);
            result
        }
    }
}
