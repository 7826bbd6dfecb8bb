//! What runs a client's or server's tasks: tokio's single-threaded runtime, within these calls and at no other time.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::time::Duration;

use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime};
use darkrift_tokio::Tokio;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::yield_now;
use tokio::time::timeout;

/// How many steps of tasks follow on each other at most before there is a look at the sockets. A step of a connection's
/// moves about 1 MiB at most.
const STEPS: u32 = 2048;

/// How many events wait to be taken at most; past it the peers are not read, and TCP slows them down.
const EVENTS: usize = 1024;

/// The tasks of one client or server, and what they have to tell.
#[derive(Debug)]
pub(crate) struct Turner<E> {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) events: Receiver<E>,
    /// What [`wait`](Self::wait) has waited for.
    next: Option<E>,
}

impl<E> Turner<E> {
    pub(crate) fn new() -> io::Result<(Self, Sender<E>)> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().event_interval(STEPS).build()?;
        let (give, events) = channel(EVENTS);
        Ok((Self { runtime, events, next: None }, give))
    }

    pub(crate) fn update(&self) {
        self.flush();
        // Once more, for what the look at the sockets has brought.
        self.flush();
    }

    /// Runs the tasks that have something to do, and then looks at the sockets and the time.
    pub(crate) fn flush(&self) {
        self.runtime.block_on(yield_now());
    }

    pub(crate) fn next_event(&mut self) -> Option<E> {
        self.next.take().or_else(|| self.events.try_recv().ok())
    }

    pub(crate) fn wait(&mut self, patience: Duration) {
        self.flush();
        self.next = self.next_event().or_else(|| {
            let event = async {
                match self.events.recv().await {
                    Some(event) => event,
                    // Nothing will come any more, which is no reason to be back early.
                    None => pending().await,
                }
            };
            self.runtime.block_on(async { timeout(patience, event).await.ok() })
        });
    }
}

impl<E> Drop for Turner<E> {
    fn drop(&mut self) {
        // What a close has to say leaves. In a panic there may be no turning any more.
        if !std::thread::panicking() {
            self.flush();
        }
    }
}

/// The runtime of a client or server that is updated once a frame: tokio's, but no name is looked up on another thread.
#[derive(Debug, Default)]
pub struct Frames(Tokio);

impl Runtime for Frames {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        self.0.timer(at)
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.0.spawn(task);
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok((host, port).to_socket_addrs()?.collect()) })
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        self.0.connect(to)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        self.0.wrap_tcp_listener(listener)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        self.0.wrap_udp_socket(socket)
    }
}
