//! The sockets and the timer of [async-io](async_io) for the DarkRift 2 client and server: what `darkrift-smol` and
//! `darkrift-async-std` share, and what an adapter for another executor on async-io begins with.
//!
//! Such an adapter says how its executor runs a task and looks a name up; [`AsyncIo`] is the rest of a [`Runtime`].
#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::marker::PhantomData;
use std::net::{self, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time;

use async_io::Async;
use darkrift_driver::UdpBatch;
use darkrift_driver::runtime::{self, BoxFuture, Instant, RecvMeta, Runtime, SockRef, Transmit};

/// What an executor adds to async-io.
pub trait Executor: Debug + Send + Sync + 'static {
    /// Runs a task to its end, in the background.
    fn spawn(task: BoxFuture<()>);

    /// Looks up `host`, a name or an address without a port, and gives each address that it has, with `port`.
    fn resolve(host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>>;
}

/// An executor with async-io's sockets and timers.
#[derive(Debug)]
pub struct AsyncIo<E> {
    start: time::Instant,
    executor: PhantomData<E>,
}

impl<E> Default for AsyncIo<E> {
    fn default() -> Self {
        Self { start: time::Instant::now(), executor: PhantomData }
    }
}

impl<E: Executor> Runtime for AsyncIo<E> {
    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        let start = self.start;
        Box::pin(Timer { timer: async_io::Timer::at(start + (at - Instant::ZERO)), start })
    }

    fn spawn(&self, task: BoxFuture<()>) {
        E::spawn(task);
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        E::resolve(host, port)
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        Box::pin(async move { Ok(Box::new(TcpStream(Async::<net::TcpStream>::connect(to).await?)) as _) })
    }

    fn wrap_tcp_listener(&self, listener: net::TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        Ok(Box::new(TcpListener(Async::new_nonblocking(listener)?)))
    }

    fn wrap_udp_socket(&self, socket: net::UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        let batch = UdpBatch::new(&SockRef::from(&socket))?;
        Ok(Box::new(UdpSocket { socket: Async::new_nonblocking(socket)?, batch }))
    }
}

#[derive(Debug)]
struct Timer {
    timer: async_io::Timer,
    start: time::Instant,
}

impl runtime::Timer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        let deadline = self.start + (at - Instant::ZERO);
        self.timer.set_at(deadline);
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.timer).poll(cx).map(drop)
    }
}

/// Tries the call, and waits for the socket to be ready where it would block.
fn poll<T, O>(
    socket: &Async<T>,
    cx: &mut Context<'_>,
    wait: impl Fn(&Async<T>, &mut Context<'_>) -> Poll<io::Result<()>>,
    mut call: impl FnMut(&T) -> io::Result<O>,
) -> Poll<io::Result<O>> {
    loop {
        match call(socket.get_ref()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(wait(socket, cx))?,
            result => return Poll::Ready(result),
        }
    }
}

#[derive(Debug)]
struct TcpStream(Async<net::TcpStream>);

impl runtime::TcpStream for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        poll(&self.0, cx, Async::poll_readable, |mut stream| stream.read(buffer))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        poll(&self.0, cx, Async::poll_writable, |mut stream| stream.write_vectored(slices))
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(self.0.get_ref()))
    }
}

#[derive(Debug)]
struct TcpListener(Async<net::TcpListener>);

impl runtime::TcpListener for TcpListener {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        let (stream, address) = ready!(poll(&self.0, cx, Async::poll_readable, net::TcpListener::accept))?;
        Poll::Ready(Async::new(stream).map(|stream| (Box::new(TcpStream(stream)) as _, address)))
    }
}

#[derive(Debug)]
struct UdpSocket {
    socket: Async<net::UdpSocket>,
    batch: UdpBatch,
}

impl runtime::UdpSocket for UdpSocket {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        poll(&self.socket, cx, Async::poll_readable, |socket| self.batch.receive(socket, buffers, meta))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.batch.send(self.socket.get_ref(), transmit)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    fn max_segments(&self) -> usize {
        self.batch.max_segments()
    }
}
