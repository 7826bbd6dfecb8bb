//! The state table: where a connection can be, and what takes it from there to where.

use crate::message::SendMode;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a connection has two sides")]
pub enum Role {
    /// The side that opened the connection.
    Client,
    /// The side that accepted it.
    Server,
}

/// Where in its life a connection is. The table is in `docs/sans-io.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Client: waiting for the hello.
    AwaitingHello,
    /// Client: the token goes out on UDP until its acknowledgement or Configure comes.
    AwaitingAcknowledgement,
    /// Client: acknowledged, waiting for Configure.
    AwaitingConfigure,
    /// Server: the hello is out, the token has not come. No frames are taken.
    AwaitingToken,
    /// Server: the token came; waiting for the caller's `configure`.
    Paired,
    /// Both: messages flow.
    Connected,
    /// Closed: the reason is known; queued output may still leave.
    Closing,
    /// Closed, and nothing is left to do: sockets may be dropped.
    Drained,
}

/// What moves a connection from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// Client: the hello came.
    Hello,
    /// Client: the acknowledgement of the token came.
    Acknowledged,
    /// Server: the token came.
    Paired,
    /// Configure came (client), or went out (server).
    Configured,
    /// There is a reason to close.
    Closed,
    /// Nothing is left to send, or nobody is left to take it.
    Drained,
}

impl State {
    /// The table. What is not in it does not happen: the state stays as it is.
    const fn after(self, occurrence: Occurrence) -> Option<Self> {
        match (self, occurrence) {
            (Self::AwaitingHello, Occurrence::Hello) => Some(Self::AwaitingAcknowledgement),
            (Self::AwaitingAcknowledgement, Occurrence::Acknowledged) => Some(Self::AwaitingConfigure),
            (Self::AwaitingToken, Occurrence::Paired) => Some(Self::Paired),
            // A client that gets Configure knows that its token arrived, acknowledged or not.
            (
                Self::AwaitingAcknowledgement | Self::AwaitingConfigure | Self::Paired,
                Occurrence::Configured,
            ) => Some(Self::Connected),
            (Self::Closing | Self::Drained, Occurrence::Closed) => None,
            (_, Occurrence::Closed) => Some(Self::Closing),
            (Self::Closing, Occurrence::Drained) => Some(Self::Drained),
            _ => None,
        }
    }

    /// Moves on if the table says so, and says whether it did.
    pub(super) fn advance(&mut self, occurrence: Occurrence) -> bool {
        match self.after(occurrence) {
            Some(next) => {
                *self = next;
                true
            }
            None => false,
        }
    }

    /// Whether there is a reason to close already.
    pub(super) const fn is_closed(self) -> bool {
        matches!(self, Self::Closing | Self::Drained)
    }

    /// Whether the application may send on this channel. A client may write frames straight after the hello; on UDP
    /// both sides wait until the client is known to have the acknowledgement, which it takes to be the first
    /// datagram of all (`docs/protocol.md`, Handshake).
    pub(super) const fn may_send(self, mode: SendMode) -> bool {
        match mode {
            SendMode::Reliable => {
                matches!(self, Self::AwaitingAcknowledgement | Self::AwaitingConfigure | Self::Connected)
            }
            SendMode::Unreliable => matches!(self, Self::AwaitingConfigure | Self::Connected),
        }
    }

    /// Whether an acknowledgement of a ping may go out. The server's side answers a client that is not configured
    /// yet, as the original does: who pings has its UDP acknowledgement.
    pub(super) const fn may_answer(self, mode: SendMode) -> bool {
        self.may_send(mode) || matches!(self, Self::Paired)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    const STATES: [State; 8] = [
        State::AwaitingHello,
        State::AwaitingAcknowledgement,
        State::AwaitingConfigure,
        State::AwaitingToken,
        State::Paired,
        State::Connected,
        State::Closing,
        State::Drained,
    ];

    #[test]
    fn every_state_leads_to_drained_by_closing_alone() {
        for start in STATES {
            let mut state = start;
            assert_eq!(state.advance(Occurrence::Closed), !start.is_closed());
            state.advance(Occurrence::Drained);
            assert_eq!(state, State::Drained);
        }
    }

    #[test]
    fn nothing_but_draining_follows_a_close() {
        for occurrence in [
            Occurrence::Hello,
            Occurrence::Acknowledged,
            Occurrence::Paired,
            Occurrence::Configured,
            Occurrence::Closed,
        ] {
            assert_eq!(State::Closing.after(occurrence), None);
            assert_eq!(State::Drained.after(occurrence), None);
        }
        assert_eq!(State::Drained.after(Occurrence::Drained), None);
    }

    #[test]
    fn configure_counts_as_the_acknowledgement() {
        let mut state = State::AwaitingAcknowledgement;
        assert!(state.advance(Occurrence::Configured));
        assert_eq!(state, State::Connected);
        assert!(!state.advance(Occurrence::Configured));
    }

    /// The manual has the same table: the workspace's test suite compares the two, since no package has both.
    #[test]
    fn the_table_of_connecting_is_the_one_that_is_written_down() {
        let connecting =
            [Occurrence::Hello, Occurrence::Acknowledged, Occurrence::Paired, Occurrence::Configured];
        let coded: Vec<String> = STATES
            .into_iter()
            .flat_map(|state| connecting.map(|occurrence| (state, state.after(occurrence))))
            .filter_map(|(state, next)| Some(format!("{state:?} {:?}", next?)))
            .collect();
        let written: Vec<&str> = include_str!("../../tests/data/states.txt").lines().collect();
        assert_eq!(written, coded);
    }
}
