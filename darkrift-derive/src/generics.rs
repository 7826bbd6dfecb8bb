//! The bounds that generic types need.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Type, WherePredicate, parse_quote};

use crate::value::{Body, Field, Value};

impl Value {
    /// The type's generics, where each type parameter of a field on the wire is bound by `on_the_wire`, and each of a
    /// skipped field by `skipped`.
    pub(crate) fn bound_generics(
        &self,
        on_the_wire: &TokenStream,
        skipped: Option<&TokenStream>,
    ) -> Generics {
        let mut generics = self.generics.clone();
        let Body::Struct(fields) = &self.body else { return generics };
        let parameters: Vec<&Ident> = self.generics.type_params().map(|parameter| &parameter.ident).collect();
        if parameters.is_empty() {
            return generics;
        }
        let mut predicates = Vec::new();
        for field in fields {
            if field.uses_its_type() {
                predicates.extend(bounds(field, &parameters, on_the_wire));
            } else if let (Some(_), Some(bound)) = (field.attributes.skip, skipped) {
                predicates.extend(bounds(field, &parameters, bound));
            }
        }
        generics.make_where_clause().predicates.extend(predicates);
        generics
    }
}

/// `T: bound` for each parameter in the field's type; where an associated type of a parameter is used (`T::Item`), the
/// field's whole type is bound instead, since the parameter itself need not be a value.
fn bounds(field: &Field, parameters: &[&Ident], bound: &TokenStream) -> Vec<WherePredicate> {
    if is_phantom_data(&field.ty) {
        return Vec::new();
    }
    let mut used = Vec::new();
    let mut uses_associated = false;
    find_parameters(field.ty.to_token_stream(), parameters, &mut used, &mut uses_associated);
    let ty = &field.ty;
    if uses_associated {
        return vec![parse_quote!(#ty: #bound)];
    }
    used.iter().map(|parameter| parse_quote!(#parameter: #bound)).collect()
}

fn find_parameters(
    tokens: TokenStream,
    parameters: &[&Ident],
    used: &mut Vec<Ident>,
    uses_associated: &mut bool,
) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => find_parameters(group.stream(), parameters, used, uses_associated),
            TokenTree::Ident(ident) if parameters.contains(&&ident) => {
                *uses_associated |= match tokens.peek() {
                    Some(TokenTree::Punct(next)) => next.as_char() == ':' && next.spacing() == Spacing::Joint,
                    Some(TokenTree::Ident(next)) => next == "as",
                    _ => false,
                };
                used.push(ident);
            }
            _ => {}
        }
    }
}

/// `PhantomData<T>` has a default and no bytes whatever `T` is.
fn is_phantom_data(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

/// `impl<…> Trait for Type<…> where …`, to be followed by a block.
pub(crate) fn impl_header(value: &Value, generics: &Generics, implemented: &TokenStream) -> TokenStream {
    let ident = &value.ident;
    let (parameters, arguments, clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #implemented for #ident #arguments #clause
    }
}
