//! Wrong use gives one clear error, at the right place.
//!
//! To write the expected errors anew: `TRYBUILD=overwrite cargo test -p darkrift-derive --test ui`.

#[test]
fn wrong_use_is_an_error_in_the_derives_own_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// These errors are the compiler's, which words them anew with each version; that there is an error at all is
/// checked on every version by the crate's documentation.
#[rustversion::attr(not(stable(1.95)), ignore = "the words are those of Rust 1.95")]
#[test]
fn what_only_the_compiler_can_know_is_its_error_at_the_same_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/compiler/*.rs");
}
