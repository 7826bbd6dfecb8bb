//! A client that is updated once a frame.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use darkrift_driver::proto::{ClientId, CloseReason, Received, RoundTrip, SendError, SendMode, ToMessage};
use darkrift_driver::{Address, ConnectError};
use darkrift_frames::{FrameLoop, Task};

use crate::{ClientBuilder, Connection};

/// What happened to a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection is up. The first event of all, behind [`Client::connect`] as behind [`Client::begin`].
    Connected(ClientId),
    /// It never came up. The last event of all.
    Failed(ConnectError),
    /// A message came, of either channel.
    Message(Received),
    /// The connection ended, and every message was taken. The last event of all. What was sent before a
    /// [`close`](Connection::close) may be still on its way: [`finish`](Client::finish) waits for it.
    Closed(CloseReason),
}

/// A client that is updated once a frame.
///
/// Dropping it closes the connection; what was queued and the socket does not take at once is lost. To end in good
/// order, [`close`](Connection::close) and [`finish`](Self::finish).
#[derive(Debug)]
#[must_use = "a client that is dropped disconnects"]
pub struct Client {
    frame_loop: FrameLoop<Event>,
    /// There once it is up.
    connection: Arc<OnceLock<Connection>>,
    /// Connects, and then turns everything that happens into events. When nobody takes them it waits.
    task: Task<Result<(), Event>>,
}

impl Client {
    /// Connects with the default settings, and waits until the connection is up: 10 s at most. The thread does nothing else
    /// meanwhile: where it is the one that updates the [`Server`](crate::Server) to connect to, that cannot answer, and all of
    /// the time passes. There, [`begin`](Self::begin). Behind either, [`Event::Connected`]
    /// is the first event.
    ///
    /// # Errors
    /// [`ConnectError`] says what failed; one that ran into a time limit names the phase, such as UDP being blocked.
    pub fn connect(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::connect_with(Self::builder(), address)
    }

    /// Connects with these settings, and waits until the connection is up or a limit has passed, as
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_with(builder: ClientBuilder, address: impl Into<Address>) -> Result<Self, ConnectError> {
        let mut client = Self::begin_with(builder, address)?;
        client.wait(Duration::MAX);
        // The event that says that it is up stays, so that a loop begins alike whichever way it has connected.
        if client.connection().is_none() {
            if let Some(Event::Failed(error)) = client.next_event() {
                return Err(error);
            }
        }
        Ok(client)
    }

    /// Begins to connect with the default settings. The updates of the next frames go on with it, until
    /// [`Event::Connected`] or [`Event::Failed`] says how it ended. A host name is looked up meanwhile, on a thread that ends
    /// with it, so that no update waits for a name server; an address is not looked up at all.
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
        let frame_loop = FrameLoop::new().map_err(|source| ConnectError::EventQueue { source })?;
        let connect = builder.connect_on(frame_loop.runtime(), address.into());
        let connection = Arc::new(OnceLock::new());
        let (slot, events) = (connection.clone(), frame_loop.events());
        let task = frame_loop.spawn(async move {
            match connect.await {
                Ok(client) => {
                    let connection = slot.get_or_init(|| Connection(client));
                    events.send(Event::Connected(connection.id())).await?;
                    events.forward(&connection.0, Event::Message, Event::Closed).await
                }
                Err(error) => events.send(Event::Failed(error)).await,
            }
        });
        Ok(Self { frame_loop, connection, task })
    }

    /// Settings for a connect: another UDP port, time limits, queue limits.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    delegate! {
        /// Moves what has come and what waits to leave; call it once a frame. It never waits, and takes what comes for
        /// about 4 ms: the rest is taken in the next frame. What was sent in this frame leaves in any case, as far as the
        /// sockets take it.
        pub fn update(&mut self) = self.frame_loop.update;

        /// The next of the events that [`update`](Self::update) or [`wait`](Self::wait) has brought.
        pub fn next_event(&mut self) -> Option<Event> = self.frame_loop.next_event;

        /// Sleeps until there is an event or `patience` has passed; for programs that have nothing else to do.
        pub fn wait(&mut self, patience: Duration) = self.frame_loop.wait;

        /// Lets what was sent in this frame leave now, and not with the next update.
        pub fn flush(&mut self) = self.frame_loop.flush;

        /// The connection, once it is up, for everything else there is to ask of it.
        pub fn connection(&self) -> Option<&Connection> = self.connection.get;
    }

    /// Sends a message, as [`Connection::send`].
    ///
    /// # Errors
    /// As [`Connection::send`]; [`SendError::NotConnected`] before the connection is up, and [`SendError::Closed`] where it
    /// never came up.
    pub fn send<M: ToMessage + ?Sized>(&mut self, mode: SendMode, message: &M) -> Result<(), SendError> {
        self.up()?.send(mode, message)
    }

    /// Sends a message that asks to be acknowledged, as [`Connection::ping`].
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn ping<M: ToMessage + ?Sized>(&mut self, mode: SendMode, message: &M) -> Result<u16, SendError> {
        self.up()?.ping(mode, message)
    }

    /// The connection, or why there is none to send on.
    fn up(&self) -> Result<&Connection, SendError> {
        let refusal = || if self.task.is_finished() { SendError::Closed } else { SendError::NotConnected };
        self.connection().ok_or_else(refusal)
    }

    /// The round-trip times that pings have measured, as [`Connection::round_trip`].
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.connection()?.round_trip()
    }

    /// The client's id, which the server gave it; `None` before the connection is up.
    pub fn id(&self) -> Option<ClientId> {
        self.connection().map(Connection::id)
    }

    /// Whether the connection is up.
    pub fn is_connected(&self) -> bool {
        self.connection().is_some_and(Connection::is_connected)
    }

    /// Closes the connection unless it is closed, and waits until everything queued has left and the peer has ended its side
    /// too, 2 s at most unless set otherwise; behind [`Event::Closed`], too. Events that are left are dropped.
    pub fn finish(mut self) {
        if let Some(connection) = self.connection().cloned() {
            self.frame_loop.finish(connection.0.close());
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection().into_iter().for_each(Connection::close);
    }
}
