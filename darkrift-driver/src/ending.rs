//! The end of a connection or of a server, which has begun and may be waited for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What [`Client::close`](crate::Client::close) and [`Server::shutdown`](crate::Server::shutdown) give: a future that is
/// ready once the end is complete. It need not be awaited, since the end goes on by itself.
///
/// # Cancel safety
/// Dropping it has no effect.
pub struct Ending(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Ending {
    pub(crate) fn new(end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(end))
    }
}

impl Future for Ending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}
