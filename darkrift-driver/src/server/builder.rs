//! Settings of a server, and its beginning.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use darkrift_proto::{
    ClientIds, Dialect, Encoding, Limits, Listener, ServerConfig, Statistics, StrikeWeights,
};
use event_listener::Event as Notification;
use parking_lot::{Mutex, RwLock};

use super::broadcast::Behind;
use super::statistics::Counters;
use super::tokens::SystemTokens;
use super::{Door, Inner, Server};
use crate::Address;
use crate::error::BindError;
use crate::runtime::{Runtime, SockRef};
use crate::sockets::{TcpOptions, bind_server};

/// A client at the door, for the hook of [`ServerBuilder::on_connect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joining {
    /// Its TCP address; of IPv4 also where the server listens on IPv6 for both.
    pub tcp_address: SocketAddr,
    /// Its UDP address, likewise.
    pub udp_address: SocketAddr,
    /// How many clients are connected already.
    pub connected: usize,
}

type Hook = Arc<dyn Fn(&Joining) -> bool + Send + Sync>;

/// Settings of a server. Each has the default that its method states.
#[derive(Debug)]
pub struct ServerBuilder<R> {
    options: Options,
    udp_port: Option<u16>,
    runtime: PhantomData<fn() -> R>,
}

/// What the running server keeps of its settings.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) config: ServerConfig,
    pub(crate) tcp: TcpOptions,
    pub(crate) behind: Behind,
    pub(crate) hook: Option<Hook>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("config", &self.config)
            .field("tcp", &self.tcp)
            .field("behind", &self.behind)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

impl<R: Runtime> ServerBuilder<R> {
    /// The default settings.
    pub fn new() -> Self {
        let options = Options {
            config: ServerConfig::default(),
            tcp: TcpOptions::default(),
            behind: Behind::default(),
            hook: None,
        };
        Self { options, udp_port: None, runtime: PhantomData }
    }

    /// The UDP port, where it shall not have the number of the TCP port.
    #[must_use]
    pub const fn udp_port(mut self, port: u16) -> Self {
        self.udp_port = Some(port);
        self
    }

    /// How tokens are acknowledged, which decides who can connect. Default [`Dialect::V1`]: DarkRift 2.11.
    #[must_use]
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.options.config.dialect = dialect;
        self
    }

    /// The sum of strikes at which a client is disconnected. Default 3, as the original.
    #[must_use]
    pub const fn max_strikes(mut self, strikes: u32) -> Self {
        self.options.config.max_strikes = strikes;
        self
    }

    /// What each kind of strike weighs; 0 forgives a kind. Default the original's weights.
    #[must_use]
    pub const fn strike_weights(mut self, weights: StrikeWeights) -> Self {
        self.options.config.strike_weights = weights;
        self
    }

    /// The longest frame accepted from a client, in bytes. Default 65,534, as the original.
    #[must_use]
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.options.config.max_frame = bytes;
        self
    }

    /// How many clients there may be at one time. Default 65,536, as many as there are ids. One whose connection has closed is
    /// none any more, although its socket may linger; only past as many of those as [`max_pending`](Self::max_pending) allows
    /// they count, too.
    #[must_use]
    pub const fn max_clients(mut self, clients: usize) -> Self {
        self.options.config.max_clients = clients;
        self
    }

    /// How many connections may wait for their token, in all and from one IP address. Default 4,096 and 256.
    ///
    /// Each has a socket: where the system lets the process open fewer files (`ulimit -n`, often 1,024), those who only wait
    /// can keep everybody else out, so raise that or lower this. A place is kept for as long as
    /// [`handshake_timeout`](Self::handshake_timeout) says.
    #[must_use]
    pub const fn max_pending(mut self, all: usize, from_one_address: usize) -> Self {
        self.options.config.max_pending = all;
        self.options.config.max_pending_per_address = from_one_address;
        self
    }

    /// The time limit for a client's token on UDP. Default 5 s, as the original.
    #[must_use]
    pub const fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.options.config.handshake_timeout = limit;
        self
    }

    /// Whether pings are acknowledged without the application. Default true.
    #[must_use]
    pub const fn answer_pings(mut self, answer: bool) -> Self {
        self.options.config.limits.answer_pings = answer;
        self
    }

    /// How long a client may send nothing before it is disconnected. Default `None`: for ever. It rests while the client is
    /// not read, since the application has not taken what came before: read from every client, or close it.
    #[must_use]
    pub const fn idle_timeout(mut self, limit: Option<Duration>) -> Self {
        self.options.config.limits.idle_timeout = limit;
        self
    }

    /// The encoding of the text that is sent and received, where a type names no other. Default UTF-16LE.
    #[must_use]
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.options.config.limits.encoding = encoding;
        self
    }

    /// What to do with a client whose reliable queue is full at a broadcast. Default [`Behind::Report`].
    #[must_use]
    pub const fn behind(mut self, policy: Behind) -> Self {
        self.options.behind = policy;
        self
    }

    /// Whether small messages leave at once instead of being gathered by the system (`TCP_NODELAY`). Default true.
    #[must_use]
    pub const fn no_delay(mut self, no_delay: bool) -> Self {
        self.options.tcp.no_delay = no_delay;
        self
    }

    /// After how long a silence the system asks whether a client is still there, and again five times as often, 1 s apart at
    /// least, until it answers. Default 15 s; `None` never. It should be well below the
    /// [`user_timeout`](Self::user_timeout): where it is not, one lost packet ends a connection that has nothing to say.
    #[must_use]
    pub const fn keep_alive(mut self, after: Option<Duration>) -> Self {
        self.options.tcp.keep_alive = after;
        self
    }

    /// How long what was sent may stay unacknowledged before the system gives a client up (`TCP_USER_TIMEOUT`, where
    /// there is one). Default 30 s.
    ///
    /// A system repeats what is not acknowledged at intervals that double, so a network that comes back after more than half of
    /// this may come back too late.
    ///
    /// A client that takes nothing for so long, while more is sent to it than lies between, is given up as well, although its
    /// machine still answers: the system counts that as unacknowledged. A game loop that stands still for longer while it
    /// loads, and is sent much meanwhile, needs more.
    #[must_use]
    pub const fn user_timeout(mut self, limit: Option<Duration>) -> Self {
        self.options.tcp.user_timeout = limit;
        self
    }

    /// Changes the limits of the queues and the rest of [`Limits`].
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.options.config.limits);
        self
    }

    /// Decides who may come in: called for each client whose handshake is done, before it gets its id. A client
    /// for which it gives false, or panics, is disconnected. It must not block. Default: everyone.
    ///
    /// The source of a datagram can be forged: where a stranger's address must not be sent to in a client's name, let in only
    /// those whose two IP addresses are the same, as nearly all are.
    #[must_use]
    pub fn on_connect(mut self, hook: impl Fn(&Joining) -> bool + Send + Sync + 'static) -> Self {
        self.options.hook = Some(Arc::new(hook));
        self
    }

    /// Takes the ports and begins to listen on this runtime, for one that is more than its type.
    ///
    /// # Errors
    /// As [`Server::bind`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn bind_on(self, runtime: Arc<R>, address: impl Into<Address>) -> Result<Server<R>, BindError> {
        let inner = bind(runtime, self.options, self.udp_port, address.into()).await?;
        Ok(Server::from_inner(inner))
    }
}

impl<R: Runtime + Default> ServerBuilder<R> {
    /// Takes the ports and begins to listen.
    ///
    /// # Errors
    /// As [`Server::bind`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn bind(self, address: impl Into<Address>) -> Result<Server<R>, BindError> {
        self.bind_on(Arc::default(), address).await
    }
}

impl<R: Runtime> Default for ServerBuilder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Clone for ServerBuilder<R> {
    fn clone(&self) -> Self {
        Self { options: self.options.clone(), udp_port: self.udp_port, runtime: PhantomData }
    }
}

async fn bind(
    runtime: Arc<dyn Runtime>,
    options: Options,
    udp_port: Option<u16>,
    address: Address,
) -> Result<Arc<Inner>, BindError> {
    let addresses = address.resolve(&*runtime).await?;
    let (address, tcp, udp) = bind_first(&addresses, udp_port, &options.tcp)?;
    let tcp_error = |source| BindError::Tcp { address, source };
    let tcp_address = tcp.local_addr().map_err(tcp_error)?;
    let udp_address =
        local_address(&SockRef::from(&udp)).map_err(|source| BindError::Udp { address, source })?;
    let tcp = runtime.wrap_tcp_listener(tcp).map_err(tcp_error)?;
    let udp =
        runtime.wrap_udp_socket(udp).map_err(|source| BindError::Udp { address: udp_address, source })?;

    let inner = Arc::new(Inner {
        runtime,
        door: Mutex::new(Door {
            listener: Listener::new(Arc::new(options.config.clone())),
            tokens: SystemTokens::default(),
            connections: Vec::new(),
            past_traffic: Statistics::default(),
        }),
        options,
        clients: RwLock::new(BTreeMap::new()),
        ids: Mutex::new(ClientIds::new()),
        backlog: Mutex::default(),
        arrived: Notification::new(),
        stopped: AtomicBool::new(false),
        stopping: Notification::new(),
        tasks: AtomicUsize::new(0),
        all_ended: Notification::new(),
        counters: Counters::default(),
        receivers: Mutex::default(),
        encoder: Mutex::default(),
        tcp_address,
        udp_address,
    });
    inner.open(tcp, udp);
    Ok(inner)
}

/// A server's two sockets at the first of the addresses where it can have both, as the standard library's sockets are bound;
/// and that address.
fn bind_first(
    addresses: &[SocketAddr],
    udp_port: Option<u16>,
    options: &TcpOptions,
) -> Result<(SocketAddr, TcpListener, UdpSocket), BindError> {
    let mut failure = None;
    for &address in addresses {
        match bind_server(address, udp_port, options) {
            Ok((tcp, udp)) => return Ok((address, tcp, udp)),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.expect("a look-up without an address is an error of its own"))
}

fn local_address(socket: &SockRef<'_>) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
