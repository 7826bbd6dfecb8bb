//! A client that is updated once a frame.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_channel::Sender;
use darkrift_driver::proto::{ClientId, CloseReason, Received, SendError, SendMode, ToMessage};
use darkrift_driver::{Address, ConnectError};

use crate::frames::{Frames, Turner};
use crate::{ClientBuilder, Connection};

/// What happened to a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection is up.
    Connected(ClientId),
    /// It never came up. The last event of all.
    Failed(ConnectError),
    /// A message came, of either channel.
    Message(Received),
    /// The connection ended, and every message was taken. The last event of all.
    Closed(CloseReason),
}

/// A client that is updated once a frame.
///
/// Dropping it closes the connection; what was queued and the socket does not take at once is lost. To end in good
/// order, [`close`](Connection::close) and [`finish`](Self::finish).
#[derive(Debug)]
pub struct Client {
    turner: Turner<Event>,
    outcome: Arc<Outcome>,
}

/// How the connect ended: empty as long as it goes on, `None` where it failed.
type Outcome = OnceLock<Option<Connection>>;

impl Client {
    /// Connects with the default settings, and waits until the connection is up: 10 s at most.
    ///
    /// # Errors
    /// [`ConnectError`] says what failed; one that ran into a time limit names the phase, such as UDP being blocked.
    pub fn connect(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::connect_with(Self::builder(), address)
    }

    /// Connects with these settings, and waits until the connection is up or a limit has passed.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_with(builder: ClientBuilder, address: impl Into<Address>) -> Result<Self, ConnectError> {
        let mut client = Self::begin_with(builder, address)?;
        client.wait(Duration::MAX);
        match client.next_event() {
            Some(Event::Failed(error)) => Err(error),
            _ => Ok(client),
        }
    }

    /// Begins to connect with the default settings. The updates of the next frames go on with it, until
    /// [`Event::Connected`] or [`Event::Failed`] says how it ended. A host name is looked up in the first update, which
    /// may take a while; an address is not.
    ///
    /// # Errors
    /// When the system has nothing left to connect with.
    pub fn begin(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::begin_with(Self::builder(), address)
    }

    /// Begins to connect with these settings.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_with(builder: ClientBuilder, address: impl Into<Address>) -> Result<Self, ConnectError> {
        let (turner, give) = Turner::new().map_err(|source| ConnectError::EventQueue { source })?;
        let outcome = Arc::default();
        let task = run(builder, turner.frames.clone(), address.into(), Arc::clone(&outcome), give);
        turner.spawn(task).detach();
        Ok(Self { turner, outcome })
    }

    /// Settings for a connect: another UDP port, time limits, queue limits.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Moves what has come and what waits to leave; call it once a frame. It never waits, and does a bounded amount of
    /// work.
    pub fn update(&mut self) {
        self.turner.update();
    }

    /// The next of the events that [`update`](Self::update) or [`wait`](Self::wait) has brought.
    pub fn next_event(&mut self) -> Option<Event> {
        self.turner.next_event()
    }

    /// Sleeps until there is an event or `patience` has passed; for programs that have nothing else to do.
    pub fn wait(&mut self, patience: Duration) {
        self.turner.wait(patience);
    }

    /// Lets what was sent in this frame leave now, and not with the next update.
    pub fn flush(&mut self) {
        self.turner.flush();
    }

    /// Sends a message, as [`Connection::send`].
    ///
    /// # Errors
    /// As [`Connection::send`]; [`SendError::NotConnected`] before the connection is up, and [`SendError::Closed`] where it
    /// never came up.
    pub fn send<M: ToMessage + ?Sized>(&mut self, mode: SendMode, message: &M) -> Result<(), SendError> {
        let outcome = self.outcome.get().ok_or(SendError::NotConnected)?;
        outcome.as_ref().ok_or(SendError::Closed)?.send(mode, message)
    }

    /// The connection, once it is up, for everything else there is to ask of it.
    pub fn connection(&self) -> Option<&Connection> {
        self.outcome.get()?.as_ref()
    }

    /// Whether the connection is up.
    pub fn is_connected(&self) -> bool {
        self.connection().is_some_and(Connection::is_connected)
    }

    /// Closes the connection, and waits until everything queued has left and the peer has ended its side too, 2 s at most
    /// unless set otherwise. Events that are left are dropped.
    pub fn finish(self) {
        self.turner.events.close();
        if let Some(connection) = self.connection() {
            self.turner.block_on(connection.0.close());
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(connection) = self.connection() {
            connection.close();
        }
    }
}

/// Connects, and turns everything that happens into events. When nobody takes them it waits.
async fn run(
    builder: ClientBuilder,
    frames: Arc<Frames>,
    address: Address,
    outcome: Arc<Outcome>,
    events: Sender<Event>,
) {
    // A send fails only once the client is being dropped, and then everything ends.
    let connection = match builder.connect_on(frames, address).await {
        Ok(client) => Connection(client),
        Err(error) => {
            let _ = outcome.set(None);
            let _ = events.send(Event::Failed(error)).await;
            return;
        }
    };
    let _ = outcome.set(Some(connection.clone()));
    let _ = events.send(Event::Connected(connection.id())).await;
    while let Some(received) = connection.0.recv().await {
        if events.send(Event::Message(received)).await.is_err() {
            return;
        }
    }
    let _ = events.send(Event::Closed(connection.0.closed().await)).await;
}
