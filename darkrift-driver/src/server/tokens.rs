//! Tokens that nobody can guess.

use darkrift_proto::TokenSource;
use darkrift_proto::wire::{TOKEN_BYTES, Token};

/// The operating system's randomness.
#[derive(Debug)]
pub(crate) struct SystemTokens;

impl TokenSource for SystemTokens {
    fn token(&mut self) -> Token {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Token::new(bytes)
    }
}
