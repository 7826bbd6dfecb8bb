//! A handle to one connection: a client's to its server, or a server's to one of its clients.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use darkrift_proto::{
    ClientId, CloseKind, CloseReason, Dialect, EncodedMessage, Initiator, MessageKind, MessageSet, Received,
    RoundTrip, SendError, SendMode, Statistics, ToMessage,
};

use crate::Address;
use crate::address::canonical;
use crate::connect::ClientBuilder;
use crate::ending::Ending;
use crate::error::ConnectError;
use crate::handle::Handle;
use crate::messages::Messages;
use crate::peer::Peer;
use crate::receiver::Receiver;
use crate::runtime::Runtime;

/// One connection: a client's to its server, or a server's to one of its clients. Both have the same methods.
///
/// It is a handle: clones are cheap and mean the same connection, and every method takes `&self`, so one task may
/// receive while others send. When the last handle is dropped the connection is closed. What was queued leaves, as much as the
/// socket takes at once and the rest while the runtime runs: before a program ends, [`close`](Self::close) waits for it. A
/// runtime that is dropped with its tasks, as tokio's at the end of `main`, resets a stream on which something was still to
/// leave.
///
/// A panic that drops the last handle closes the connection, too. The application learns of it from whatever ran the handler,
/// as a task's `JoinHandle`, and a server counts it as
/// [`closed_by_protocol`](crate::ServerStatistics::closed_by_protocol). A clone that is kept elsewhere keeps the connection
/// open all the same.
#[must_use = "dropping the last handle disconnects"]
pub struct Client<R> {
    handle: Arc<Handle>,
    /// The handle's, which is one step nearer so.
    peer: Arc<Peer>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime + Default> Client<R> {
    /// Connects to a server with the default settings: to one port number on TCP and UDP, whatever its dialect.
    ///
    /// `address` is a host name or an address, with a port: `"game.example:4296"`, `"[::1]:4296"`, a `SocketAddr`.
    ///
    /// # Errors
    /// [`ConnectError`] says what failed; one that ran into a time limit names the phase, such as UDP being blocked.
    ///
    /// # Panics
    /// On tokio, outside of a runtime of its, or in one without I/O and time.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt and leaves nothing behind: its sockets close at once.
    pub async fn connect(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::builder().connect(address).await
    }

    /// Settings for a connect: another UDP port, time limits, queue limits.
    pub fn builder() -> ClientBuilder<R> {
        ClientBuilder::new()
    }
}

impl<R> Client<R> {
    pub(crate) fn from_handle(handle: Arc<Handle>) -> Self {
        Self { peer: handle.peer.clone(), handle, runtime: PhantomData }
    }

    fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Sends a message: one of your own types (`#[derive(Message)]`), or a [`Message`](darkrift_proto::Message).
    ///
    /// A reliable message waits here while the peer is so slow that its queue is full; on Linux no longer than the user timeout,
    /// 30 s by default, where the peer takes nothing at all: then the connection ends
    /// ([`ClientBuilder::user_timeout`](crate::ClientBuilder::user_timeout),
    /// [`ServerBuilder::user_timeout`](crate::ServerBuilder::user_timeout)). Once this returns the message leaves by itself, at
    /// once or together with others: a flush is not needed. An unreliable one never waits.
    ///
    /// An unreliable message may arrive before a reliable one that was sent before it ([`SendMode`]).
    ///
    /// The message is encoded while the connection is locked: an [`Encode`](darkrift_proto::Encode) of your own must not use
    /// any connection, nor a server but for its `len`, or it may wait for ever. What has to look at them is encoded before it
    /// is sent: [`Message::encode`](darkrift_proto::Message::encode), [`Server::encode`](crate::Server::encode).
    ///
    /// # Errors
    /// The message was not sent, and is still yours: the connection has closed (what came before that is still there to be
    /// received), the message is longer than its channel carries (65,507 bytes with its header for
    /// [`SendMode::Unreliable`], of which more than about 1,200 travel in pieces and are lost more often), or it cannot be
    /// encoded. A server disconnects a client whose reliable message has more than 65,534 bytes, unless it is set to more;
    /// [`Limits::max_send`](darkrift_proto::Limits::max_send) makes that an error here.
    ///
    /// # Latency
    /// A message by itself leaves within the call. Of several in a row, all but the first leave together when this task
    /// waits for something: one that goes on to compute for long delays them.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that the message was not sent.
    #[inline]
    pub async fn send<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<(), SendError> {
        match self.try_send(mode, message) {
            Ok(()) => Ok(()),
            // Boxed, so that the future of every send that need not wait is small.
            Err(SendError::Full { .. }) => Box::pin(self.peer().send_once_there_is_room(mode, message)).await,
            Err(error) => Err(error),
        }
    }

    /// Sends a message if there is room for it now.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::Full`] where that would wait: the queue is full, and the socket took no more.
    /// The message is still yours.
    #[inline]
    pub fn try_send<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<(), SendError> {
        self.peer().send(mode, message)
    }

    /// Sends a message that was encoded before, without encoding or copying it again: for one message to many.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that the message was not sent.
    pub async fn send_encoded(&self, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError> {
        self.peer().when_there_is_room(|| self.peer().send_encoded(mode, message)).await
    }

    /// Sends a message that was encoded before if there is room for it now.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_encoded(&self, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError> {
        self.peer().send_encoded(mode, message)
    }

    /// Sends a message that asks to be acknowledged, and gives the code that its acknowledgement will bear. When
    /// that comes, [`round_trip`](Self::round_trip) has a new sample, and it is received as a message, too, of the kind
    /// [`MessageKind::Acknowledgement`]; [`messages`](Self::messages) passes over it where it carries no payload.
    ///
    /// The last 256 pings are remembered. An acknowledgement of an older one is no sample, and a server charges the
    /// client with a strike for it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that the ping was not sent.
    pub async fn ping<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<u16, SendError> {
        self.peer().when_there_is_room(|| self.try_ping(mode, message)).await
    }

    /// Sends a [`ping`](Self::ping) if there is room for it now.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_ping<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<u16, SendError> {
        let now = self.peer().runtime().now();
        self.peer().queue(mode, |machine| machine.ping(now, mode, message))
    }

    /// Acknowledges a ping by hand, with a message of your own; only of use where
    /// [`answer_pings`](ClientBuilder::answer_pings) is off. A message that is no ping is not answered.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that nothing was sent.
    pub async fn acknowledge<M: ToMessage + ?Sized>(
        &self,
        ping: &Received,
        message: &M,
    ) -> Result<(), SendError> {
        self.peer().when_there_is_room(|| self.try_acknowledge(ping, message)).await
    }

    /// [Acknowledges](Self::acknowledge) a ping if there is room for it now.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_acknowledge<M: ToMessage + ?Sized>(
        &self,
        ping: &Received,
        message: &M,
    ) -> Result<(), SendError> {
        let MessageKind::Ping(code) = ping.kind() else { return Ok(()) };
        let (mode, now) = (ping.send_mode(), self.peer().runtime().now());
        self.peer().queue(mode, |machine| machine.acknowledge(now, mode, code, message))
    }

    /// Receives the next message, of either channel; `None` once the connection has closed and every message was
    /// taken. [`close_reason`](Self::close_reason) then says why.
    ///
    /// Reliable messages come in the order in which they were sent; an unreliable one may come before reliable ones that were
    /// sent before it ([`SendMode`]). Several tasks may receive at once; each message goes to one of them.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it takes a message only when it is ready. One that is kept and not polled any more
    /// holds the line up: pings are not answered, and an end is not noticed, until it is polled or dropped.
    pub fn recv(&self) -> impl Future<Output = Option<Received>> + Send + '_ {
        let mut receiver = Receiver::new(&**self.peer());
        poll_fn(move |cx| receiver.poll(cx))
    }

    /// Takes a message that is there already; `None` when there is none now.
    pub fn try_recv(&self) -> Option<Received> {
        self.peer().try_receive()
    }

    /// The messages as the types of `S`, an enum with `#[derive(MessageSet)]`: a stream that ends when the
    /// connection has closed. Acknowledgements of pings without a payload, as the library sends them, are not among
    /// them, nor are pings without a payload that are none of the set. It is a handle of the connection's, too, which stays
    /// open as long as this is there.
    pub fn messages<S: MessageSet>(&self) -> Messages<S> {
        Messages::new(Receiver::new(self.handle.clone()))
    }

    /// Closes the connection. What was queued is still sent; messages that have come can still be received.
    ///
    /// The close begins at the call. Awaiting what it gives waits until everything has left and the sockets are
    /// gone, or the linger time (2 s by default) has passed.
    ///
    /// The peer hears that the connection has ended, not why: the wire has no words for it. A server that disconnects a
    /// player sends a message that says so first, with [`try_send`](Self::try_send): a player who does not read must not be
    /// waited for.
    pub fn close(&self) -> Ending {
        self.peer().close(CloseReason::new(Initiator::User, CloseKind::Requested));
        let peer = self.peer().clone();
        Ending::new(async move { peer.ended().await })
    }

    /// Waits until the connection has closed, and gives the reason. As long as it waits, the handle that it was called on
    /// keeps the connection open.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn closed(&self) -> CloseReason {
        self.peer().closed().await;
        self.close_reason().expect("a closed connection has a reason")
    }

    /// Why the connection closed; `None` while it is open.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.peer().lock().machine.close_reason().cloned()
    }

    /// Whether the connection is open.
    pub fn is_connected(&self) -> bool {
        !self.peer().lock().machine.is_closed()
    }

    /// The client's id, which the server gave it.
    pub fn id(&self) -> ClientId {
        self.handle.id
    }

    /// The dialect spoken: a client finds it out by the acknowledgement's shape, and does not know it if that was
    /// lost; a server's is set.
    pub fn dialect(&self) -> Option<Dialect> {
        self.peer().lock().machine.dialect()
    }

    /// The peer's TCP address; of IPv4 also where it came to a server that listens on IPv6 for both.
    pub fn tcp_address(&self) -> SocketAddr {
        canonical(self.peer().stream_address)
    }

    /// The peer's UDP address, likewise.
    pub fn udp_address(&self) -> SocketAddr {
        // A server's handle exists once the token came from it, a client's sends to it from the start.
        canonical(self.peer().lock().datagram_address.unwrap_or(self.peer().stream_address))
    }

    /// This side's TCP address, while the connection's socket is open and where the system tells it.
    pub fn local_tcp_address(&self) -> Option<SocketAddr> {
        self.peer().local_address()
    }

    /// The round-trip times that pings have measured; `None` before the first acknowledgement.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.peer().lock().machine.round_trip()
    }

    /// What the connection has counted since it began.
    pub fn statistics(&self) -> Statistics {
        self.peer().lock().machine.statistics()
    }

    /// The strikes that the peer has against it: on a server, whose clients are disconnected at the maximum.
    pub fn strikes(&self) -> u32 {
        self.peer().lock().machine.strikes()
    }

    /// Takes this much off the peer's strikes.
    pub fn forgive_strikes(&self, weight: u32) {
        self.peer().lock().machine.forgive_strikes(weight);
    }
}

impl<R> Clone for Client<R> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), peer: self.peer.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for Client<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.peer().lock();
        f.debug_struct("Client")
            .field("id", &state.machine.id())
            .field("tcp_address", &self.peer().stream_address)
            .field("udp_address", &state.datagram_address)
            .field("state", &state.machine.state())
            .field("close_reason", &state.machine.close_reason())
            .finish()
    }
}
