//! `#[derive(Message)]`: `Encode`, `Decode` and `Tagged` at once.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, Result, UnOp};

use crate::generics::impl_header;
use crate::value::Value;

const RANGE: &str = "a tag is a u16: 0 to 65,535";

impl Value {
    pub(crate) fn impl_message(&self) -> Result<TokenStream> {
        let krate = &self.krate;
        let Some(tag) = &self.attributes.tag else {
            return Err(Error::new(
                self.ident.span(),
                "a message needs a tag: #[darkrift(tag = 1)]; \
                 a type that is only a part of messages derives `Encode` and `Decode` instead",
            ));
        };
        let tag = tag_value(tag)?;
        let tagged = impl_header(self, &self.generics, &quote!(#krate::Tagged));
        let encode = self.impl_encode();
        let decode = self.impl_decode(Some(quote!(<Self as #krate::Tagged>::TAG)));
        // An associated constant is only evaluated where it is used: use it, so that a wrong tag is found here.
        let evaluated = self.generics.params.is_empty().then(|| {
            let ident = &self.ident;
            quote!(const _: u16 = <#ident as #krate::Tagged>::TAG;)
        });
        Ok(quote! {
            #tagged {
                const TAG: u16 = #tag;
            }
            #evaluated
            #encode
            #decode
        })
    }

    /// For the derives that write no tag.
    pub(crate) fn refuse_tag(self) -> Result<Self> {
        match &self.attributes.tag {
            Some(tag) => Err(Error::new_spanned(
                tag,
                "`tag` belongs to `#[derive(Message)]`, which also writes `Encode` and `Decode`: \
                 derive it alone",
            )),
            None => Ok(self),
        }
    }
}

/// The tag as an expression of type `u16`: a literal is checked here, any other integer constant or enum value by the
/// compiler when it knows it.
fn tag_value(tag: &Expr) -> Result<TokenStream> {
    match tag {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => {
            if !matches!(literal.suffix(), "" | "u16") || literal.base10_parse::<u16>().is_err() {
                return Err(Error::new(literal.span(), RANGE));
            }
            Ok(quote!(#literal))
        }
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) | Expr::Lit(_) => Err(Error::new_spanned(tag, RANGE)),
        _ => {
            // The place of the expression, but not code of the user's: the casts are ours.
            let span = Span::mixed_site().located_at(tag.span());
            Ok(quote_spanned! {span=> {
                let tag = (#tag) as i128;
                ::core::assert!(tag >= 0 && tag <= 65_535, #RANGE);
                tag as u16
            }})
        }
    }
}
