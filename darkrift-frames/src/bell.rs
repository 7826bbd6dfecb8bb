//! What ends a wait from another thread: a send or a close there has given a task something to do here.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Wake;

/// Nobody waits, and everything there is to do is known.
const AWAKE: u8 = 0;
/// Nobody waits, and there is more to do.
const RUNG: u8 = 1;
/// The loop's thread waits, for `socket` among others.
const ASLEEP: u8 = 2;

#[derive(Debug)]
pub(crate) struct Bell {
    /// Connected to itself: what every system can wait for together with other sockets.
    socket: UdpSocket,
    state: AtomicU8,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let addresses: [SocketAddr; 2] = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        let socket = UdpSocket::bind(&addresses[..])?;
        socket.connect(socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Arc::new(Self { socket, state: AtomicU8::new(AWAKE) }))
    }

    pub(crate) const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// The loop is about to do everything there is to do.
    pub(crate) fn reset(&self) {
        self.state.store(AWAKE, Ordering::SeqCst);
    }

    /// Whether the loop may wait. From here on, until it has woken, a ring ends the wait.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The loop has waited.
    pub(crate) fn wake_up(&self) {
        self.reset();
        while self.socket.recv(&mut [0]).is_ok() {}
    }

    /// Ends the wait if there is one: the loop waits for something that it does not know of.
    pub(crate) fn disturb(&self) {
        if self.state.compare_exchange(ASLEEP, RUNG, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.ring();
        }
    }

    fn ring(&self) {
        // It fails only where enough of them are there.
        let _ = self.socket.send(&[0]);
    }
}

/// There is something to do, which the loop does before it waits.
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(RUNG, Ordering::SeqCst) == ASLEEP {
            self.ring();
        }
    }
}
