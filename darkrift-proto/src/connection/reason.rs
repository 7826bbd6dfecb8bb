//! Why a connection ended, and whose doing it was.

use core::fmt;
use core::time::Duration;

use super::strike::StrikeReason;
use crate::count::Count;

/// Who ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// This side's application asked for it.
    User,
    /// This side's protocol or limits demanded it.
    Local,
    /// The other side ended it in an orderly way.
    Peer,
    /// The network in between failed.
    Transport,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReason {
    /// Who ended it.
    pub initiator: Initiator,
    /// What happened.
    pub kind: CloseKind,
}

/// What ended a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseKind {
    /// The application closed it.
    #[error("closed by the application")]
    Requested,
    /// The whole server stopped.
    #[error("the server shut down")]
    Shutdown,
    /// The application's connect hook refused the client.
    #[error("refused by the server's connect hook")]
    Rejected,
    /// A panic dropped the last handle of the connection, most often that of a server's handler of this client. With it went
    /// whoever could ask for this reason: a server counts such clients in its statistics, and what the panic said is in the
    /// task's `JoinHandle` or the like. Where another handle is kept, a panic ends no connection.
    #[error("the handler of this client panicked")]
    HandlerPanicked,
    /// Whatever runs the connection stopped, with the program or a part of it.
    #[error("what runs the connection stopped")]
    Abandoned,
    /// The peer ended its stream.
    #[error("the peer ended its stream")]
    EndOfStream,
    /// The transport failed.
    #[error("{0}")]
    Transport(TransportError),
    /// A phase of connecting took longer than its limit.
    #[error("{phase} did not come within {limit:?}")]
    ConnectTimeout {
        /// What was being waited for.
        phase: ConnectPhase,
        /// The limit that passed.
        limit: Duration,
    },
    /// Nothing came from the peer for the idle limit.
    #[error("nothing came for {0:?}")]
    IdleTimeout(Duration),
    /// The client's strikes reached the server's maximum.
    #[error("{}, the last for {last}", Count(*total as usize, "strike"))]
    Strikes {
        /// The reason of the strike that reached the maximum.
        last: StrikeReason,
        /// The sum of the weights.
        total: u32,
    },
    /// A frame longer than this side accepts.
    #[error("a frame of {}, more than the {limit} accepted", Count::bytes(*length as usize))]
    FrameTooLong {
        /// What the frame's header says, in bytes.
        length: u32,
        /// The limit, in bytes.
        limit: u32,
    },
    /// A frame of negative length.
    #[error("a frame of the negative length {0}")]
    NegativeFrame(i32),
    /// A frame of length zero.
    #[error("a frame of length 0")]
    EmptyFrame,
    /// A frame or command that no server sends (client role only).
    #[error("a malformed frame from the server")]
    MalformedFrame,
    /// More messages came before Configure than are held.
    #[error("more than {} before Configure", Count(*.0, "message"))]
    TooManyBeforeConfigure(usize),
    /// More bytes of messages came before Configure than are held: together as many as one frame may have.
    #[error("more than {} of messages before Configure", Count::bytes(*.0))]
    TooManyBytesBeforeConfigure(usize),
    /// The peer reads more slowly than it is sent to, and the policy is to disconnect such peers.
    #[error("the peer fell behind: {} queued", Count::bytes(*queued))]
    Behind {
        /// Bytes in the reliable queue at that moment.
        queued: usize,
    },
    /// A new connection came from the UDP address of this one, which was therefore dead.
    #[error("replaced by a new connection from the same UDP address")]
    Evicted,
    /// No client id was free.
    #[error("no client id is free")]
    NoFreeId,
}

/// How the transport failed. The core holds no `io::Error`; the driver translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The peer, or something on the way, reset the stream.
    #[error("the connection was reset")]
    Reset,
    /// The peer stopped answering (keep-alive or user timeout).
    #[error("the peer stopped answering")]
    TimedOut,
    /// The network or the host cannot be reached.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// Any other failure of the socket.
    #[error("the transport failed")]
    Other,
}

/// What a connection waits for while it is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectPhase {
    /// The look-up of the server's host name (client role).
    Resolve,
    /// The TCP connection.
    Tcp,
    /// The server's 9-byte hello on TCP (client role).
    Hello,
    /// The server's acknowledgement of the token on UDP (client role).
    Acknowledgement,
    /// The client's token on UDP (server role).
    Token,
    /// The server's Configure, which carries the client's id (client role).
    Configure,
}

impl fmt::Display for ConnectPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "the address of the host name (is the name server reachable?)",
            Self::Tcp => "the TCP connection",
            Self::Hello => "the server's hello on TCP",
            Self::Acknowledgement => "the acknowledgement on UDP (is UDP blocked, or on another port?)",
            Self::Token => "the client's token on UDP (is UDP blocked, or on another port?)",
            Self::Configure => "the server's Configure on TCP",
        })
    }
}

impl CloseReason {
    /// A reason, for drivers that close on grounds of their own.
    pub const fn new(initiator: Initiator, kind: CloseKind) -> Self {
        Self { initiator, kind }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl core::error::Error for CloseReason {}
