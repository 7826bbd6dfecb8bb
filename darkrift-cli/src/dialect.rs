//! Whose the dialects are, in words.

use std::fmt;

use darkrift_tokio::proto::Dialect;

/// A dialect with whoever speaks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named(pub(crate) Dialect);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speaker = match self.0 {
            Dialect::V1 => "DarkRift 2.11",
            Dialect::V0 => "DarkRift 2.10, or 2.11 with protocolVersion=0",
            Dialect::Legacy => "DarkRiftPy",
            _ => return write!(f, "dialect {}", self.0),
        };
        write!(f, "dialect {} ({speaker})", self.0)
    }
}
