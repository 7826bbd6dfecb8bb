//! Connecting: settings, the look-up, TCP, UDP, and the handshake.

use std::future::{Future, poll_fn};
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use darkrift_proto::{
    ClientConfig, ClientId, CloseKind, ConnectPhase, Connection, Encoding, Event, Instant, Limits,
};

use crate::Address;
use crate::client::Client;
use crate::datagrams::DatagramPath;
use crate::error::ConnectError;
use crate::handle::Handle;
use crate::peer::Peer;
use crate::runtime::{Runtime, TcpStream, Timer};
use crate::sockets::{TcpOptions, client_udp, destination};
use crate::stream;
use crate::task::Task;

/// Settings of a connect. Each has the default that its method states.
#[derive(Debug)]
pub struct ClientBuilder<R> {
    config: ClientConfig,
    tcp: TcpOptions,
    udp_port: Option<u16>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> ClientBuilder<R> {
    /// The default settings.
    pub fn new() -> Self {
        Self {
            config: ClientConfig::default(),
            tcp: TcpOptions::default(),
            udp_port: None,
            runtime: PhantomData,
        }
    }

    /// The server's UDP port, where it is not the number of its TCP port.
    #[must_use]
    pub const fn udp_port(mut self, port: u16) -> Self {
        self.udp_port = Some(port);
        self
    }

    /// The time limit of the whole connect, the look-up included. Default 10 s, as the original. Of a host with several
    /// addresses each has its share of the time that is left: one that says nothing leaves some to those behind it.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.config.connect_timeout = limit;
        self
    }

    /// The time limit for the server's acknowledgement on UDP. Default 5 s, as the original.
    #[must_use]
    pub const fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.config.handshake_timeout = limit;
        self
    }

    /// How often the token is sent again on UDP until the server is known to have it. Default 1 s; zero never.
    #[must_use]
    pub const fn token_interval(mut self, interval: Duration) -> Self {
        self.config.token_interval = interval;
        self
    }

    /// The longest frame accepted from the server, in bytes. Default 16 MiB + 5.
    #[must_use]
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.config.max_frame = bytes;
        self
    }

    /// Whether pings are acknowledged without the application. Default true.
    #[must_use]
    pub const fn answer_pings(mut self, answer: bool) -> Self {
        self.config.limits.answer_pings = answer;
        self
    }

    /// How long the server may send nothing before the connection is given up. Default `None`: for ever.
    #[must_use]
    pub const fn idle_timeout(mut self, limit: Option<Duration>) -> Self {
        self.config.limits.idle_timeout = limit;
        self
    }

    /// The encoding of the text that is sent and received, where a type names no other. Default UTF-16LE.
    #[must_use]
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.config.limits.encoding = encoding;
        self
    }

    /// Whether small messages leave at once instead of being gathered by the system (`TCP_NODELAY`). Default true.
    #[must_use]
    pub const fn no_delay(mut self, no_delay: bool) -> Self {
        self.tcp.no_delay = no_delay;
        self
    }

    /// After how long a silence the system asks whether the peer is still there, and again five times as often, 1 s apart at
    /// least, until it answers. Default 15 s; `None` never. It should be well below the
    /// [`user_timeout`](Self::user_timeout): where it is not, one lost packet ends a connection that has nothing to say.
    #[must_use]
    pub const fn keep_alive(mut self, after: Option<Duration>) -> Self {
        self.tcp.keep_alive = after;
        self
    }

    /// How long what was sent may stay unacknowledged before the system gives the connection up (`TCP_USER_TIMEOUT`,
    /// where there is one). Default 30 s.
    ///
    /// A system repeats what is not acknowledged at intervals that double, so a network that comes back after more than half of
    /// this may come back too late.
    ///
    /// A server that takes nothing for so long, while more is sent to it than lies between, is given up as well, although
    /// its machine still answers: the system counts that as unacknowledged.
    #[must_use]
    pub const fn user_timeout(mut self, limit: Option<Duration>) -> Self {
        self.tcp.user_timeout = limit;
        self
    }

    /// Changes the limits of the queues and the rest of [`Limits`].
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Connects on this runtime, for one that is more than its type.
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt and leaves nothing behind: its sockets close at once.
    pub async fn connect_on(
        self,
        runtime: Arc<R>,
        address: impl Into<Address>,
    ) -> Result<Client<R>, ConnectError> {
        connect(runtime, self.config, self.tcp, self.udp_port, address.into()).await.map(Client::from_handle)
    }
}

impl<R: Runtime + Default> ClientBuilder<R> {
    /// Connects.
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt and leaves nothing behind: its sockets close at once.
    pub async fn connect(self, address: impl Into<Address>) -> Result<Client<R>, ConnectError> {
        self.connect_on(Arc::default(), address).await
    }
}

impl<R: Runtime> Default for ClientBuilder<R> {
    fn default() -> Self {
        Self::new()
    }
}

// By hand, since a derive would ask it of the runtime, too.
impl<R> Clone for ClientBuilder<R> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), tcp: self.tcp, udp_port: self.udp_port, runtime: PhantomData }
    }
}

async fn connect(
    runtime: Arc<dyn Runtime>,
    config: ClientConfig,
    tcp: TcpOptions,
    udp_port: Option<u16>,
    address: Address,
) -> Result<Arc<Handle>, ConnectError> {
    let started = runtime.now();
    let mut deadline = Deadline::new(started, config.connect_timeout);
    let addresses = deadline.apply(&*runtime, ConnectPhase::Resolve, address.resolve(&*runtime)).await??;
    let (stream, server) = open(&*runtime, &addresses, &mut deadline).await?;
    if let Some(socket) = stream.socket() {
        tcp.apply(&socket);
    }
    let mut datagram_address = server;
    datagram_address.set_port(udp_port.unwrap_or(server.port()));
    let udp = client_udp(datagram_address)
        .and_then(|socket| runtime.wrap_udp_socket(socket))
        .map_err(|source| ConnectError::Udp { source })?;
    let machine = Connection::client(Arc::new(config), started);
    let datagrams = DatagramPath::own(udp);
    let peer =
        Peer::new(runtime.clone(), machine, started, stream, server, datagrams, Some(datagram_address));
    let mut task = Task::new(peer.clone(), ());
    if let Some(timer) = deadline.timer {
        task = task.with_timer(timer, deadline.at);
    }
    // Until then this future is the connection's task, so that nothing is left where it is dropped.
    let id = poll_fn(|cx| poll_connected(&mut task, &peer, started, cx)).await?;
    runtime.spawn(Box::pin(task));
    Ok(Arc::new(Handle { peer, id }))
}

/// Runs a connection until Configure has come.
fn poll_connected(
    task: &mut Task<()>,
    peer: &Peer,
    started: Instant,
    cx: &mut Context<'_>,
) -> Poll<Result<ClientId, ConnectError>> {
    // What it comes to, the event says.
    let _ = Pin::new(task).poll(cx);
    let machine = &mut peer.lock().machine;
    match machine.poll_event() {
        Some(Event::Connected(id)) => Poll::Ready(Ok(id)),
        Some(Event::Closed(reason)) => Poll::Ready(Err(match reason.kind {
            CloseKind::ConnectTimeout { phase, limit } => ConnectError::Timeout { phase, limit },
            _ => ConnectError::Closed {
                reason,
                phase: machine.connect_phase().unwrap_or(ConnectPhase::Configure),
                after: peer.runtime().now() - started,
            },
        })),
        // Nothing else comes before these.
        _ => Poll::Pending,
    }
}

/// Opens TCP to the first of the addresses that takes it.
async fn open(
    runtime: &dyn Runtime,
    addresses: &[SocketAddr],
    deadline: &mut Deadline,
) -> Result<(Box<dyn TcpStream>, SocketAddr), ConnectError> {
    let mut failure = None;
    for (address, left) in addresses.iter().copied().map(destination).zip((1..=addresses.len()).rev()) {
        let opened = deadline.share(runtime, left, runtime.connect(address)).await?;
        match opened.and_then(|stream| refuse_itself(stream, address)) {
            Ok(stream) => return Ok((stream, address)),
            Err(source) => failure = Some(ConnectError::Tcp { address, source }),
        }
    }
    Err(failure.expect("a look-up without an address is an error of its own"))
}

/// A stream that leads to `address`, unless it is its own other end. A system that looks for a free port for it may find the one
/// that it is to connect to, on the same machine and while nobody listens there. Such a one is reset, which leaves no trace of it,
/// so that a server may have the port.
fn refuse_itself(stream: Box<dyn TcpStream>, address: SocketAddr) -> io::Result<Box<dyn TcpStream>> {
    let own = stream.socket().and_then(|socket| socket.local_addr().ok()?.as_socket());
    if own.is_some_and(|own| (own.ip(), own.port()) == (address.ip(), address.port())) {
        stream::reset(stream.as_ref());
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// The moment by which the TCP connection must be there.
struct Deadline {
    at: Instant,
    limit: Duration,
    /// Set for it, once there was something to wait for.
    timer: Option<Pin<Box<dyn Timer>>>,
}

impl Deadline {
    fn new(started: Instant, limit: Duration) -> Self {
        Self { at: started + limit, limit, timer: None }
    }

    /// Lets one of the attempts that are left open TCP, for its share of the time: all of it for the last one.
    async fn share<T>(
        &mut self,
        runtime: &dyn Runtime,
        left: usize,
        attempt: impl Future<Output = io::Result<T>>,
    ) -> Result<io::Result<T>, ConnectError> {
        if left == 1 {
            return self.apply(runtime, ConnectPhase::Tcp, attempt).await;
        }
        let now = runtime.now();
        let mut own = Self::new(now, (self.at - now) / u32::try_from(left).unwrap_or(u32::MAX));
        let opened = own.apply(runtime, ConnectPhase::Tcp, attempt).await;
        Ok(opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
    }

    async fn apply<T>(
        &mut self,
        runtime: &dyn Runtime,
        phase: ConnectPhase,
        future: impl Future<Output = T>,
    ) -> Result<T, ConnectError> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self
                .timer
                .get_or_insert_with(|| runtime.timer(self.at))
                .as_mut()
                .poll(cx)
                .map(|()| Err(ConnectError::Timeout { phase, limit: self.limit })),
        })
        .await
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::IoSlice;
    use std::net::TcpListener;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::*;
    use crate::runtime::SockRef;

    #[derive(Debug)]
    struct Stream(Socket);

    impl TcpStream for Stream {
        fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_write(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn socket(&self) -> Option<SockRef<'_>> {
            Some(SockRef::from(&self.0))
        }
    }

    fn bind() -> (Stream, SocketAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (Stream(socket), address)
    }

    #[test]
    fn a_stream_that_leads_to_its_own_socket_is_no_connection_and_leaves_the_port_free() {
        let (stream, address) = bind();
        stream.0.connect(&address.into()).unwrap();
        let refused = refuse_itself(Box::new(stream), address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let (another, _) = bind();
        another.0.connect(&TcpListener::bind(address).unwrap().local_addr().unwrap().into()).unwrap();
        assert!(refuse_itself(Box::new(another), address).is_ok());
    }
}
