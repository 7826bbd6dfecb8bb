//! A server that is updated once a frame: for tests, tools and small games.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use darkrift_driver::proto::{ClientId, CloseReason, Received, SendError, SendMode, ToMessage};
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{Address, BindError, Broadcast, ServerStatistics};

use crate::client::EVENTS;
use crate::frames::{Frames, Turner};
use crate::{Connection, ServerBuilder};

/// What happened to a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client is there. It stays until it leaves, or [`Connection::close`].
    Connected(Connection),
    /// A message came from a client, of either channel.
    Message(Connection, Received),
    /// A client has left, and every message of its was taken.
    Disconnected(Connection, CloseReason),
}

/// A server that is updated once a frame.
///
/// Dropping it closes every connection; what the sockets do not take at once is lost. To end in good order,
/// [`finish`](Self::finish).
pub struct Server {
    turner: Turner,
    server: darkrift_driver::Server<Frames>,
    events: Receiver<ServerEvent>,
    finished: Arc<AtomicBool>,
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
        let mut turner = Turner::new().map_err(|source| BindError::EventQueue { source })?;
        let frames = turner.runtime();
        let server = turner.run_until(Box::pin(builder.bind_on(frames.clone(), address)))?;
        let (give, events) = async_channel::bounded(EVENTS);
        turner.spawn(accept(server.clone(), frames, give));
        Ok(Self { turner, server, events, finished: Arc::default() })
    }

    /// Settings for a server: the dialect, another UDP port, limits.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Moves what has come and what waits to leave; call it once a frame. It never waits, and does a bounded amount of
    /// work.
    pub fn update(&mut self) {
        self.turner.turn(Duration::ZERO);
    }

    /// The next of the events that the updates have brought.
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.events.try_recv().ok()
    }

    /// Sleeps until there is an event, something was done, or `patience` has passed; for programs that have nothing else
    /// to do. It may return without an event.
    pub fn wait(&mut self, patience: Duration) {
        self.turner.run();
        let patience = if self.events.is_empty() { patience } else { Duration::ZERO };
        self.turner.turn(patience);
    }

    /// Lets what was sent in this frame leave now, and not with the next update.
    pub fn flush(&mut self) {
        self.turner.run();
    }

    /// The client with this id, while it is connected.
    pub fn get(&self, id: ClientId) -> Option<Connection> {
        self.server.get(id).map(Connection)
    }

    /// Every client connected now, by ascending id.
    pub fn clients(&self) -> Vec<Connection> {
        self.server.clients().into_iter().map(Connection).collect()
    }

    /// How many clients are connected now.
    pub fn len(&self) -> usize {
        self.server.len()
    }

    /// Whether no client is connected now.
    pub fn is_empty(&self) -> bool {
        self.server.is_empty()
    }

    /// The TCP address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The UDP address that the server listens on.
    pub fn udp_addr(&self) -> SocketAddr {
        self.server.udp_addr()
    }

    /// What the server has counted since it began.
    pub fn statistics(&self) -> ServerStatistics {
        self.server.statistics()
    }

    /// Sends a message to every client. It is encoded once, however many there are.
    ///
    /// # Errors
    /// When the message cannot be encoded, or is longer than its channel carries; then nobody got it.
    pub fn broadcast<M: ToMessage + ?Sized>(
        &self,
        mode: SendMode,
        message: &M,
    ) -> Result<Broadcast, SendError> {
        self.server.broadcast(mode, message)
    }

    /// Sends a message to every client but one, most often the one it came from.
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    pub fn broadcast_except<M: ToMessage + ?Sized>(
        &self,
        except: ClientId,
        mode: SendMode,
        message: &M,
    ) -> Result<Broadcast, SendError> {
        self.server.broadcast_except(except, mode, message)
    }

    /// Begins to stop: accepts nobody any more, and closes every client. The next updates send what is queued and bring
    /// the last events, until it [`is_finished`](Self::is_finished).
    pub fn shutdown(&mut self) {
        let ended = self.server.shutdown();
        let finished = self.finished.clone();
        self.turner.spawn(async move {
            ended.await;
            finished.store(true, Ordering::Relaxed);
        });
    }

    /// Whether the server has stopped: every client is gone, and the ports are free.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }

    /// Stops, and waits until everything queued has left and the ports are free, 2 s at most unless set otherwise.
    /// Events that are left are dropped.
    pub fn finish(mut self) {
        self.events.close();
        let ended = self.server.shutdown();
        self.turner.run_until(Box::pin(ended));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown();
        self.turner.turn(Duration::ZERO);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Turns everything that happens into events. When nobody takes them it waits.
async fn accept(server: darkrift_driver::Server<Frames>, frames: Arc<Frames>, events: Sender<ServerEvent>) {
    while let Some(client) = server.accept().await {
        // A send fails only once the server is being dropped, and then everything ends.
        let connection = Connection(client);
        if events.send(ServerEvent::Connected(connection.clone())).await.is_err() {
            return;
        }
        frames.spawn(Box::pin(receive(connection, events.clone())));
    }
}

async fn receive(connection: Connection, events: Sender<ServerEvent>) {
    while let Some(received) = connection.0.recv().await {
        if events.send(ServerEvent::Message(connection.clone(), received)).await.is_err() {
            return;
        }
    }
    let reason = connection.0.closed().await;
    let _ = events.send(ServerEvent::Disconnected(connection, reason)).await;
}
