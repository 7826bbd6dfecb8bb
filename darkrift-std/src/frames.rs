//! What stands in for a runtime: tasks that run within a frame, timers that are looked at in each, and readiness asked of
//! the system without waiting for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{self, Duration};

use async_executor::Executor;
use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime};

use crate::sockets::{Source, TcpListener, TcpStream, UdpSocket};

/// How many steps of tasks one frame makes at most. A step of a connection's moves about 1 MiB at most.
const STEPS: usize = 4096;

/// How long one frame waits at most; the system's call counts milliseconds in 31 bits.
const LONGEST: Duration = Duration::from_secs(3600);

/// How many sockets' readiness one call asks for.
const EVENTS: usize = 1024;

/// The runtime of a client or server that is updated once a frame.
#[derive(Debug)]
pub struct Frames {
    reactor: Arc<Reactor>,
    /// Weak, since its tasks hold this.
    executor: Weak<Executor<'static>>,
}

/// Whom readiness and time wake.
#[derive(Debug)]
pub(crate) struct Reactor {
    registry: mio::Registry,
    start: time::Instant,
    next_key: AtomicUsize,
    sources: Mutex<BTreeMap<usize, Arc<Source>>>,
    timers: Mutex<BTreeMap<(Instant, usize), Waker>>,
}

/// The loop's side of [`Frames`]: owns the tasks, and runs them.
pub(crate) struct Turner {
    poll: mio::Poll,
    events: mio::Events,
    reactor: Arc<Reactor>,
    executor: Arc<Executor<'static>>,
    /// Whether the last frame left steps to be made.
    unfinished: bool,
}

impl Turner {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let reactor = Arc::new(Reactor {
            registry: poll.registry().try_clone()?,
            start: time::Instant::now(),
            next_key: AtomicUsize::new(0),
            sources: Mutex::default(),
            timers: Mutex::default(),
        });
        let events = mio::Events::with_capacity(EVENTS);
        Ok(Self { poll, events, reactor, executor: Arc::default(), unfinished: false })
    }

    pub(crate) fn runtime(&self) -> Arc<Frames> {
        Arc::new(Frames { reactor: self.reactor.clone(), executor: Arc::downgrade(&self.executor) })
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }

    /// Runs the tasks that have something to do, as far as one frame goes.
    pub(crate) fn run(&mut self) {
        self.unfinished = !(0..STEPS).any(|_| !self.executor.try_tick());
    }

    /// One frame: waits `patience` at most for something to come, and lets the tasks do what there is to do.
    pub(crate) fn turn(&mut self, patience: Duration) {
        self.run();
        let until_timer = self.reactor.until_timer().unwrap_or(LONGEST);
        let patience = if self.unfinished { Duration::ZERO } else { patience.min(until_timer) };
        // It fails only where a signal interrupts it, and then there is nothing.
        if self.poll.poll(&mut self.events, Some(patience)).is_ok() {
            self.reactor.wake_ready(&self.events);
        }
        self.reactor.wake_due();
        self.run();
    }

    /// Frame after frame, until this is ready.
    pub(crate) fn run_until<T>(&mut self, mut future: Pin<Box<impl Future<Output = T>>>) -> T {
        loop {
            self.run();
            // Only what the tasks do, and sockets and time, can make it ready: whoever wakes it need not be told apart.
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.turn(LONGEST);
        }
    }
}

impl Reactor {
    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn key(&self) -> usize {
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets a socket's readiness be known, under the key given.
    pub(crate) fn register(&self, socket: &mut impl mio::event::Source) -> io::Result<(usize, Arc<Source>)> {
        let key = self.key();
        let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
        self.registry.register(socket, mio::Token(key), both)?;
        let source = Arc::<Source>::default();
        lock(&self.sources).insert(key, source.clone());
        Ok((key, source))
    }

    pub(crate) fn forget(&self, socket: &mut impl mio::event::Source, key: usize) {
        // It fails only where the socket is gone already.
        let _ = self.registry.deregister(socket);
        lock(&self.sources).remove(&key);
    }

    fn wake_ready(&self, events: &mio::Events) {
        for event in events {
            let source = lock(&self.sources).get(&event.token().0).cloned();
            if let Some(source) = source {
                source.wake(event);
            }
        }
    }

    fn until_timer(&self) -> Option<Duration> {
        lock(&self.timers).first_key_value().map(|((at, _), _)| *at - self.now())
    }

    fn wake_due(&self) {
        let now = self.now();
        let later = {
            let mut timers = lock(&self.timers);
            let later = timers.split_off(&(now, usize::MAX));
            std::mem::replace(&mut *timers, later)
        };
        later.into_values().for_each(Waker::wake);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runtime for Frames {
    fn now(&self) -> Instant {
        self.reactor.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        Box::pin(Timer { reactor: self.reactor.clone(), at, key: self.reactor.key() })
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
        let reactor = self.reactor.clone();
        Box::pin(async move { Ok(Box::new(TcpStream::connect(to, reactor).await?) as _) })
    }

    fn wrap_tcp_listener(&self, listener: net::TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        Ok(Box::new(TcpListener::new(listener, self.reactor.clone())?))
    }

    fn wrap_udp_socket(&self, socket: net::UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        Ok(Box::new(UdpSocket::new(socket, self.reactor.clone())?))
    }
}

struct Timer {
    reactor: Arc<Reactor>,
    at: Instant,
    key: usize,
}

impl runtime::Timer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        lock(&self.reactor.timers).remove(&(self.at, self.key));
        self.at = at;
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.at <= self.reactor.now() {
            return Poll::Ready(());
        }
        lock(&self.reactor.timers).insert((self.at, self.key), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        lock(&self.reactor.timers).remove(&(self.at, self.key));
    }
}
