//! A hello in words: `version=1 token=58d95ab96131c742`.

use std::fmt;

use darkrift_tokio::proto::wire::Hello;

/// The version byte and the token of a hello.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HelloFields(pub(crate) Hello);

impl fmt::Display for HelloFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = u64::from_be_bytes(*self.0.token().as_bytes());
        write!(f, "version={} token={token:016x}", self.0.version())
    }
}
