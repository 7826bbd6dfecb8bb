//! What can go wrong before there is a connection or a server. After that, see `SendError` and `CloseReason`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_proto::{CloseReason, ConnectPhase};

use crate::address::AddressError;

/// Why a connect failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address has no host or no port.
    #[error("`{address}` is not a host and a port, such as 127.0.0.1:4296")]
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
    /// The connection ended before it was up.
    #[error("the connection ended before it was up: {0}")]
    Closed(CloseReason),
}

/// Why a server could not begin to listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address has no host or no port.
    #[error("`{address}` is not a host and a port, such as 0.0.0.0:4296")]
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
