//! What can go wrong before there is a connection or a server. After that, see `SendError` and `CloseReason`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_proto::{CloseKind, CloseReason, ConnectPhase};

use crate::address::AddressError;

/// Why a connect failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address has no host or no port.
    #[error("`{address}` is not a host and a port up to 65535, such as 127.0.0.1:4296 or [::1]:4296")]
    InvalidAddress {
        /// What was given.
        address: String,
    },
    /// The host name could not be looked up.
    #[error("the host `{host}` could not be looked up: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the look-up said.
        source: io::Error,
    },
    /// No TCP connection could be opened: often, that nothing listens there.
    #[error("no TCP connection to {address}: {source}")]
    Tcp {
        /// The address tried last.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no more of what every connection needs beside its sockets, such as file descriptors.
    #[error("the system gives no event queue: {source}")]
    EventQueue {
        /// What the system said.
        source: io::Error,
    },
    /// The UDP socket could not be made.
    #[error("no UDP socket: {source}")]
    Udp {
        /// What the system said.
        source: io::Error,
    },
    /// A phase of the connect took longer than its limit.
    #[error("{phase} did not come within {limit:?}")]
    Timeout {
        /// What was being waited for.
        phase: ConnectPhase,
        /// The limit that passed.
        limit: Duration,
    },
    /// The connection ended before it was up: the server refused this client or had no room for it, or what listens there
    /// is no DarkRift server.
    #[error("{}", Refusal(.0))]
    Closed(CloseReason),
}

/// Why a server could not begin to listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address has no host or no port.
    #[error("`{address}` is not a host and a port up to 65535, such as 0.0.0.0:4296 or [::]:4296")]
    InvalidAddress {
        /// What was given.
        address: String,
    },
    /// The host name could not be looked up.
    #[error("the host `{host}` could not be looked up: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the look-up said.
        source: io::Error,
    },
    /// The TCP port could not be taken: often, that another program has it.
    #[error("cannot listen on TCP {address}: {source}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no more of what a server needs beside its sockets, such as file descriptors.
    #[error("the system gives no event queue: {source}")]
    EventQueue {
        /// What the system said.
        source: io::Error,
    },
    /// The UDP port could not be taken.
    #[error("cannot listen on UDP {address}: {source}")]
    Udp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// What the end of a connection that never was up most likely means.
struct Refusal<'a>(&'a CloseReason);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            CloseKind::EndOfStream => f.write_str(
                "the server ended the connection before it was up: it is full, or refused this client",
            ),
            CloseKind::FrameTooLong { .. }
            | CloseKind::NegativeFrame(_)
            | CloseKind::EmptyFrame
            | CloseKind::MalformedFrame => {
                write!(f, "what listens there does not speak as a DarkRift server: it sent {}", self.0.kind)
            }
            _ => write!(f, "the connection ended before it was up: {}", self.0),
        }
    }
}

impl From<AddressError> for ConnectError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Invalid { address } => Self::InvalidAddress { address },
            AddressError::Resolve { host, source } => Self::Resolve { host, source },
        }
    }
}

impl From<AddressError> for BindError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Invalid { address } => Self::InvalidAddress { address },
            AddressError::Resolve { host, source } => Self::Resolve { host, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use darkrift_proto::Initiator;

    use super::*;

    #[test]
    fn a_connection_that_never_was_up_says_what_that_means() {
        let says = |initiator, kind| ConnectError::Closed(CloseReason::new(initiator, kind)).to_string();
        let refused = says(Initiator::Peer, CloseKind::EndOfStream);
        assert!(refused.ends_with("it is full, or refused this client"), "{refused}");
        let nonsense = says(Initiator::Local, CloseKind::FrameTooLong { length: 1_347_375_956, limit: 9 });
        assert!(nonsense.starts_with("what listens there does not speak as a DarkRift server"), "{nonsense}");
        assert!(nonsense.contains("1347375956"), "{nonsense}");
        let requested = says(Initiator::User, CloseKind::Requested);
        assert!(requested.starts_with("the connection ended before it was up: "), "{requested}");
    }
}
