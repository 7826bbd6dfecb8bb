//! A socket whose input alone is registered with the runtime.
//!
//! Of a socket that is registered for output as well, as tokio's own is, each datagram makes an event once the system has passed
//! it on, which wakes a thread for nothing.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::Received;

/// How many datagrams leave before a socket that was full counts as one that is not: to register it takes three system calls,
/// and who found it full once soon does again.
const KEPT: u32 = 1024;

#[derive(Debug)]
pub(super) struct Socket {
    input: AsyncFd<UdpSocket>,
    /// There from when somebody has to wait until the socket has taken everything for long.
    output: Mutex<Option<Output>>,
    /// How many more datagrams leave before `output` goes; 0 without one.
    kept: AtomicU32,
    /// Whoever sends may be on a thread of another runtime, or of none.
    runtime: Handle,
}

/// What tells that the socket takes output again.
#[derive(Debug)]
struct Output {
    /// Another handle of the same socket, registered for output.
    registered: AsyncFd<UdpSocket>,
    /// Who was the last to ask.
    waker: Waker,
}

impl Socket {
    /// # Panics
    /// Outside a runtime.
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        Ok(Self {
            input: register(socket, Interest::READABLE)?,
            output: Mutex::new(None),
            kept: AtomicU32::new(0),
            runtime: Handle::current(),
        })
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
        send(self.input.get_ref())?;
        if self.kept.load(Ordering::Relaxed) > 0 {
            self.took_one();
        }
        Ok(())
    }

    /// The socket takes output, and did not before.
    #[cold]
    fn took_one(&self) {
        let one_less = |kept: u32| kept.checked_sub(1);
        if self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) == Ok(1) {
            let output = self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Whoever has not been woken yet asks anew.
            if let Some(Output { registered, waker }) = output {
                drop(registered);
                waker.wake();
            }
        }
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let Output { registered, waker } = match &mut *output {
            Some(waiting) => waiting,
            none => {
                let _runtime = self.runtime.enter();
                let registered = register(self.input.get_ref().try_clone()?, Interest::WRITABLE)?;
                none.insert(Output { registered, waker: cx.waker().clone() })
            }
        };
        waker.clone_from(cx.waker());
        self.kept.store(KEPT, Ordering::Relaxed);
        let result = ready!(registered.poll_write_ready(cx)).map(drop);
        *output = None;
        self.kept.store(0, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn whoever_waits_for_output_may_be_outside_the_runtime_and_is_woken_when_that_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let socket = runtime.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            Socket::new(socket).unwrap()
        });
        let woken = Arc::<Woken>::default();
        // The runtime is not run, so it cannot tell.
        let waker = Waker::from(woken.clone());
        assert!(socket.poll_writable(&mut Context::from_waker(&waker)).is_pending());
        let is_registered = || socket.output.lock().unwrap().is_some();
        for _ in 1..KEPT {
            socket.try_send(|_| Ok(())).unwrap();
        }
        assert_eq!((is_registered(), woken.0.load(Ordering::SeqCst)), (true, 0));
        for _ in 0..2 {
            socket.try_send(|_| Ok(())).unwrap();
            assert_eq!((is_registered(), woken.0.load(Ordering::SeqCst)), (false, 1));
        }
    }
}
