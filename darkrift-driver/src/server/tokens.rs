//! Tokens that nobody can guess.

use std::fmt;

use darkrift_proto::TokenSource;
use darkrift_proto::wire::{TOKEN_BYTES, Token};

/// For how many tokens the system is asked at once: a call costs more than the randomness.
const AT_ONCE: usize = 32;

/// The operating system's randomness, as tokens that nobody has had.
#[derive(Default)]
pub(crate) struct SystemTokens(Vec<Token>);

/// Not the tokens: whoever knows one before its client has it could be that client.
impl fmt::Debug for SystemTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemTokens").finish_non_exhaustive()
    }
}

impl TokenSource for SystemTokens {
    fn token(&mut self) -> Token {
        self.0.pop().unwrap_or_else(|| {
            let mut random = [[0; TOKEN_BYTES]; AT_ONCE];
            getrandom::fill(random.as_flattened_mut()).expect("the operating system has randomness");
            let [first, others @ ..] = random.map(Token::new);
            self.0.extend(others);
            first
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_token_comes_twice() {
        let mut tokens = SystemTokens::default();
        let count = 10 * AT_ONCE;
        let distinct: BTreeSet<Token> = (0..count).map(|_| tokens.token()).collect();
        assert_eq!(distinct.len(), count);
    }
}
