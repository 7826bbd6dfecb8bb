//! The asynchronous client and server as the scenarios see them: the same for each runtime.

use std::future::Future;
use std::net::SocketAddr;

use darkrift_driver::proto::{
    ClientId, CloseReason, EncodedMessage, Message, Received, RoundTrip, SendError, SendMode, Statistics,
};
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{ClientBuilder, ServerBuilder, ServerStatistics};

use crate::{Client, ClientSettings, Server, ServerSettings};

impl ClientSettings {
    /// The same for the driver.
    pub fn builder<R: Runtime>(self) -> ClientBuilder<R> {
        let mut builder = ClientBuilder::new()
            .connect_timeout(self.config.connect_timeout)
            .handshake_timeout(self.config.handshake_timeout)
            .token_interval(self.config.token_interval)
            .max_frame(self.config.max_frame)
            .limits(|limits| *limits = self.config.limits);
        if let Some(port) = self.udp_port {
            builder = builder.udp_port(port);
        }
        builder
    }
}

impl ServerSettings {
    /// The same for the driver.
    pub fn builder<R: Runtime>(self) -> ServerBuilder<R> {
        let config = self.config;
        let mut builder = ServerBuilder::new()
            .dialect(config.dialect)
            .handshake_timeout(config.handshake_timeout)
            .max_frame(config.max_frame)
            .max_strikes(config.max_strikes)
            .strike_weights(config.strike_weights)
            .max_pending(config.max_pending, config.max_pending_per_address)
            .max_clients(config.max_clients)
            .limits(|limits| *limits = config.limits);
        if let Some(port) = self.udp_port {
            builder = builder.udp_port(port);
        }
        builder
    }
}

impl<R: Runtime + Default> Client for darkrift_driver::Client<R> {
    fn send(&self, mode: SendMode, message: &Message) -> impl Future<Output = Result<(), SendError>> + Send {
        self.send(mode, message)
    }

    fn send_encoded(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.send_encoded(mode, message)
    }

    fn try_send(&self, mode: SendMode, message: &Message) -> Result<(), SendError> {
        self.try_send(mode, message)
    }

    fn ping(&self, mode: SendMode, message: &Message) -> impl Future<Output = Result<u16, SendError>> + Send {
        self.ping(mode, message)
    }

    fn acknowledge(
        &self,
        ping: &Received,
        message: &Message,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.acknowledge(ping, message)
    }

    fn recv(&self) -> impl Future<Output = Option<Received>> + Send {
        self.recv()
    }

    fn close(&self) -> impl Future<Output = ()> + Send {
        self.close()
    }

    fn closed(&self) -> impl Future<Output = CloseReason> + Send {
        self.closed()
    }

    fn is_connected(&self) -> bool {
        self.is_connected()
    }

    fn id(&self) -> ClientId {
        self.id()
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trip()
    }

    fn statistics(&self) -> Statistics {
        self.statistics()
    }

    fn strikes(&self) -> u32 {
        self.strikes()
    }
}

impl<R: Runtime + Default> Server for darkrift_driver::Server<R> {
    type Client = darkrift_driver::Client<R>;

    fn accept(&self) -> impl Future<Output = Option<Self::Client>> + Send {
        self.accept()
    }

    fn connected(&self) -> usize {
        self.len()
    }

    fn tcp_address(&self) -> SocketAddr {
        self.local_addr()
    }

    fn udp_address(&self) -> SocketAddr {
        self.udp_addr()
    }

    fn statistics(&self) -> ServerStatistics {
        self.statistics()
    }

    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        self.shutdown()
    }
}
