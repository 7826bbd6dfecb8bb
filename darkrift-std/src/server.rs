//! A server that is updated once a frame: for tests, tools and small games.

use std::borrow::Borrow;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_driver::proto::{ClientId, CloseReason, Received, SendError, SendMode, ToMessage};
use darkrift_driver::{Address, BindError, Broadcast, ServerStatistics};
use darkrift_frames::{FrameLoop, Frames, Task};

use crate::{Connection, ServerBuilder};

/// What happened to a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client is there. It stays until it leaves, or [`Connection::close`].
    Connected(Connection),
    /// A message came from a client, of either channel.
    Message(Connection, Received),
    /// A client has left, and every message of its was taken. What was sent to it before a [`Connection::close`] leaves in
    /// further updates, or in [`Server::finish`].
    Disconnected(Connection, CloseReason),
}

/// A server that is updated once a frame.
///
/// Dropping it closes every connection; what the sockets do not take at once is lost. To end in good order,
/// [`finish`](Self::finish).
#[derive(Debug)]
#[must_use = "a server that is dropped shuts down"]
pub struct Server {
    frame_loop: FrameLoop<ServerEvent>,
    server: darkrift_driver::Server<Frames>,
    shutdown: Option<Task<()>>,
}

impl Server {
    /// Listens on a TCP port and the UDP port of the same number, with the default settings. Port 0 takes any free
    /// one; see [`local_addr`](Self::local_addr). A host name is looked up, which may take a while.
    ///
    /// # Errors
    /// [`BindError`] says which port could not be taken and why.
    pub fn bind(address: impl Into<Address>) -> Result<Self, BindError> {
        Self::bind_with(Self::builder(), address)
    }

    /// Listens with these settings.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_with(builder: ServerBuilder, address: impl Into<Address>) -> Result<Self, BindError> {
        let mut frame_loop = FrameLoop::new().map_err(|source| BindError::EventQueue { source })?;
        let server = frame_loop.block_on(builder.bind_on(frame_loop.runtime(), address))?;
        frame_loop.accept(
            server.clone(),
            |client| ServerEvent::Connected(Connection(client)),
            |client, received| ServerEvent::Message(Connection(client), received),
            |client, reason| ServerEvent::Disconnected(Connection(client), reason),
        );
        Ok(Self { frame_loop, server, shutdown: None })
    }

    /// Settings for a server: the dialect, another UDP port, limits.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    delegate! {
        /// Moves what has come and what waits to leave, as [`Client::update`](crate::Client::update).
        pub fn update(&mut self) = self.frame_loop.update;

        /// The next of the events that `update` or `wait` has brought.
        pub fn next_event(&mut self) -> Option<ServerEvent> = self.frame_loop.next_event;

        /// Sleeps until there is an event, as [`Client::wait`](crate::Client::wait).
        pub fn wait(&mut self, patience: Duration) = self.frame_loop.wait;

        /// Lets what was sent leave now, as [`Client::flush`](crate::Client::flush).
        pub fn flush(&mut self) = self.frame_loop.flush;

        /// How many clients are connected now.
        pub fn len(&self) -> usize = self.server.len;

        /// Whether no client is connected now.
        pub fn is_empty(&self) -> bool = self.server.is_empty;

        /// The TCP address that the server listens on.
        pub fn local_addr(&self) -> SocketAddr = self.server.local_addr;

        /// The UDP address that the server listens on.
        pub fn udp_addr(&self) -> SocketAddr = self.server.udp_addr;

        /// What the server has counted since it began.
        pub fn statistics(&self) -> ServerStatistics = self.server.statistics;

        /// Sends a message to every client, also to those whose [`ServerEvent::Connected`] was not taken yet. It is encoded
        /// once, however many there are.
        ///
        /// # Errors
        /// When the message cannot be encoded, or is longer than its channel carries; then nobody got it.
        pub fn broadcast<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M)
            -> Result<Broadcast, SendError> = self.server.broadcast;

        /// Sends a message to every client but one, most often the one it came from.
        ///
        /// # Errors
        /// As [`broadcast`](Self::broadcast).
        pub fn broadcast_except<M: ToMessage + ?Sized>(&self, except: ClientId, mode: SendMode, message: &M)
            -> Result<Broadcast, SendError> = self.server.broadcast_except;

        /// Sends a message to a group of clients, such as those in a room, by their ids. It is encoded once, however many
        /// there are. Whoever is not connected any more is passed over. Of an id that was kept as a number,
        /// [`ClientId::new`] makes one again.
        ///
        /// # Errors
        /// As [`broadcast`](Self::broadcast).
        pub fn broadcast_to<M: ToMessage + ?Sized>(&self, group: impl IntoIterator<Item: Borrow<ClientId>>,
            mode: SendMode, message: &M) -> Result<Broadcast, SendError> = self.server.broadcast_to;
    }

    /// The client with this id, while it is connected. Of an id that was kept as a number, [`ClientId::new`] makes one again.
    pub fn get(&self, id: ClientId) -> Option<Connection> {
        self.server.get(id).map(Connection)
    }

    /// Every client connected now, by ascending id.
    pub fn clients(&self) -> Vec<Connection> {
        self.server.clients().into_iter().map(Connection).collect()
    }

    /// Begins to stop: accepts nobody any more, and closes every client. The next updates send what is queued and bring
    /// the last events, until it [`is_finished`](Self::is_finished).
    pub fn shutdown(&mut self) {
        self.shutdown.get_or_insert_with(|| self.frame_loop.spawn(self.server.shutdown()));
    }

    /// Whether the server has stopped: every client is gone, and the ports are free.
    pub fn is_finished(&self) -> bool {
        self.shutdown.as_ref().is_some_and(Task::is_finished)
    }

    /// Stops, and waits until everything queued has left and the ports are free, 2 s at most unless set otherwise: also for
    /// clients that were closed before. Events that are left are dropped.
    pub fn finish(mut self) {
        self.frame_loop.finish(self.server.shutdown());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown();
    }
}
