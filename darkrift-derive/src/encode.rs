//! `impl Encode`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::generics::impl_header;
use crate::value::{Body, Field, Value};

impl Value {
    pub(crate) fn impl_encode(&self) -> TokenStream {
        let krate = &self.krate;
        let header =
            impl_header(self, &self.bound_generics(&quote!(#krate::Encode), None), &quote!(#krate::Encode));
        let (length, body) = match &self.body {
            Body::Struct(fields) => (self.encoded_len(fields), self.encode_fields(fields)),
            Body::Enum { integer, variants } => {
                let body = quote! {
                    <#integer as #krate::Encode>::encode(
                        &match self { #(Self::#variants => Self::#variants as #integer,)* },
                        writer,
                    )
                };
                (quote!(::core::option::Option::Some(::core::mem::size_of::<#integer>())), body)
            }
        };
        quote! {
            #header {
                #[inline]
                #[allow(unused_variables)]
                fn encode(
                    &self,
                    writer: &mut #krate::Writer,
                ) -> ::core::result::Result<(), #krate::EncodeError> {
                    #body
                }

                #[inline]
                fn encoded_len(&self) -> ::core::option::Option<usize> {
                    #length
                }
            }
        }
    }

    /// The sum of what the fields take; none where one is written by functions of the user's.
    fn encoded_len(&self, fields: &[Field]) -> TokenStream {
        let krate = &self.krate;
        let on_the_wire = fields.iter().filter(|field| field.is_on_the_wire());
        if on_the_wire.clone().any(|field| field.attributes.with.is_some()) {
            return quote!(::core::option::Option::None);
        }
        let lengths = on_the_wire.map(|Field { member, ty, attributes, .. }| {
            if attributes.raw.is_some() {
                quote!(<#ty as ::core::convert::AsRef<[u8]>>::as_ref(&self.#member).len())
            } else {
                quote!(<#ty as #krate::Encode>::encoded_len(&self.#member)?)
            }
        });
        quote! {
            let sum = 0_usize;
            #(let sum = usize::checked_add(sum, #lengths)?;)*
            ::core::option::Option::Some(sum)
        }
    }

    fn encode_fields(&self, fields: &[Field]) -> TokenStream {
        let krate = &self.krate;
        let statements = fields.iter().filter(|field| field.is_on_the_wire()).map(|field| {
            let written = self.encode_field(field);
            let (type_name, field_name) = (&self.name, &field.name);
            quote! {
                #written.map_err(|error| #krate::EncodeError::in_field(error, #type_name, #field_name))?;
            }
        });
        let written = quote! {
            #(#statements)*
            ::core::result::Result::Ok(())
        };
        match &self.attributes.encoding {
            // A closure, so that an error, too, comes past the line that gives the encoding back.
            Some(encoding) => self.write_in(
                encoding,
                &quote!((|| -> ::core::result::Result<(), #krate::EncodeError> { #written })()),
            ),
            None => written,
        }
    }

    fn encode_field(&self, field: &Field) -> TokenStream {
        let krate = &self.krate;
        let Field { member, ty, attributes, .. } = field;
        // The span of the type, so that the compiler's complaint about a type that is no value points at it.
        let span = ty.span();
        let written = if let Some(path) = &attributes.with {
            quote_spanned!(path.span()=> #path::encode(&self.#member, writer))
        } else if attributes.raw.is_some() {
            self.write_raw(field)
        } else if let Some(max_len) = &attributes.max_len {
            quote_spanned!(span=> #krate::Writer::write_at_most::<#ty>(writer, #max_len, &self.#member))
        } else {
            quote_spanned!(span=> <#ty as #krate::Encode>::encode(&self.#member, writer))
        };
        match &attributes.encoding {
            Some(encoding) => {
                let written = self.write_in(encoding, &written);
                quote!({ #written })
            }
            None => written,
        }
    }

    fn write_raw(&self, field: &Field) -> TokenStream {
        let krate = &self.krate;
        let Field { member, ty, attributes, .. } = field;
        let bytes = quote_spanned!(ty.span()=> <#ty as ::core::convert::AsRef<[u8]>>::as_ref(&self.#member));
        let check = attributes.max_len.as_ref().map(|max_len| {
            quote! {
                let max_len: usize = #max_len;
                if bytes.len() > max_len {
                    ::core::result::Result::Err(#krate::EncodeError::limit_exceeded(max_len, bytes.len()))
                } else
            }
        });
        quote! {{
            let bytes = #bytes;
            #check {
                #krate::Writer::write_raw(writer, bytes);
                ::core::result::Result::Ok(())
            }
        }}
    }

    /// `written`, with its text in `encoding`.
    fn write_in(&self, encoding: &syn::Ident, written: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        quote! {
            let outer = #krate::Writer::encoding(writer);
            #krate::Writer::set_encoding(writer, #krate::Encoding::#encoding);
            let result = #written;
            #krate::Writer::set_encoding(writer, outer);
            result
        }
    }
}
