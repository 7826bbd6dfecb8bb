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
    wait_for(notification, || is_so().then_some(())).await;
}

/// Waits until this gives something, of which a notification tells.
pub(crate) async fn wait_for<T>(notification: &Notification, mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        // Most often there is nothing to wait for.
        if let Some(found) = look() {
            return found;
        }
        let listener = notification.listen();
        // A change before the listener was there is seen now, and a later one wakes it.
        if let Some(found) = look() {
            return found;
        }
        listener.await;
    }
}
