//! A server's UDP socket, which all its connections send through.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Whether an acknowledgement waits for the socket, and everybody else behind it.
    is_kept: AtomicBool,
    /// Behind the socket: once this is gone, the port is free.
    _running: Running,
}

/// The connections that wait until the socket may be written.
#[derive(Debug, Default)]
struct WaitingSenders(Mutex<Vec<Waker>>);

impl SharedUdp {
    /// The socket of a server, whose shutdown waits until nobody has this any more.
    pub(super) fn new(socket: Box<dyn UdpSocket>, running: Running) -> Arc<Self> {
        Arc::new(Self { socket, waiting: Arc::default(), is_kept: AtomicBool::new(false), _running: running })
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

    /// As [`send_lone`](Self::send_lone), and where the socket takes no more it is kept for this, until
    /// [`let_others_send`](Self::let_others_send). Ready where nothing more is to be done for the datagram.
    pub(super) fn poll_send_first(
        &self,
        contents: &[u8],
        destination: SocketAddr,
        source: &mut Option<IpAddr>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        loop {
            match self.send_lone(contents, destination, source) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return Poll::Ready(()),
            }
            self.is_kept.store(true, Ordering::SeqCst);
            self.waiting.add(cx.waker());
            if !matches!(self.poll_socket(), Poll::Ready(Ok(()))) {
                return Poll::Pending;
            }
        }
    }

    /// Nothing waits any more that goes first.
    pub(super) fn let_others_send(&self) {
        if self.is_kept.swap(false, Ordering::SeqCst) {
            self.waiting.wake_by_ref();
        }
    }

    fn poll_socket(&self) -> Poll<io::Result<()>> {
        self.socket.poll_writable(&mut Context::from_waker(&Waker::from(self.waiting.clone())))
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
        if self.is_kept.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.socket.try_send(transmit)
    }

    /// Until it is ready, the waker is kept beside all the others.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting.add(cx.waker());
        // Behind that, so that whoever lets the others send finds this one among them.
        if self.is_kept.load(Ordering::SeqCst) { Poll::Pending } else { self.poll_socket() }
    }

    fn max_segments(&self) -> usize {
        self.socket.max_segments()
    }
}

impl WaitingSenders {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }
}

impl Wake for WaitingSenders {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = std::mem::take(&mut *self.0.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}
