//! Why a message was not accepted for sending.

use crate::count::Count;
use crate::data::EncodeError;

/// Why a message was not accepted for sending. The message was not changed and nothing of it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The connection has ended. What came before that can still be received, such as a message that says why.
    #[error("the connection is closed")]
    Closed,
    /// There is no client yet to send to: the handshake is not that far.
    #[error("the connection is not established yet")]
    NotConnected,
    /// The reliable queue has no room for it now.
    #[error("the reliable queue is full: {} queued", Count::bytes(*queued))]
    Full {
        /// Bytes in the queue.
        queued: usize,
    },
    /// It is longer than its channel carries.
    #[error("a message of {}, more than the {limit} of its channel", Count::bytes(*length))]
    TooLong {
        /// Its length with its header, in bytes.
        length: usize,
        /// The most that the channel carries, in bytes.
        limit: usize,
    },
    /// It could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
