//! Where the user's crate finds the protocol's types.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Path, Result};

/// The packages that bring the protocol's types with them, in the order they are looked for, and whether the types
/// are in their module `proto`.
const PACKAGES: [(&str, bool); 7] = [
    ("darkrift", true),
    ("darkrift-proto", false),
    ("darkrift-tokio", true),
    ("darkrift-smol", true),
    ("darkrift-async-std", true),
    ("darkrift-std", true),
    ("darkrift-driver", true),
];

/// The path of the protocol's types: the one the user named, or that of the first package found among the
/// dependencies.
pub(crate) fn crate_path(named: Option<&Path>) -> Result<TokenStream> {
    if let Some(path) = named {
        return Ok(quote!(#path));
    }
    for (package, in_module) in PACKAGES {
        let name = match crate_name(package) {
            // The package's own tests, examples and benchmarks see it under its name, as others do.
            Ok(FoundCrate::Itself) => package.replace('-', "_"),
            Ok(FoundCrate::Name(name)) => name,
            Err(_) => continue,
        };
        let name = format_ident!("{name}");
        return Ok(if in_module { quote!(::#name::proto) } else { quote!(::#name) });
    }
    Err(Error::new(
        Span::call_site(),
        "none of the `darkrift` crates is among the dependencies; name the path with #[darkrift(crate = …)]",
    ))
}
