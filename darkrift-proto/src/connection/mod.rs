//! One peer, from the first byte to the last: the state machine.
//!
//! [`Connection`] is the whole of it; `docs/sans-io.md` is the manual for those who drive it.

mod closing;
mod config;
mod datagram_queue;
mod events;
mod handshake;
mod incoming;
mod outgoing;
mod pings;
mod reason;
mod send_error;
mod state;
mod statistics;
mod stream_queue;
mod strike;
mod timers;

use alloc::boxed::Box;
use alloc::sync::Arc;

pub use config::{ClientConfig, Limits, ServerConfig};
pub use datagram_queue::Datagrams;
pub use events::Event;
pub use pings::RoundTrip;
pub use reason::{CloseKind, CloseReason, ConnectPhase, Initiator, TransportError};
pub use send_error::SendError;
pub use state::{Role, State};
pub use statistics::Statistics;
pub use stream_queue::StreamOutput;
pub use strike::{Strike, StrikeReason, StrikeWeights};

use crate::ids::ClientId;
use crate::time::Instant;
use crate::wire::{Dialect, Hello};
use datagram_queue::DatagramQueue;
use events::Events;
use pings::Pings;
use stream_queue::StreamQueue;
use timers::{Timer, Timers};

/// One peer: a pure state machine, for the client's side or the server's.
///
/// It does no I/O and reads no clock. Whoever drives it tells it what happened, and carries out what it wants:
///
/// - *Getters* (`state`, `wants_stream_read`, `has_event`, …) have no effect.
/// - `handle_*`: something happened outside, at the moment `now`. They never fail: whatever is wrong with what came
///   becomes one [`Event::Closed`], or a [`Event::Strike`], or is dropped and counted. After `Closed` they change
///   nothing that anybody can see but the way to [`State::Drained`]. The work of a call is bounded by its input.
/// - *Mutators* (`send`, `ping`, `configure`, `close`, …) are legal at any moment; what cannot be done is refused
///   with an error, or has no effect where the method says so.
/// - `poll_*` take one thing out; they cost nothing when there is nothing. None of them must be called at any
///   particular time, or until it gives nothing: forgetting one only delays.
///
/// Time that runs backwards does no harm: timers fire later, and a round trip counts as zero.
///
/// There are two outputs, since there are two transports: the stream's ([`stream_output`](Self::stream_output)) and
/// the datagrams ([`poll_datagram`](Self::poll_datagram)).
///
/// A client and a server in one thread, with memory in place of the network:
///
/// ```
/// use std::sync::Arc;
///
/// use darkrift_proto::bytes::{Buf, BytesMut};
/// use darkrift_proto::wire::Token;
/// use darkrift_proto::{
///     ClientConfig, ClientId, Connection, Event, Instant, Listener, Message, Routing, SendMode, ServerConfig,
///     TokenSource,
/// };
///
/// struct Tokens; // A real one asks the operating system for randomness.
/// impl TokenSource for Tokens {
///     fn token(&mut self) -> Token {
///         Token::new(*b"8 random")
///     }
/// }
///
/// fn write(from: &mut Connection, to: &mut BytesMut) {
///     let mut output = from.stream_output();
///     while output.has_remaining() {
///         let chunk = output.chunk();
///         to.extend_from_slice(chunk);
///         let written = chunk.len();
///         output.advance(written);
///     }
/// }
///
/// let now = Instant::ZERO;
/// let address = "127.0.0.1:50000".parse()?;
/// let (mut to_client, mut to_server) = (BytesMut::new(), BytesMut::new());
///
/// // TCP connects: the server says hello, and the client returns the token on UDP.
/// let mut listener = Listener::new(Arc::new(ServerConfig::default()));
/// let (key, mut server) = listener.accept(now, address, &mut Tokens)?;
/// let mut client = Connection::client(Arc::new(ClientConfig::default()), now);
/// write(&mut server, &mut to_client);
/// client.handle_stream(now, &mut to_client);
/// let token = client.poll_datagram().expect("the token");
///
/// // The listener knows whose token it is, and the application accepts the client.
/// let Routing::Paired { answer, .. } = listener.handle_datagram(now, address, &token) else { panic!() };
/// client.handle_datagram(now, answer);
/// server.handle_paired(now);
/// server.configure(now, ClientId::new(0));
/// write(&mut server, &mut to_client);
/// client.handle_stream(now, &mut to_client);
/// assert_eq!(client.poll_event(), Some(Event::Connected(ClientId::new(0))));
///
/// // Messages flow.
/// client.send(now, SendMode::Reliable, &Message::new(5, &b"hello"[..]))?;
/// write(&mut client, &mut to_server);
/// server.handle_stream(now, &mut to_server);
/// assert_eq!(server.poll_event(), Some(Event::Connected(ClientId::new(0))));
/// let Some(Event::Message(message)) = server.poll_event() else { panic!() };
/// assert_eq!(message.payload()[..], *b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// In this order, and what it consists of likewise: what every message needs is side by side, since of thousands of
// connections none is in the processor's cache when its turn comes. First what the stream needs, last the datagrams.
#[derive(Debug)]
#[repr(C)]
pub struct Connection {
    state: State,
    /// Since the stream was last read there was no room for its events, or there still is none: that nothing is heard is
    /// then not the peer's doing.
    held_back: bool,
    /// Client: the token is to be sent now.
    token_due: bool,
    /// The peer has ended its stream.
    stream_ended: bool,
    /// The write half of the stream has been shut down.
    stream_shut: bool,
    /// Something that was queued for the stream never left.
    stream_cut: bool,
    /// Of the memory that the input is in, much was a command that is not kept.
    input_wasted: bool,
    side: Side,
    /// When the peer was last heard. The idle timer looks at it only when it fires, so that a message costs no timer.
    last_heard: Instant,
    timers: Timers,
    /// How long the input was when it was last left.
    input_left: usize,
    /// How many more bytes complete the frame at its front.
    input_missing: usize,
    stream: StreamQueue,
    events: Events,
    /// All but what the queues count themselves.
    counted: Statistics,
    datagrams: DatagramQueue,
    pings: Pings,
    hello: Option<Hello>,
    dialect: Option<Dialect>,
    id: Option<ClientId>,
    /// Server: the sum of strikes.
    strikes: u32,
    /// Server: why the connection ends as soon as the application has accepted the client.
    fault: Option<Box<CloseKind>>,
}

/// The role, with its settings.
#[derive(Debug)]
enum Side {
    Client(Arc<ClientConfig>),
    Server(Arc<ServerConfig>),
}

impl Side {
    fn limits(&self) -> &Limits {
        match self {
            Self::Client(config) => &config.limits,
            Self::Server(config) => &config.limits,
        }
    }

    fn max_frame(&self) -> usize {
        match self {
            Self::Client(config) => config.max_frame,
            Self::Server(config) => config.max_frame,
        }
    }
}

impl Connection {
    /// The client's side, at the moment `started` when the connect began (TCP connecting included): the connect
    /// timeout counts from it. Call once TCP is open.
    pub fn client(config: Arc<ClientConfig>, started: Instant) -> Self {
        let deadline = started + config.connect_timeout;
        let mut connection = Self::new(Side::Client(config), State::AwaitingHello, started);
        connection.timers.set(Timer::Connect, deadline);
        connection
    }

    /// The server's side, with its hello queued. Made by the [`Listener`](crate::Listener).
    pub(crate) fn server(config: Arc<ServerConfig>, now: Instant, hello: Hello) -> Self {
        let deadline = now + config.handshake_timeout;
        let dialect = config.dialect;
        let mut connection = Self::new(Side::Server(config), State::AwaitingToken, now);
        connection.timers.set(Timer::Handshake, deadline);
        connection.dialect = Some(dialect);
        connection.hello = Some(hello);
        connection.stream.push_hello(hello);
        connection
    }

    fn new(side: Side, state: State, now: Instant) -> Self {
        let limits = side.limits();
        Self {
            events: Events::new(
                limits.undelivered,
                limits.undelivered_bytes,
                limits.undelivered_unreliable_bytes,
            ),
            stream: StreamQueue::new(limits.reliable_queue, limits.max_send),
            datagrams: DatagramQueue::new(limits.unreliable_queue),
            side,
            state,
            hello: None,
            dialect: None,
            id: None,
            pings: Pings::default(),
            timers: Timers::new(),
            counted: Statistics::default(),
            last_heard: now,
            held_back: false,
            input_left: 0,
            input_missing: 0,
            token_due: false,
            strikes: 0,
            fault: None,
            stream_ended: false,
            stream_shut: false,
            stream_cut: false,
            input_wasted: false,
        }
    }

    /// Which side of the connection this is.
    pub const fn role(&self) -> Role {
        match self.side {
            Side::Client(_) => Role::Client,
            Side::Server(_) => Role::Server,
        }
    }

    /// Where in its life the connection is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The client's id, once Configure came (client) or went out (server).
    pub const fn id(&self) -> Option<ClientId> {
        self.id
    }

    /// The dialect. A server's is set; a client finds it by the shape of the acknowledgement, and does not know it
    /// before: where the acknowledgement was lost, and Configure stood in for it, it stays `None`.
    pub const fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Client: what the connect waits for, or waited for when the connection ended. `None` once the id is known, and on
    /// a server's side.
    pub const fn connect_phase(&self) -> Option<ConnectPhase> {
        match (&self.side, self.hello, self.dialect, self.id) {
            (Side::Server(_), ..) | (_, _, _, Some(_)) => None,
            (_, None, ..) => Some(ConnectPhase::Hello),
            (_, _, None, _) => Some(ConnectPhase::Acknowledgement),
            _ => Some(ConnectPhase::Configure),
        }
    }

    /// Why the connection ended, once it has.
    pub const fn close_reason(&self) -> Option<&CloseReason> {
        self.events.close_reason()
    }

    /// What the acknowledgements of pings say of the round trip; `None` before the first.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.pings.round_trip()
    }

    /// What has been counted so far.
    pub const fn statistics(&self) -> Statistics {
        Statistics {
            stream_bytes_sent: self.stream.sent(),
            unsent_dropped: self.datagrams.dropped(),
            ..self.counted
        }
    }

    /// Server: the sum of the client's strikes, less what was forgiven. Always 0 for a client.
    pub const fn strikes(&self) -> u32 {
        self.strikes
    }

    /// Whether there is a reason to close: [`close_reason`](Self::close_reason) says which.
    pub const fn is_closed(&self) -> bool {
        self.state.is_closed()
    }

    /// Whether the connection has closed and nothing is left to do: the sockets may be dropped. Events may still
    /// wait to be polled.
    pub const fn is_drained(&self) -> bool {
        matches!(self.state, State::Drained)
    }

    /// The limits of its settings.
    pub fn limits(&self) -> &Limits {
        self.side.limits()
    }
}
