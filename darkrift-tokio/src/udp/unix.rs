//! A socket whose input alone is registered with the runtime.
//!
//! Of a socket that is registered for output as well, as tokio's own is, each datagram makes an event once the system has passed
//! it on, which wakes a thread for nothing.

use std::io;
use std::net::UdpSocket;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Received;

#[derive(Debug)]
pub(super) struct Socket {
    input: AsyncFd<UdpSocket>,
    /// Another handle of the same socket, registered for output: there while somebody waits until it takes more.
    output: Mutex<Option<AsyncFd<UdpSocket>>>,
}

impl Socket {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        Ok(Self { input: register(socket, Interest::READABLE)?, output: Mutex::new(None) })
    }

    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(&UdpSocket) -> io::Result<Received>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.input.poll_read_ready(cx))?;
            match receive(self.input.get_ref()) {
                Ok(Received { count, is_empty }) => {
                    if is_empty {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    pub(super) fn try_send(&self, send: impl FnOnce(&UdpSocket) -> io::Result<()>) -> io::Result<()> {
        send(self.input.get_ref())
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let registered = match &*output {
            Some(registered) => registered,
            None => output.insert(register(self.input.get_ref().try_clone()?, Interest::WRITABLE)?),
        };
        let result = ready!(registered.poll_write_ready(cx)).map(drop);
        *output = None;
        // A waker that was registered before may have gone with it, in the moment before it was to be woken.
        cx.waker().wake_by_ref();
        Poll::Ready(result)
    }
}

// What takes its place is `unsafe`, for descriptors that may be closed or others meanwhile; a socket's own are neither.
#[allow(deprecated)]
fn register(socket: UdpSocket, interest: Interest) -> io::Result<AsyncFd<UdpSocket>> {
    AsyncFd::with_interest(socket, interest)
}
