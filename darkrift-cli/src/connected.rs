//! The line with which a connection begins.

use std::fmt;

use darkrift_tokio::Client;

use crate::dialect::Named;

/// Says that a client has connected, where to, and as whom.
#[derive(Debug)]
pub(crate) struct Connected<'a>(pub(crate) &'a Client);

impl fmt::Display for Connected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connected to {} as client {}", self.0.tcp_address(), self.0.id())?;
        self.0.dialect().map_or(Ok(()), |dialect| write!(f, ", {}", Named(dialect)))
    }
}
