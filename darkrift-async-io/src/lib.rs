//! The sockets and the timer of [async-io](async_io) for the DarkRift 2 client and server: what `darkrift-smol` and
//! `darkrift-async-std` share, and what an adapter for another executor on async-io begins with.
//!
//! Such an adapter says how its executor runs a task and looks a name up; [`AsyncIo`] is the rest of a [`Runtime`].
#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time;

use async_io::Async;
use darkrift_driver::nonblocking::{self, Reactor, Socket};
use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime};

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
        Box::pin(nonblocking::connect(Global, to))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        nonblocking::wrap_tcp_listener(Global, listener)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        nonblocking::wrap_udp_socket(Global, socket)
    }
}

/// async-io's reactor, of which a process has one.
#[derive(Clone, Debug)]
struct Global;

impl Reactor for Global {
    type Watched = Async<Socket>;

    fn watch(&self, socket: Socket) -> io::Result<Async<Socket>> {
        Async::new_nonblocking(socket)
    }

    fn socket(watched: &Async<Socket>) -> &Socket {
        watched.get_ref()
    }

    fn poll_readable(watched: &Async<Socket>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        watched.poll_readable(cx)
    }

    fn poll_writable(watched: &Async<Socket>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        watched.poll_writable(cx)
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
