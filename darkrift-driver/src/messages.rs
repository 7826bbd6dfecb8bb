//! A connection's messages as the types of a set.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use darkrift_proto::{DecodeError, MessageSet, Received};
use futures_core::Stream;

use crate::handle::Handle;
use crate::receiver::Receiver;

/// The messages of a connection as the types of `S`; made by [`Client::messages`](crate::Client::messages).
///
/// A message that is none of the set, or whose payload is not what its tag says, is given back whole with the error;
/// the stream goes on. It ends when the connection has closed and every message was taken.
///
/// What only measures the round trip is passed over, as [`Received::decode_set`] tells it.
///
/// It keeps the connection open, as a clone of the [`Client`](crate::Client) does.
pub struct Messages<S> {
    receiver: Receiver<Arc<Handle>>,
    set: PhantomData<fn() -> S>,
}

/// A message that could not be read as the set it should be of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message with tag {} could not be read: {error}", message.tag())]
#[non_exhaustive]
pub struct Undecodable {
    /// What was wrong with it.
    #[source]
    pub error: DecodeError,
    /// The message, as it came.
    pub message: Received,
}

impl<S: MessageSet> Messages<S> {
    pub(crate) const fn new(receiver: Receiver<Arc<Handle>>) -> Self {
        Self { receiver, set: PhantomData }
    }

    /// The next message; `None` once the connection has closed and every message was taken.
    ///
    /// # Errors
    /// [`Undecodable`] gives a message back that is not of the set; the next call goes on.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<S, Undecodable>> {
        let place = InLine(&mut self.receiver);
        poll_fn(|cx| Self::poll(|| place.0.poll(cx))).await
    }

    fn poll(mut receive: impl FnMut() -> Poll<Option<Received>>) -> Poll<Option<Result<S, Undecodable>>> {
        loop {
            let Some(received) = ready!(receive()) else { return Poll::Ready(None) };
            match received.decode_set() {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(Undecodable { error, message: received }))),
            }
        }
    }
}

impl<S: MessageSet> Stream for Messages<S> {
    type Item = Result<S, Undecodable>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let receiver = &mut self.get_mut().receiver;
        Self::poll(|| receiver.poll_kept(cx))
    }
}

/// Waits in line, and leaves it when it is dropped: who waits for something else now is not to be woken in others' stead.
struct InLine<'a>(&'a mut Receiver<Arc<Handle>>);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<S> fmt::Debug for Messages<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}
