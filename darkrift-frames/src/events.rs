//! How a loop hears of what its tasks have seen.

use async_channel::{Receiver, SendError, Sender};
use darkrift_driver::proto::{CloseReason, Received};
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{Client, Server};

use crate::{FrameLoop, Frames};

/// How many events wait to be taken at most; past it the peers are not read, and TCP slows them down.
const EVENTS: usize = 1024;

/// Where the tasks of a loop send what it has to know; made by [`FrameLoop::events`](crate::FrameLoop::events). Clones
/// send to the same loop.
#[derive(Debug)]
pub struct EventSender<E>(Sender<E>);

impl<E> EventSender<E> {
    pub(crate) fn new() -> (Self, Receiver<E>) {
        let (sender, events) = async_channel::bounded(EVENTS);
        (Self(sender), events)
    }

    /// Sends an event. It waits while 1,024 have not been taken.
    ///
    /// # Errors
    /// Gives the event back where nobody takes events any more: the loop has finished, or is gone.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that the event was not sent.
    pub async fn send(&self, event: E) -> Result<(), E> {
        self.0.send(event).await.map_err(SendError::into_inner)
    }

    /// Sends everything that comes on a connection: each message as the event that `message` makes of it, and after the
    /// last one the event that `closed` makes of the reason. When nobody takes them it waits, and so does the peer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Dropping the future may lose the one message that waits to be taken.
    pub async fn forward(
        &self,
        client: &Client<Frames>,
        message: impl Fn(Received) -> E,
        closed: impl FnOnce(CloseReason) -> E,
    ) -> Result<(), E> {
        while let Some(received) = client.recv().await {
            self.send(message(received)).await?;
        }
        self.send(closed(client.closed().await)).await
    }
}

impl<E> Clone for EventSender<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Send + 'static> FrameLoop<E> {
    /// Accepts the clients of a server on this loop's runtime, in the background and until it shuts down, and sends
    /// everything that happens to them: first the event that `connected` makes of a client, and then what comes, as
    /// [`EventSender::forward`]. When nobody takes the events it waits.
    ///
    /// It holds a handle of the server's, so dropping the others does not stop that; [`Server::shutdown`] does.
    pub fn accept(
        &self,
        server: Server<Frames>,
        connected: fn(Client<Frames>) -> E,
        message: fn(Client<Frames>, Received) -> E,
        closed: fn(Client<Frames>, CloseReason) -> E,
    ) {
        let (runtime, events) = (self.runtime(), self.events());
        let accepting = async move {
            while let Some(client) = server.accept().await {
                events.send(connected(client.clone())).await?;
                let events = events.clone();
                runtime.spawn(Box::pin(async move {
                    let message = |received| message(client.clone(), received);
                    let closed = |reason| closed(client.clone(), reason);
                    // It fails only where nobody takes events any more, and then everything ends.
                    let _ = events.forward(&client, message, closed).await;
                }));
            }
            Ok::<_, E>(())
        };
        self.spawn(accepting).detach();
    }
}
