//! Strikes: what a client is charged for bad input (`docs/protocol.md`, bad input).

use core::fmt;

/// What a client did wrong, in the original's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrikeReason {
    /// A frame or datagram shorter than its header. Weight 5.
    InvalidMessageLength,
    /// A command, which clients have no business sending. Weight 5.
    InvalidCommand,
    /// An acknowledgement of a ping that was never sent. Weight 1.
    UnidentifiedPing,
    /// The connection itself asked for it: a frame longer than accepted. Weight 10.
    ConnectionRequest,
}

impl fmt::Display for StrikeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidMessageLength => "an invalid message length",
            Self::InvalidCommand => "an invalid command",
            Self::UnidentifiedPing => "the acknowledgement of an unknown ping",
            Self::ConnectionRequest => "a frame longer than accepted",
        })
    }
}

/// One strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Strike {
    /// What it was for.
    pub reason: StrikeReason,
    /// What it added.
    pub weight: u32,
    /// The sum, this one included.
    pub total: u32,
}

/// What each kind of strike weighs. The default is the original's; 0 forgives a kind altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StrikeWeights {
    /// For [`StrikeReason::InvalidMessageLength`]: 5.
    pub invalid_message_length: u32,
    /// For [`StrikeReason::InvalidCommand`]: 5.
    pub invalid_command: u32,
    /// For [`StrikeReason::UnidentifiedPing`]: 1.
    pub unidentified_ping: u32,
    /// For [`StrikeReason::ConnectionRequest`]: 10. That one closes the connection whatever it weighs.
    pub connection_request: u32,
}

impl Default for StrikeWeights {
    fn default() -> Self {
        Self { invalid_message_length: 5, invalid_command: 5, unidentified_ping: 1, connection_request: 10 }
    }
}

impl StrikeWeights {
    /// The weight of a strike for `reason`.
    pub const fn of(&self, reason: StrikeReason) -> u32 {
        match reason {
            StrikeReason::InvalidMessageLength => self.invalid_message_length,
            StrikeReason::InvalidCommand => self.invalid_command,
            StrikeReason::UnidentifiedPing => self.unidentified_ping,
            StrikeReason::ConnectionRequest => self.connection_request,
        }
    }
}
