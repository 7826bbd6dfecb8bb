//! Sockets that never block: what cannot be done now is done in a later frame.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use darkrift_driver::UdpBatch;
use darkrift_driver::runtime::{self, RecvMeta, SockRef, Transmit};

use crate::frames::{Reactor, lock};

/// Whom a socket's readiness wakes.
#[derive(Debug, Default)]
pub(crate) struct Source {
    readable: Mutex<Option<Waker>>,
    writable: Mutex<Option<Waker>>,
}

impl Source {
    pub(crate) fn wake(&self, event: &mio::event::Event) {
        let failed = event.is_error();
        let readable = event.is_readable() || event.is_read_closed() || failed;
        let writable = event.is_writable() || event.is_write_closed() || failed;
        for (is_ready, waker) in [(readable, &self.readable), (writable, &self.writable)] {
            let waker = if is_ready { lock(waker).take() } else { None };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// A socket whose readiness is known. The system tells it once a change, so a call that would block is what a waker
/// waits behind.
#[derive(Debug)]
struct Registered<S: mio::event::Source> {
    socket: S,
    key: usize,
    source: Arc<Source>,
    reactor: Arc<Reactor>,
}

impl<S: mio::event::Source> Registered<S> {
    fn new(mut socket: S, reactor: Arc<Reactor>) -> io::Result<Self> {
        let (key, source) = reactor.register(&mut socket)?;
        Ok(Self { socket, key, source, reactor })
    }

    fn poll_read<T>(
        &self,
        cx: &Context<'_>,
        mut call: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        unless_blocked(&self.source.readable, cx, || call(&self.socket))
    }

    fn poll_write<T>(
        &self,
        cx: &Context<'_>,
        mut call: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        unless_blocked(&self.source.writable, cx, || call(&self.socket))
    }
}

fn unless_blocked<T>(
    waiting: &Mutex<Option<Waker>>,
    cx: &Context<'_>,
    call: impl FnOnce() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    match call() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            *lock(waiting) = Some(cx.waker().clone());
            Poll::Pending
        }
        result => Poll::Ready(result),
    }
}

impl<S: mio::event::Source> Drop for Registered<S> {
    fn drop(&mut self) {
        self.reactor.forget(&mut self.socket, self.key);
    }
}

#[derive(Debug)]
pub(crate) struct TcpStream(Registered<mio::net::TcpStream>);

impl TcpStream {
    pub(crate) async fn connect(to: SocketAddr, reactor: Arc<Reactor>) -> io::Result<Self> {
        let stream = Registered::new(mio::net::TcpStream::connect(to)?, reactor)?;
        poll_fn(|cx| {
            stream.poll_write(cx, |stream| match (stream.take_error()?, stream.peer_addr()) {
                (Some(error), _) => Err(error),
                (None, Ok(_)) => Ok(()),
                // Not connected yet, and nothing has gone wrong.
                (None, Err(_)) => Err(io::ErrorKind::WouldBlock.into()),
            })
        })
        .await?;
        Ok(Self(stream))
    }
}

impl runtime::TcpStream for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, |mut stream| stream.read(buffer))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, |mut stream| stream.write_vectored(slices))
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(&self.0.socket))
    }
}

#[derive(Debug)]
pub(crate) struct TcpListener(Registered<mio::net::TcpListener>);

impl TcpListener {
    pub(crate) fn new(listener: net::TcpListener, reactor: Arc<Reactor>) -> io::Result<Self> {
        Registered::new(mio::net::TcpListener::from_std(listener), reactor).map(Self)
    }
}

impl runtime::TcpListener for TcpListener {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        self.0.poll_read(cx, |listener| {
            let (stream, address) = listener.accept()?;
            let stream = TcpStream(Registered::new(stream, self.0.reactor.clone())?);
            Ok((Box::new(stream) as _, address))
        })
    }
}

#[derive(Debug)]
pub(crate) struct UdpSocket {
    registered: Registered<mio::net::UdpSocket>,
    batch: UdpBatch,
}

impl UdpSocket {
    pub(crate) fn new(socket: net::UdpSocket, reactor: Arc<Reactor>) -> io::Result<Self> {
        let batch = UdpBatch::new(&SockRef::from(&socket))?;
        Ok(Self { registered: Registered::new(mio::net::UdpSocket::from_std(socket), reactor)?, batch })
    }
}

impl runtime::UdpSocket for UdpSocket {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.registered.poll_read(cx, |socket| self.batch.receive(socket, buffers, meta))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.batch.send(&self.registered.socket, transmit)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called when a send would have blocked, so the system will tell of the change.
        *lock(&self.registered.source.writable) = Some(cx.waker().clone());
        Poll::Pending
    }

    fn max_segments(&self) -> usize {
        self.batch.max_segments()
    }
}
