//! Telling whoever waits that something has changed, and waiting for it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use event_listener::{Event as Notification, EventListener};

/// Notifies whoever listens. Where nobody does, as with most connections, a notification would still allocate.
///
/// Who begins to listen and looks at the state behind that misses nothing: what he would be told of was changed under
/// the lock before.
pub(crate) fn wake_listeners(notification: &Notification) {
    if notification.total_listeners() > 0 {
        notification.notify(usize::MAX);
    }
}

/// Waits until this is so, of which a notification tells.
pub(crate) async fn wait_until(notification: &Notification, is_so: impl Fn() -> bool) {
    wait_for(notification, || is_so().then_some(())).await;
}

/// Waits until this gives something, of which a notification tells.
pub(crate) fn wait_for<T>(
    notification: &Notification,
    mut look: impl FnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let mut listener = None;
    poll_fn(move |cx| {
        loop {
            // Most often there is nothing to wait for. A change before the listener was there is seen when this is done once
            // more, and a later one wakes it.
            if let Some(found) = look() {
                return Poll::Ready(found);
            }
            ready!(listen(notification, &mut listener, cx));
        }
    })
}

/// Ready when there is to be another look: a listener has just been made, or was told of a change.
#[cold]
#[inline(never)]
fn listen(
    notification: &Notification,
    listener: &mut Option<EventListener>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if let Some(listening) = listener {
        ready!(Pin::new(listening).poll(cx));
        *listener = None;
    } else {
        *listener = Some(notification.listen());
    }
    Poll::Ready(())
}

/// Waits for a notification beside something that is polled often.
#[derive(Debug)]
pub(crate) struct Watch {
    listener: EventListener,
    /// Whom the listener wakes.
    known: Option<Waker>,
}

impl Watch {
    /// Of what is notified from now on.
    pub(crate) fn new(notification: &Notification) -> Self {
        Self { listener: notification.listen(), known: None }
    }

    /// Sees to it that the waker is woken by the notification, of which a caller that knows what it is about need hear nothing
    /// more: pending, or ready once notified.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.known.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.known = Some(cx.waker().clone());
        Pin::new(&mut self.listener).poll(cx)
    }
}
