//! One connection as a game loop sees it: whatever cannot be done now is refused, and nothing waits.

use std::net::SocketAddr;

use darkrift_driver::proto::{
    ClientId, CloseReason, Dialect, EncodedMessage, Received, RoundTrip, SendError, SendMode, Statistics,
    ToMessage,
};

use crate::Frames;

/// A handle to one connection: a client's to its server, or a server's to one of its clients. Clones mean the same
/// connection. What it sends leaves at the next `update`, `flush` or `wait`, or in a `wait` that another thread is in; a
/// lone message leaves at once.
#[derive(Clone, Debug)]
pub struct Connection(pub(crate) darkrift_driver::Client<Frames>);

impl Connection {
    delegate! {
        /// Sends a message: one of your own types (`#[derive(Message)]`), or a
        /// [`Message`](darkrift_driver::proto::Message).
        ///
        /// The message is encoded while the connection is locked: an [`Encode`](darkrift_driver::proto::Encode) of your own
        /// must not use any connection, nor a server. What has to look at them is encoded before it is sent
        /// ([`Message::encode`](darkrift_driver::proto::Message::encode)).
        ///
        /// # Errors
        /// The message was not sent, and is still yours: the connection has closed, the reliable queue is full and the
        /// socket took no more ([`SendError::Full`]; there may be room behind the next `update`), the message is longer
        /// than its channel carries (65,507 bytes with its header for [`SendMode::Unreliable`]), or it cannot be encoded.
        pub fn send<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<(), SendError>
            = self.0.try_send;

        /// Sends a message that was encoded before, without encoding or copying it again: for one message to many.
        ///
        /// # Errors
        /// As [`send`](Self::send).
        pub fn send_encoded(&self, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError>
            = self.0.try_send_encoded;

        /// Sends a message that asks to be acknowledged, and gives the code that its acknowledgement will bear. When
        /// that comes, [`round_trip`](Self::round_trip) has a new sample, and it is an event, too: a message of the kind
        /// [`MessageKind::Acknowledgement`](darkrift_driver::proto::MessageKind::Acknowledgement).
        ///
        /// # Errors
        /// As [`send`](Self::send).
        pub fn ping<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<u16, SendError>
            = self.0.try_ping;

        /// Acknowledges a ping by hand; only of use where `answer_pings` is off. A message that is no ping is not
        /// answered.
        ///
        /// # Errors
        /// As [`send`](Self::send).
        pub fn acknowledge<M: ToMessage + ?Sized>(&self, ping: &Received, message: &M)
            -> Result<(), SendError> = self.0.try_acknowledge;

        /// Whether the connection is open.
        pub fn is_connected(&self) -> bool = self.0.is_connected;

        /// Why the connection closed; `None` while it is open.
        pub fn close_reason(&self) -> Option<CloseReason> = self.0.close_reason;

        /// The client's id, which the server gave it.
        pub fn id(&self) -> ClientId = self.0.id;

        /// The dialect spoken, where it is known.
        pub fn dialect(&self) -> Option<Dialect> = self.0.dialect;

        /// The peer's TCP address.
        pub fn tcp_address(&self) -> SocketAddr = self.0.tcp_address;

        /// The peer's UDP address.
        pub fn udp_address(&self) -> SocketAddr = self.0.udp_address;

        /// The round-trip times that pings have measured; `None` before the first acknowledgement. They include the waits
        /// for the next frame, on both sides where both are game loops.
        pub fn round_trip(&self) -> Option<RoundTrip> = self.0.round_trip;

        /// What the connection has counted since it began.
        pub fn statistics(&self) -> Statistics = self.0.statistics;

        /// The strikes that the peer has against it: on a server, whose clients are disconnected at the maximum.
        pub fn strikes(&self) -> u32 = self.0.strikes;

        /// Takes this much off the peer's strikes.
        pub fn forgive_strikes(&self, weight: u32) = self.0.forgive_strikes;
    }

    /// Closes the connection. Its last event comes in the next updates, and may come before everything has left: what was
    /// queued is still sent by the updates behind it, for 2 s at most unless set otherwise. A program that ends with it calls
    /// `finish`, of the client or the server that this is of, which waits until all has left.
    pub fn close(&self) {
        // The close begins at the call; what it gives only waits.
        drop(self.0.close());
    }
}
