//! What a scenario asks of an adapter: the same client and server, whatever runs them.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_driver::proto::{
    ClientConfig, ClientId, CloseReason, EncodedMessage, Message, Received, RoundTrip, SendError, SendMode,
    ServerConfig, Statistics,
};
use darkrift_driver::{BindError, ConnectError, ServerStatistics};

/// What runs a scenario and its tasks.
pub trait Executor: Sized + Send + Sync + 'static {
    /// Runs a scenario to its end.
    fn block_on<T>(scenario: impl Future<Output = T>) -> T;

    /// Runs a task beside the scenario.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Waits.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send;
}

/// A runtime, or the lack of one, with its client and its server.
pub trait Adapter: Executor {
    /// Its client's side of a connection, and its server's.
    type Client: Client;
    /// Its server.
    type Server: Server<Client = Self::Client>;

    /// Connects to a server.
    fn connect(
        to: SocketAddr,
        settings: ClientSettings,
    ) -> impl Future<Output = Result<Self::Client, ConnectError>> + Send;

    /// Begins to listen.
    fn bind(
        at: SocketAddr,
        settings: ServerSettings,
    ) -> impl Future<Output = Result<Self::Server, BindError>> + Send;
}

/// One connection, of either side. The methods are those of [`darkrift_driver::Client`].
#[allow(missing_docs, reason = "they are the driver's")]
pub trait Client: Clone + Send + Sync + 'static {
    fn send(&self, mode: SendMode, message: &Message) -> impl Future<Output = Result<(), SendError>> + Send;
    fn send_encoded(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
    fn try_send(&self, mode: SendMode, message: &Message) -> Result<(), SendError>;
    fn ping(&self, mode: SendMode, message: &Message) -> impl Future<Output = Result<u16, SendError>> + Send;
    fn acknowledge(
        &self,
        ping: &Received,
        message: &Message,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
    fn recv(&self) -> impl Future<Output = Option<Received>> + Send;
    fn close(&self) -> impl Future<Output = ()> + Send;
    fn closed(&self) -> impl Future<Output = CloseReason> + Send;
    fn is_connected(&self) -> bool;
    fn id(&self) -> ClientId;
    fn round_trip(&self) -> Option<RoundTrip>;
    fn statistics(&self) -> Statistics;
    fn strikes(&self) -> u32;
}

/// A server. The methods are those of [`darkrift_driver::Server`].
#[allow(missing_docs, reason = "they are the driver's")]
pub trait Server: Clone + Send + Sync + 'static {
    type Client: Client;

    fn accept(&self) -> impl Future<Output = Option<Self::Client>> + Send;
    fn connected(&self) -> usize;
    fn tcp_address(&self) -> SocketAddr;
    fn udp_address(&self) -> SocketAddr;
    fn statistics(&self) -> ServerStatistics;
    fn shutdown(&self) -> impl Future<Output = ()> + Send;
}

/// How to connect.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClientSettings {
    /// The server's UDP port, where it is another than its TCP port.
    pub udp_port: Option<u16>,
    /// The rest.
    pub config: ClientConfig,
}

impl ClientSettings {
    /// The default settings with a change.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut settings = Self::default();
        change(&mut settings);
        settings
    }
}

/// How to listen.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerSettings {
    /// The UDP port, where it is another than the TCP port.
    pub udp_port: Option<u16>,
    /// The rest.
    pub config: ServerConfig,
}

impl ServerSettings {
    /// The default settings with a change.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut settings = Self::default();
        change(&mut settings);
        settings
    }
}
