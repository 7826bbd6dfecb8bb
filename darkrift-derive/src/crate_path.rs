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
    found_path(|package| crate_name(package).ok()).ok_or_else(|| {
        Error::new(
            Span::call_site(),
            "none of the `darkrift` crates is among the dependencies; name the path with #[darkrift(crate = …)]",
        )
    })
}

fn found_path(find: impl Fn(&str) -> Option<FoundCrate>) -> Option<TokenStream> {
    PACKAGES.iter().find_map(|(package, in_module)| {
        let name = match find(package)? {
            // The package's own tests, examples and benchmarks see it under its name, as others do.
            FoundCrate::Itself => package.replace('-', "_"),
            FoundCrate::Name(name) => name,
        };
        let name = format_ident!("{name}");
        Some(if *in_module { quote!(::#name::proto) } else { quote!(::#name) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path found among these dependencies, each under the name that follows it.
    fn path_among(dependencies: &[(&str, &str)]) -> Option<String> {
        let find = |package: &str| {
            let (_, name) = dependencies.iter().find(|(dependency, _)| *dependency == package)?;
            Some(FoundCrate::Name(name.to_string()))
        };
        found_path(find).map(|path| path.to_string().replace(' ', ""))
    }

    #[test]
    fn any_crate_that_brings_the_types_will_do() {
        assert_eq!(path_among(&[("darkrift-proto", "darkrift_proto")]).unwrap(), "::darkrift_proto");
        assert_eq!(path_among(&[("darkrift-tokio", "darkrift_tokio")]).unwrap(), "::darkrift_tokio::proto");
        assert_eq!(path_among(&[("darkrift-std", "darkrift_std")]).unwrap(), "::darkrift_std::proto");
    }

    #[test]
    fn the_facade_comes_first() {
        let both = [("darkrift-proto", "darkrift_proto"), ("darkrift", "darkrift")];
        assert_eq!(path_among(&both).unwrap(), "::darkrift::proto");
    }

    #[test]
    fn a_renamed_dependency_is_found_under_its_new_name() {
        assert_eq!(path_among(&[("darkrift", "net")]).unwrap(), "::net::proto");
    }

    #[test]
    fn a_package_finds_itself_under_its_own_name() {
        let itself = |package: &str| (package == "darkrift-proto").then_some(FoundCrate::Itself);
        assert_eq!(found_path(itself).unwrap().to_string().replace(' ', ""), "::darkrift_proto");
    }

    #[test]
    fn without_any_of_them_there_is_no_path() {
        assert_eq!(path_among(&[("tokio", "tokio")]), None);
    }
}
