//! A server's UDP socket, which all its connections send through.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

use super::Running;
use crate::datagrams::refuses_source;
use crate::runtime::{RecvMeta, Transmit, UdpSocket};

/// Many connections send through it, and a socket wakes only one waker.
#[derive(Debug)]
pub(super) struct SharedUdp {
    socket: Box<dyn UdpSocket>,
    waiting: Arc<WaitingSenders>,
    /// Behind the socket: once this is gone, the port is free.
    _running: Running,
}

/// The connections that wait until the socket may be written.
#[derive(Debug, Default)]
struct WaitingSenders(Mutex<Vec<Waker>>);

impl SharedUdp {
    /// The socket of a server, whose shutdown waits until nobody has this any more.
    pub(super) fn new(socket: Box<dyn UdpSocket>, running: Running) -> Arc<Self> {
        Arc::new(Self { socket, waiting: Arc::default(), _running: running })
    }

    /// Sends one datagram from the address `source`, which becomes `None` where the system refuses it and chooses one
    /// itself.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes no more now; anything else is of this datagram alone.
    pub(super) fn send_lone(
        &self,
        contents: &[u8],
        destination: SocketAddr,
        source: &mut Option<IpAddr>,
    ) -> io::Result<()> {
        loop {
            let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: *source };
            match self.socket.try_send(&transmit) {
                Err(error) if source.is_some() && refuses_source(&error) => *source = None,
                result => return result,
            }
        }
    }
}

impl UdpSocket for SharedUdp {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_receive(cx, buffers, meta)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    /// Until it is ready, the waker is kept beside all the others.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        {
            let mut waiting = self.waiting.0.lock();
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
        }
        self.socket.poll_writable(&mut Context::from_waker(&Waker::from(self.waiting.clone())))
    }

    fn max_segments(&self) -> usize {
        self.socket.max_segments()
    }
}

impl Wake for WaitingSenders {
    fn wake(self: Arc<Self>) {
        let waiting = std::mem::take(&mut *self.0.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}
