//! What runs a client's or server's tasks: a small executor, within these calls and at no other time.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_executor::{Executor, Task};
use darkrift_driver::nonblocking;
use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime, Timer};

use crate::bell::Bell;
use crate::sockets::Sockets;
use crate::timers::Timers;

/// How many steps of tasks follow on each other at most before there is a look at the sockets. A step of a connection's
/// moves about 1 MiB at most.
const STEPS: usize = 2048;

/// How many events wait to be taken at most; past it the peers are not read, and TCP slows them down.
const EVENTS: usize = 1024;

/// The tasks of one client or server, and what they have to tell.
#[derive(Debug)]
pub(crate) struct Turner<E> {
    executor: Arc<Executor<'static>>,
    pub(crate) frames: Arc<Frames>,
    bell: Arc<Bell>,
    pub(crate) events: Receiver<E>,
    /// What [`wait`](Self::wait) has waited for.
    next: Option<E>,
}

impl<E> Turner<E> {
    pub(crate) fn new() -> io::Result<(Self, Sender<E>)> {
        let bell = Bell::new()?;
        let (give, events) = async_channel::bounded(EVENTS);
        let executor = Arc::default();
        let frames = Arc::new(Frames {
            sockets: Sockets::new(bell.clone()),
            timers: Arc::new(Timers::new()),
            executor: Arc::downgrade(&executor),
        });
        Ok((Self { executor, frames, bell, events, next: None }, give))
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Task<()> {
        self.executor.spawn(task)
    }

    pub(crate) fn update(&self) {
        self.flush();
        self.look(Duration::ZERO);
        self.flush();
    }

    /// Runs the tasks that have something to do.
    pub(crate) fn flush(&self) {
        // Once one has found nothing to do, there is nothing.
        let _ = (0..STEPS).all(|_| self.executor.try_tick());
    }

    /// Wakes the tasks whose sockets are ready or whose time has come, and waits `patience` at most until there is one.
    fn look(&self, patience: Duration) {
        self.frames.sockets.look(patience);
        self.frames.timers.wake_due();
    }

    pub(crate) fn next_event(&mut self) -> Option<E> {
        self.next.take().or_else(|| self.events.try_recv().ok())
    }

    pub(crate) fn wait(&mut self, patience: Duration) {
        self.update();
        self.next = self.next_event().or_else(|| {
            let mut time = self.frames.timer(self.frames.now() + patience);
            let mut event = pin!(async {
                match self.events.recv().await {
                    Ok(event) => event,
                    // Nothing will come any more, which is no reason to be back early.
                    Err(_) => pending().await,
                }
            });
            self.block_on(poll_fn(|cx| match event.as_mut().poll(cx) {
                Poll::Ready(event) => Poll::Ready(Some(event)),
                Poll::Pending => time.as_mut().poll(cx).map(|()| None),
            }))
        });
    }

    /// Runs the tasks until this is ready, and waits for sockets and time meanwhile.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let waker = Waker::from(self.bell.clone());
        let mut future = pin!(self.executor.run(future));
        loop {
            self.bell.reset();
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            self.look(self.frames.timers.until_first());
        }
    }
}

impl<E> Drop for Turner<E> {
    fn drop(&mut self) {
        // What a close has to say leaves. In a panic it may be a task that has panicked, and the next might, too.
        if !std::thread::panicking() {
            self.flush();
        }
    }
}

/// The runtime of a client or server that is updated once a frame.
#[derive(Debug)]
pub struct Frames {
    sockets: Sockets,
    timers: Arc<Timers>,
    /// Weak, since its tasks hold this.
    executor: Weak<Executor<'static>>,
}

impl Runtime for Frames {
    fn now(&self) -> Instant {
        self.timers.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(self.timers.timer(at))
    }

    fn spawn(&self, task: BoxFuture<()>) {
        // Without an executor the client or server is gone, and so is its task.
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(task).detach();
        }
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok((host, port).to_socket_addrs()?.collect()) })
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        Box::pin(nonblocking::connect(self.sockets.clone(), to))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        nonblocking::wrap_tcp_listener(self.sockets.clone(), listener)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        nonblocking::wrap_udp_socket(self.sockets.clone(), socket)
    }
}
