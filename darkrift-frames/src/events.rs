//! How a loop hears of what its tasks have seen.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use darkrift_driver::proto::{CloseReason, Received};
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{Client, Server};

use crate::queue::{FEW, Lane, Queue};
use crate::{FrameLoop, Frames};

/// Where the tasks of a loop send what it has to know; made by [`FrameLoop::events`](crate::FrameLoop::events).
///
/// What is sent through one sender comes in that order. Several take turns, 16 events each, so that whoever has one event
/// does not wait behind all of another's; a clone is another sender to the same loop.
///
/// What waits to be taken is bounded for each loop: 2,048 messages that are [`forward`](Self::forward)ed, with 1 MiB of
/// payload together, and 1,024 other events. A sender of which no message waits may always add one. Otherwise it takes no more
/// of the messages' bounds than it leaves for others: half, where it is alone. One message of each sender may come on top:
/// room is found before it is known how long the next one is, and when it comes.
#[derive(Debug)]
pub struct EventSender<E> {
    queue: Arc<Queue<E>>,
    lane: Arc<Lane>,
}

impl<E> EventSender<E> {
    pub(crate) fn new(queue: &Arc<Queue<E>>) -> Self {
        Self { queue: queue.clone(), lane: Arc::default() }
    }

    /// Sends an event. It waits while 1,024 that were sent so have not been taken.
    ///
    /// # Errors
    /// Gives the event back where nobody takes events any more: the loop has finished, or is gone.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready means that the event was not sent.
    pub async fn send(&self, event: E) -> Result<(), E> {
        self.queue.add(&self.lane, event).await
    }

    /// Sends everything that comes on a connection: each message as the event that `message` makes of it, and after the
    /// last one the event that `closed` makes of the reason. When nobody takes them it waits, and so does the peer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it takes a message from the connection only when there is room for its event, and
    /// sends that at once. Another forward goes on where this one was dropped, behind the end, too.
    pub async fn forward(
        &self,
        client: &Client<Frames>,
        message: impl Fn(Received) -> E,
        closed: impl FnOnce(CloseReason) -> E,
    ) -> Result<(), E> {
        let mut turn = 0..FEW;
        loop {
            self.queue.room(&self.lane).await;
            let Some(received) = client.recv().await else { break };
            let bytes = received.payload().len();
            self.queue.add_message(&self.lane, message(received), bytes)?;
            if turn.next().is_none() {
                turn = 0..FEW;
                yield_now().await;
            }
        }
        self.send(closed(client.closed().await)).await
    }
}

impl<E> Clone for EventSender<E> {
    fn clone(&self) -> Self {
        Self::new(&self.queue)
    }
}

/// Lets the other tasks run first.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
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
                let events = events.clone();
                events.send(connected(client.clone())).await?;
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
