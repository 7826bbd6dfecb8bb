//! What can go wrong before there is a connection or a server. After that, see `SendError` and `CloseReason`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_proto::{CloseKind, CloseReason, ConnectPhase, TransportError};

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
    /// The connection ended before it was up: the server refused this client, had no room for it or was stopping, or what
    /// listens there is no DarkRift server. A server that UDP does not reach ends it, too, after the 5 s that it waits for a
    /// datagram by default: then the phase is [`ConnectPhase::Acknowledgement`].
    #[error("{}", Refusal { reason, phase: *phase, after: *after })]
    Closed {
        /// Why it ended.
        reason: CloseReason,
        /// What was being waited for.
        phase: ConnectPhase,
        /// How long after the connect began.
        after: Duration,
    },
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
        /// The address tried last.
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
        /// The address tried last.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// What the end of a connection that never was up most likely means.
struct Refusal<'a> {
    reason: &'a CloseReason,
    phase: ConnectPhase,
    after: Duration,
}

/// A server that refuses a client does so at once; one that ends the connection later than this, without an answer on
/// UDP, has waited for a datagram that did not come.
const AT_ONCE: Duration = Duration::from_secs(1);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.kind {
            CloseKind::EndOfStream if self.is_unanswered() => {
                write!(f, "the server ended the connection after {:.1?}, before {}", self.after, self.phase)
            }
            CloseKind::EndOfStream => {
                write!(f, "the server ended the connection before it was up: it {}", self.likely())
            }
            // Those that wait to be accepted get it from a server that stops.
            CloseKind::Transport(TransportError::Reset) => {
                write!(f, "the connection was reset before it was up: the server {}", self.likely())
            }
            CloseKind::FrameTooLong { .. }
            | CloseKind::NegativeFrame(_)
            | CloseKind::EmptyFrame
            | CloseKind::MalformedFrame => {
                write!(
                    f,
                    "what listens there does not speak as a DarkRift server: it sent {}",
                    self.reason.kind
                )
            }
            _ => write!(f, "the connection ended before it was up: {}", self.reason),
        }
    }
}

impl Refusal<'_> {
    fn is_unanswered(&self) -> bool {
        self.phase == ConnectPhase::Acknowledgement && self.after >= AT_ONCE
    }

    /// What moves a server to this. One that has said hello has counted those who connect from the address before.
    const fn likely(&self) -> &'static str {
        match self.phase {
            ConnectPhase::Hello => {
                "is full or stopping, or refused this client, or too many from this address are connecting"
            }
            _ => "is full or stopping, or refused this client",
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
        let says_then = |initiator, kind, phase, after| {
            ConnectError::Closed { reason: CloseReason::new(initiator, kind), phase, after }.to_string()
        };
        let says =
            |initiator, kind| says_then(initiator, kind, ConnectPhase::Acknowledgement, Duration::ZERO);
        let refused = says(Initiator::Peer, CloseKind::EndOfStream);
        assert!(refused.ends_with("it is full or stopping, or refused this client"), "{refused}");
        let late =
            |phase| says_then(Initiator::Peer, CloseKind::EndOfStream, phase, Duration::from_millis(5004));
        let unanswered = late(ConnectPhase::Acknowledgement);
        assert!(unanswered.contains("after 5.0s, before the acknowledgement on UDP"), "{unanswered}");
        assert!(late(ConnectPhase::Configure).ends_with("it is full or stopping, or refused this client"));
        let reset = says(Initiator::Transport, CloseKind::Transport(TransportError::Reset));
        assert!(reset.ends_with("the server is full or stopping, or refused this client"), "{reset}");
        let at_once = says_then(Initiator::Peer, CloseKind::EndOfStream, ConnectPhase::Hello, Duration::ZERO);
        assert!(at_once.ends_with(", or too many from this address are connecting"), "{at_once}");
        let nonsense = says(Initiator::Local, CloseKind::FrameTooLong { length: 1_347_375_956, limit: 9 });
        assert!(nonsense.starts_with("what listens there does not speak as a DarkRift server"), "{nonsense}");
        assert!(nonsense.contains("1347375956"), "{nonsense}");
        let requested = says(Initiator::User, CloseKind::Requested);
        assert!(requested.starts_with("the connection ended before it was up: "), "{requested}");
    }
}
