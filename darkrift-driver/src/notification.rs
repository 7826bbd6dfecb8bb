//! Telling whoever waits that something has changed, and waiting for it.

use event_listener::Event as Notification;

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
    loop {
        // Before the look, so that a change behind it is not missed.
        let listener = notification.listen();
        if is_so() {
            return;
        }
        listener.await;
    }
}
