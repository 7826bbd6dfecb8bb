//! A runtime of one thread whose clock is virtual and whose sockets do what a test wants them to.
//!
//! [`run`] runs a future and whatever it spawns. When nothing can go on, the clock jumps to the next timer; when there is
//! none, that is a deadlock, and a panic.
#![allow(dead_code, reason = "each test takes a part of it")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, pending};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime};

mod sockets;

pub(crate) use sockets::{Listener, Stream, Udp};

/// What the sockets do besides their work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// Bytes that a stream holds in each direction.
    pub(crate) capacity: usize,
    /// The most that one call on a stream moves; each moves 1 to that many.
    pub(crate) most: usize,
    /// How many calls of a hundred are not ready, although they could be.
    pub(crate) would_block: u64,
    /// How many of a hundred calls on a stream are interrupted.
    pub(crate) interrupted: u64,
    /// How many of a hundred calls on a UDP socket fail.
    pub(crate) datagram_errors: u64,
    /// How many of a hundred datagrams are lost.
    pub(crate) lost: u64,
    /// Which call on any socket fails, counted from 0, and how.
    pub(crate) fails: Option<(usize, io::ErrorKind)>,
    /// How long each call on a socket takes.
    pub(crate) takes: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            capacity: 64 << 10,
            most: usize::MAX,
            would_block: 0,
            interrupted: 0,
            datagram_errors: 0,
            lost: 0,
            fails: None,
            takes: Duration::ZERO,
        }
    }
}

thread_local! {
    /// The network of the test that runs on this thread.
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// Everything that the sockets of one test share.
#[derive(Clone, Debug)]
pub(crate) struct Network(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: Instant,
    pub(crate) faults: Faults,
    random: fastrand::Rng,
    calls: usize,
    timers: BTreeMap<(Instant, u64), Waker>,
    next_timer: u64,
    listeners: BTreeMap<SocketAddr, sockets::Backlog>,
    mailboxes: BTreeMap<SocketAddr, sockets::Mailbox>,
    spawned: Vec<Task>,
    /// How many streams there are.
    pub(crate) streams: usize,
    pub(crate) ways: Ways,
}

/// The way of datagrams between a server and its clients.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Where the clients' datagrams come from, and go to.
    pub(crate) clients: Ipv4Addr,
    /// The longest datagrams that leave in runs; a run of longer ones is refused.
    pub(crate) widest: usize,
    /// How it is refused.
    pub(crate) refusal: io::ErrorKind,
    /// What went to clients, a call each.
    pub(crate) sent: Vec<Sent>,
    /// Whether servers' sockets take nothing, and never will.
    pub(crate) full: bool,
}

/// What one call that sends was given.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) datagrams: Vec<Vec<u8>>,
    /// Whether it was not refused.
    pub(crate) taken: bool,
}

impl Network {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the lock")
    }
}

/// What a call on a socket does.
pub(crate) enum Outcome {
    Works,
    NotReady,
    Fails(io::ErrorKind),
}

impl State {
    /// Counts a call, and says whether it works.
    fn call(&mut self, stream: bool) -> Outcome {
        let number = self.calls;
        self.calls += 1;
        self.now = self.now + self.faults.takes;
        let faults = self.faults;
        if let Some((_, kind)) = faults.fails.filter(|(call, _)| *call == number) {
            return Outcome::Fails(kind);
        }
        if self.random.u64(0..100) < faults.would_block {
            return Outcome::NotReady;
        }
        if stream && self.random.u64(0..100) < faults.interrupted {
            return Outcome::Fails(io::ErrorKind::Interrupted);
        }
        if !stream && self.random.u64(0..100) < faults.datagram_errors {
            return Outcome::Fails(io::ErrorKind::ConnectionRefused);
        }
        Outcome::Works
    }

    /// How much of `most` bytes one call moves.
    fn part(&mut self, most: usize) -> usize {
        let most = most.min(self.faults.most);
        if self.faults.most == usize::MAX || most == 0 { most } else { self.random.usize(1..=most) }
    }
}

/// The runtime that the network of this thread provides.
#[derive(Debug)]
pub(crate) struct Mock(Network);

impl Default for Mock {
    fn default() -> Self {
        Self(NETWORK.with_borrow(|network| network.clone().expect("a test runs on this thread")))
    }
}

impl Mock {
    /// How many calls there were on any socket.
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().calls
    }

    /// Sees and changes the ways of datagrams.
    pub(crate) fn ways<T>(&self, work: impl FnOnce(&mut Ways) -> T) -> T {
        work(&mut self.0.lock().ways)
    }

    /// Passes so much time without letting anyone else run, as an application does that computes.
    pub(crate) fn keep_the_thread(&self, time: Duration) {
        let mut state = self.0.lock();
        state.now = state.now + time;
    }

    /// Lets the next call on any socket fail.
    pub(crate) fn fail_next(&self, kind: io::ErrorKind) {
        let mut state = self.0.lock();
        state.faults.fails = Some((state.calls, kind));
    }
}

impl Runtime for Mock {
    fn now(&self) -> Instant {
        self.0.lock().now
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        Box::pin(Timer { network: self.0.clone(), at, key: None })
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.0.lock().spawned.push(Task { future: task });
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        if host == SILENT_NAME {
            return Box::pin(pending());
        }
        if host == NAME_OF_TWO {
            let addresses = [FOREIGN_ADDRESS, Ipv4Addr::LOCALHOST].map(|ip| SocketAddr::from((ip, port)));
            return Box::pin(async move { Ok(addresses.into()) });
        }
        let found = host.parse().map(|ip| vec![SocketAddr::new(ip, port)]);
        Box::pin(async move { found.map_err(|_| io::ErrorKind::NotFound.into()) })
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        if to.ip() == FOREIGN_ADDRESS {
            return Box::pin(pending());
        }
        let network = self.0.clone();
        Box::pin(async move { Ok(Box::new(Stream::connect(&network, to)?) as _) })
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Box<dyn runtime::TcpListener>> {
        Ok(Box::new(Listener::new(&self.0, listener)?))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        Ok(Box::new(Udp::new(&self.0, socket)?))
    }
}

struct Timer {
    network: Network,
    at: Instant,
    key: Option<(Instant, u64)>,
}

impl Timer {
    fn clear(&mut self) {
        if let Some(key) = self.key.take() {
            self.network.lock().timers.remove(&key);
        }
    }
}

impl runtime::Timer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.clear();
        self.at = at;
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.clear();
        let at = self.at;
        let key = {
            let mut state = self.network.lock();
            if state.now >= at {
                return Poll::Ready(());
            }
            state.next_timer += 1;
            let key = (at, state.next_timer);
            state.timers.insert(key, cx.waker().clone());
            key
        };
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}

struct Task {
    future: BoxFuture<()>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

/// The tasks that were woken.
#[derive(Debug, Default)]
struct Ready(Mutex<BTreeSet<usize>>);

struct WakeTask {
    ready: Arc<Ready>,
    task: usize,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        self.ready.0.lock().expect("nobody panics here").insert(self.task);
    }
}

/// The longest time that a test may take, by its own clock.
const LONGEST: Duration = Duration::from_secs(600);
/// How many polls may happen without the clock moving.
const BUSY: usize = 10_000_000;

/// The name that the name server has no answer for, not even that there is none.
pub(crate) const SILENT_NAME: &str = "silent.example";

/// An address that no machine has (RFC 5737), and that says nothing to whoever connects to it.
pub(crate) const FOREIGN_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// The name of a host with that address, and this machine's behind it.
pub(crate) const NAME_OF_TWO: &str = "two.example";

/// The future that a test is, among its tasks.
const MAIN: usize = usize::MAX;

/// Runs a test's future on a network of its own; gives what it gave, and the network with everything that was spawned
/// run to its end or dropped.
pub(crate) fn run<T>(seed: u64, faults: Faults, test: impl Future<Output = T>) -> (T, Network) {
    let network = Network(Arc::new(Mutex::new(State {
        now: Instant::ZERO,
        faults,
        random: fastrand::Rng::with_seed(seed),
        calls: 0,
        timers: BTreeMap::new(),
        next_timer: 0,
        listeners: BTreeMap::new(),
        mailboxes: BTreeMap::new(),
        spawned: Vec::new(),
        streams: 0,
        ways: Ways {
            clients: Ipv4Addr::LOCALHOST,
            widest: usize::MAX,
            // As a run is that the way does not carry whole.
            refusal: io::ErrorKind::InvalidInput,
            sent: Vec::new(),
            full: false,
        },
    })));
    NETWORK.with_borrow_mut(|current| *current = Some(network.clone()));
    let output = drive(&network, test);
    NETWORK.with_borrow_mut(|current| *current = None);
    (output, network)
}

fn drive<T>(network: &Network, test: impl Future<Output = T>) -> T {
    let ready = Arc::new(Ready::default());
    let waker = |task| Waker::from(Arc::new(WakeTask { ready: ready.clone(), task }));
    let mut test = pin!(test);
    let mut tasks: Vec<Option<Task>> = Vec::new();
    ready.0.lock().expect("nobody panics here").insert(MAIN);
    let mut busy = 0;
    loop {
        for task in std::mem::take(&mut network.lock().spawned) {
            ready.0.lock().expect("nobody panics here").insert(tasks.len());
            tasks.push(Some(task));
        }
        let next = ready.0.lock().expect("nobody panics here").pop_first();
        match next {
            Some(MAIN) => {
                if let Poll::Ready(output) = test.as_mut().poll(&mut Context::from_waker(&waker(MAIN))) {
                    return output;
                }
            }
            Some(number) => {
                let Some(mut task) = tasks[number].take() else { continue };
                if task.future.as_mut().poll(&mut Context::from_waker(&waker(number))).is_pending() {
                    tasks[number] = Some(task);
                }
            }
            None => {
                busy = 0;
                let mut state = network.lock();
                let Some(((at, _), waker)) = state.timers.pop_first() else {
                    // What the panic drops takes the lock, too.
                    drop(state);
                    panic!("a deadlock")
                };
                state.now = state.now.max(at);
                drop(state);
                assert!(at < Instant::ZERO + LONGEST, "the test does not end");
                waker.wake();
            }
        }
        busy += 1;
        assert!(busy < BUSY, "work for ever at one moment");
    }
}

/// Waits, by the virtual clock.
pub(crate) async fn sleep(duration: Duration) {
    let runtime = Mock::default();
    let mut timer = runtime.timer(runtime.now() + duration);
    std::future::poll_fn(|cx| timer.as_mut().poll(cx)).await;
}

/// Runs a future beside others.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    Mock::default().spawn(Box::pin(future));
}

/// Any free port of this machine, which the mock's addresses are named after.
pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A queue that wakes whoever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Wakers(VecDeque<Waker>);

impl Wakers {
    pub(crate) fn add(&mut self, cx: &Context<'_>) {
        self.0.push_back(cx.waker().clone());
    }

    pub(crate) fn wake(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}
