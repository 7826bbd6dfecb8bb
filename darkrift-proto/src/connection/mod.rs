//! One peer, from the first byte to the last: the state machine.

mod config;
mod reason;
mod strike;

use alloc::sync::Arc;
use bytes::{Buf, Bytes, BytesMut};

pub use config::{ClientConfig, Limits, ServerConfig};
pub use reason::{CloseKind, CloseReason, ConnectPhase, Initiator, TransportError};
pub use strike::{Strike, StrikeReason, StrikeWeights};

use crate::data::EncodeError;
use crate::message::{EncodedMessage, Received, SendMode, ToMessage};
use crate::time::Instant;
use crate::wire::{Dialect, Hello};
use crate::ClientId;
use core::time::Duration;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a connection has two sides")]
pub enum Role { /// c
    Client, /// s
    Server }

/// Where in its life a connection is. The table is in `docs/sans-io.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What happened, as the application sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The connection is up; the first event of all, once.
    Connected(ClientId),
    /// A message came.
    Message(Received),
    /// Server: the client was charged with a strike.
    Strike(Strike),
    /// The connection ended; the last event of all, once.
    Closed(CloseReason),
}

/// Round-trip times measured by pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The latest sample.
    pub latest: Duration,
    /// The mean of the last samples, ten at most.
    pub mean: Duration,
    /// How many samples the mean is of.
    pub samples: usize,
}

/// What a connection has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Messages received on TCP.
    pub reliable_received: u64,
    /// Messages received on UDP.
    pub unreliable_received: u64,
    /// Messages queued for TCP.
    pub reliable_sent: u64,
    /// Messages queued for UDP.
    pub unreliable_sent: u64,
    /// Bytes taken from the stream.
    pub stream_bytes_received: u64,
    /// Bytes the transport took from the stream queue.
    pub stream_bytes_sent: u64,
    /// Bytes of datagrams received.
    pub datagram_bytes_received: u64,
    /// Bytes of datagrams handed out to be sent.
    pub datagram_bytes_sent: u64,
    /// Unreliable messages dropped since the application did not take them in time.
    pub undelivered_dropped: u64,
    /// Datagrams dropped since they did not leave in time.
    pub unsent_dropped: u64,
    /// Datagrams that made no sense and were dropped.
    pub datagrams_ignored: u64,
    /// Acknowledgements that found no room in the queue.
    pub acknowledgements_dropped: u64,
}

/// Why a message was not accepted for sending. The message was not changed and nothing of it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The connection has ended.
    #[error("the connection is closed")]
    Closed,
    /// There is no client yet to send to: the handshake is not that far.
    #[error("the connection is not established yet")]
    NotConnected,
    /// The reliable queue has no room for it now.
    #[error("the reliable queue is full: {queued} bytes wait")]
    Full {
        /// Bytes in the queue.
        queued: usize,
    },
    /// It is longer than its channel carries.
    #[error("a message of {length} bytes, more than the {limit} of its channel")]
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

/// One peer.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// The client's side, at the moment `started` when the connect began (TCP connecting included): the connect
    /// timeout counts from it. Call once TCP is open.
    pub fn client(config: Arc<ClientConfig>, started: Instant) -> Self { todo!() }
    /// pub(crate): the Listener makes it
    pub(crate) fn server(config: Arc<ServerConfig>, now: Instant, hello: Hello) -> Self { todo!() }

    // getters
    pub fn role(&self) -> Role { todo!() }
    pub fn state(&self) -> State { todo!() }
    pub fn id(&self) -> Option<ClientId> { todo!() }
    pub fn dialect(&self) -> Option<Dialect> { todo!() }
    pub fn close_reason(&self) -> Option<&CloseReason> { todo!() }
    pub fn round_trip(&self) -> Option<RoundTrip> { todo!() }
    pub fn statistics(&self) -> Statistics { todo!() }
    /// sum of strikes so far
    pub fn strikes(&self) -> u32 { todo!() }
    /// Whether stream input is wanted: call `handle_stream` with what there is (even without new bytes: it may have left some), and read more.
    pub fn wants_stream_read(&self) -> bool { todo!() }
    /// How many more bytes complete the frame whose beginning the last `handle_stream` left; 0 if unknown. A hint for sizing reads: never allocate it at once.
    pub fn stream_read_hint(&self) -> usize { todo!() }
    /// Whether the write half of the stream should be shut down now: closing, everything flushed, not shut yet. True until `handle_stream_shutdown`.
    pub fn wants_stream_shutdown(&self) -> bool { todo!() }
    /// bytes waiting in the stream queue
    pub fn stream_queued(&self) -> usize { todo!() }
    /// Whether the reliable queue would take a message of this many bytes (frame length)
    pub fn has_room(&self, frame_len: usize) -> bool { todo!() }
    pub fn is_closed(&self) -> bool { todo!() }
    pub fn is_drained(&self) -> bool { todo!() }
    /// whether poll_event would return something
    pub fn has_event(&self) -> bool { todo!() }
    /// whether datagrams wait
    pub fn has_datagram(&self) -> bool { todo!() }

    // what happened
    pub fn handle_stream(&mut self, now: Instant, input: &mut BytesMut) { todo!() }
    pub fn handle_stream_end(&mut self, now: Instant, input: &mut BytesMut) { todo!() }
    pub fn handle_stream_shutdown(&mut self, now: Instant) { todo!() }
    pub fn handle_transport_error(&mut self, now: Instant, error: TransportError) { todo!() }
    pub fn handle_datagram(&mut self, now: Instant, datagram: Bytes) { todo!() }
    /// Server: the listener found this connection's token
    pub fn handle_paired(&mut self, now: Instant) { todo!() }
    pub fn handle_timeout(&mut self, now: Instant) { todo!() }

    // mutators
    /// Server: the application accepted: sends Configure, event Connected. No effect unless Paired
    pub fn configure(&mut self, now: Instant, id: ClientId) { todo!() }
    pub fn send<M: ToMessage + ?Sized>(&mut self, now: Instant, mode: SendMode, message: &M) -> Result<(), SendError> { todo!() }
    pub fn send_encoded(&mut self, now: Instant, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError> { todo!() }
    /// the machine picks the code; the code is returned.
    pub fn ping<M: ToMessage + ?Sized>(&mut self, now: Instant, mode: SendMode, message: &M) -> Result<u16, SendError> { todo!() }
    pub fn acknowledge<M: ToMessage + ?Sized>(&mut self, now: Instant, mode: SendMode, code: u16, message: &M) -> Result<(), SendError> { todo!() }
    pub fn forgive_strikes(&mut self, weight: u32) { todo!() }
    /// close(Initiator::User, Requested)
    pub fn close(&mut self, now: Instant) { todo!() }
    pub fn close_with(&mut self, now: Instant, reason: CloseReason) { todo!() }

    // outputs
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> { todo!() }
    /// The stream's output: write its chunks to the socket and advance by what it took.
    pub fn stream_output(&mut self) -> StreamOutput<'_> { todo!() }
    #[must_use]
    pub fn poll_datagram(&mut self) -> Option<Bytes> { todo!() }
    /// Takes several datagrams of equal length at once (the last may be shorter), as GSO sends them.
    #[must_use]
    pub fn poll_datagrams(&mut self, max_segments: usize) -> Option<Datagrams> { todo!() }
    pub fn poll_timeout(&self) -> Option<Instant> { todo!() }
}

/// What waits to be written to the stream.
#[derive(Debug)]
pub struct StreamOutput<'a> { x: &'a mut () }
impl Buf for StreamOutput<'_> {
    fn remaining(&self) -> usize { todo!() }
    fn chunk(&self) -> &[u8] { todo!() }
    fn advance(&mut self, count: usize) { todo!() }
}

/// A run of datagrams to one peer: `contents` cut every `segment` bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Datagrams {
    /// The datagrams, one after another.
    pub contents: Bytes,
    /// The length of each but the last, which may be shorter; more than zero.
    pub segment: usize,
}
