//! What can be set, with its default and the reason for it.

use core::time::Duration;

use super::strike::StrikeWeights;
use crate::data::Encoding;
use crate::wire::Dialect;

/// Settings that both roles have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes that may wait for the peer to read them on TCP. Default 1 MiB. A message is taken while the queue is
    /// empty or stays within this; a single message may be larger,
    /// and waits until everything before it has left.
    pub reliable_queue: usize,
    /// Bytes that may wait to leave on UDP. Default 64 KiB; past it the oldest datagrams are dropped and counted.
    pub unreliable_queue: usize,
    /// Messages that may wait for the application, on each channel. Default 256. Past it the stream is not read,
    /// so that TCP itself slows the peer; of the unreliable ones the newest are kept. What a socket holds that nobody reads,
    /// such as that of a game loop that stands still, is the system's, and of that the oldest are kept, uncounted.
    pub undelivered: usize,
    /// Bytes of reliable messages that may wait for the application. Default 1 MiB; past it the stream is not read.
    /// A single message may be larger. As many bytes again may wait where the stream has failed, since what the system holds
    /// of it would be lost ([`Connection::handle_stream_rest`](super::Connection::handle_stream_rest)).
    pub undelivered_bytes: usize,
    /// Bytes of unreliable messages that may wait for the application. Default 384 KiB: 256 that each fit one packet
    /// are less, so it matters only where larger ones come. Past it the newest are kept, and those that go are counted
    /// ([`undelivered_dropped`](super::Statistics::undelivered_dropped)). A single message may be larger.
    pub undelivered_unreliable_bytes: usize,
    /// The longest message that `send` accepts on the reliable channel, header included. Default 16 MiB + 5, which is
    /// what our client takes from a server. A server takes 65,534 bytes from a client unless it is set to more, ours and
    /// the original alike, and disconnects a client that sends more.
    pub max_send: usize,
    /// How long the peer may send nothing at all. Default `None`: an idle game is no fault, and TCP keep-alive
    /// finds the dead. It rests while the peer is not read, since the application has not taken what came before.
    pub idle_timeout: Option<Duration>,
    /// How long a close waits for what is queued to leave and for the peer to end its stream. Default 2 s.
    /// Where Configure has neither come nor gone out it is 0.5 s at most.
    pub linger: Duration,
    /// Whether pings are acknowledged at once by the connection: an empty message of the same tag on the same
    /// channel. Default true; with false the application acknowledges, when it sees fit.
    pub answer_pings: bool,
    /// The encoding of the text that is sent and received, where a type names no other. Default UTF-16LE.
    pub encoding: Encoding,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reliable_queue: 1 << 20,
            unreliable_queue: 64 << 10,
            undelivered: 256,
            undelivered_bytes: 1 << 20,
            undelivered_unreliable_bytes: 384 << 10,
            max_send: MAX_CLIENT_FRAME,
            idle_timeout: None,
            linger: Duration::from_secs(2),
            answer_pings: true,
            encoding: Encoding::default(),
        }
    }
}

/// 16 MiB of payload, and the longest header.
pub(crate) const MAX_CLIENT_FRAME: usize = (16 << 20) + 5;

/// Settings of a client's side of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The whole connect, from the first SYN to Configure. Default 10 s, as the original.
    pub connect_timeout: Duration,
    /// From the hello to the acknowledgement on UDP. Default 5 s, as the original.
    pub handshake_timeout: Duration,
    /// How often the token is sent again until the server is known to have it. Default 1 s; zero never repeats
    /// it, as the original.
    pub token_interval: Duration,
    /// The longest frame accepted from the server. Default 16 MiB + 5; the original has no limit at all.
    pub max_frame: usize,
    /// What both roles have.
    pub limits: Limits,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(5),
            token_interval: Duration::from_secs(1),
            max_frame: MAX_CLIENT_FRAME,
            limits: Limits::default(),
        }
    }
}

/// Settings of a server: of its listener, and of its side of each connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// How the token is acknowledged; no single way serves every client. Default [`Dialect::V1`].
    pub dialect: Dialect,
    /// From the hello to the client's token on UDP. Default 5 s, as the original.
    pub handshake_timeout: Duration,
    /// The longest frame accepted from a client. Default 65,534, as the original.
    pub max_frame: usize,
    /// The sum of strikes at which a client is disconnected. Default 3, as the original.
    pub max_strikes: u32,
    /// What each kind of strike weighs. Default the original's.
    pub strike_weights: StrikeWeights,
    /// Connections that may wait for their token, those among them that were refused and have not gone. Default 4,096.
    pub max_pending: usize,
    /// Connections that may wait for their token from one IP address. Default 256. Of IPv6 a whole network of 64 bits counts
    /// as one address, since a single host has that many; an IPv4 address mapped into IPv6 counts as itself.
    pub max_pending_per_address: usize,
    /// Clients at one time, at most 65,536 (there are no more ids). Default 65,536. Those that have closed and have not gone
    /// ([`Listener::leave`](crate::Listener::leave)) are none, as far as there are no more than `max_pending` of them, and no
    /// more of one IP address than `max_pending_per_address`.
    pub max_clients: usize,
    /// What both roles have.
    pub limits: Limits,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            dialect: Dialect::V1,
            handshake_timeout: Duration::from_secs(5),
            max_frame: 65_534,
            max_strikes: 3,
            strike_weights: StrikeWeights::default(),
            max_pending: 4096,
            max_pending_per_address: 256,
            max_clients: 65_536,
            limits: Limits::default(),
        }
    }
}
