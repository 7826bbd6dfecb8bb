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
        let (fixed_bytes, body) = match &self.body {
            Body::Struct(fields) => (self.fixed_bytes(fields), self.encode_fields(fields)),
            Body::Enum { integer, variants } => {
                let body = quote! {
                    <#integer as #krate::Encode>::encode(
                        &match self { #(Self::#variants => Self::#variants as #integer,)* },
                        writer,
                    )
                };
                (quote!(<#integer as #krate::Encode>::FIXED_BYTES), body)
            }
        };
        quote! {
            #header {
                const FIXED_BYTES: ::core::option::Option<usize> = #fixed_bytes;

                #[inline]
                #[allow(unused_variables)]
                fn encode(
                    &self,
                    writer: &mut #krate::Writer,
                ) -> ::core::result::Result<(), #krate::EncodeError> {
                    #body
                }
            }
        }
    }

    fn fixed_bytes(&self, fields: &[Field]) -> TokenStream {
        let krate = &self.krate;
        let on_the_wire = fields.iter().filter(|field| field.is_on_the_wire());
        if !on_the_wire.clone().all(Field::uses_its_type) {
            return quote!(::core::option::Option::None);
        }
        let types = on_the_wire.map(|field| &field.ty);
        quote!(#krate::fixed_bytes(&[#(<#types as #krate::Encode>::FIXED_BYTES),*]))
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
