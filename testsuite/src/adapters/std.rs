//! No runtime: a game loop, which in each frame updates every client and server there is, and lets the scenario and its
//! tasks look at what came.
//!
//! The scenarios are async and the client and server are not, so the loop looks at each future once a frame. Everything
//! of one scenario stays on the thread that runs it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use darkrift_std::proto::{
    ClientId, CloseReason, EncodedMessage, Message, Received, RoundTrip, SendError, SendMode, Statistics,
};
use darkrift_std::{BindError, ConnectError, Connection, Event, ServerEvent, ServerStatistics};

use crate::{Adapter, Client, ClientSettings, Executor, Server, ServerSettings};

/// A game loop.
#[derive(Debug)]
#[non_exhaustive]
pub struct Std;

/// What a frame lasts when there is nothing to do.
const FRAME: Duration = Duration::from_micros(200);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    static UPDATED: RefCell<Vec<Weak<dyn Updated>>> = const { RefCell::new(Vec::new()) };
    static TASKS: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
}

trait Updated {
    fn update(&self);
}

fn begin_updating<T: Updated + 'static>(new: &Arc<T>) {
    let new: Weak<T> = Arc::downgrade(new);
    UPDATED.with_borrow_mut(|updated| updated.push(new));
}

/// Lets one frame pass. The waker is for futures that look only at those of their parts that were woken.
async fn frame() {
    let mut passed = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Frame after frame, until there is something.
async fn each_frame<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            return found;
        }
        frame().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Executor for Std {
    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        let mut scenario = pin!(scenario);
        let mut cx = Context::from_waker(Waker::noop());
        let output = loop {
            if let Poll::Ready(output) = scenario.as_mut().poll(&mut cx) {
                break output;
            }
            let mut tasks = TASKS.take();
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            TASKS.with_borrow_mut(|begun| begun.append(&mut tasks));
            let updated = UPDATED.with_borrow_mut(|updated| {
                updated.retain(|updated| updated.strong_count() > 0);
                updated.clone()
            });
            updated.iter().filter_map(Weak::upgrade).for_each(|updated| updated.update());
            std::thread::sleep(FRAME);
        };
        drop(TASKS.take());
        output
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(task)));
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let end = Instant::now() + time;
        each_frame(move || (Instant::now() >= end).then_some(()))
    }
}

impl Adapter for Std {
    type Client = StdClient;
    type Server = StdServer;

    async fn connect(to: SocketAddr, settings: ClientSettings) -> Result<StdClient, ConnectError> {
        let client = darkrift_std::Client::begin_with(settings.builder(), to)?;
        let end = Arc::new(Own { client: Mutex::new(client), reason: Mutex::default() });
        begin_updating(&end);
        let first = each_frame(|| lock(&end.client).next_event()).await;
        match first {
            Event::Failed(error) => Err(error),
            Event::Connected(_) => {
                let connection = lock(&end.client).connection().expect("it is up").clone();
                Ok(StdClient { connection, end: End::Own(end) })
            }
            other => panic!("{other:?} came first"),
        }
    }

    async fn bind(at: SocketAddr, settings: ServerSettings) -> Result<StdServer, BindError> {
        let server = Mutex::new(darkrift_std::Server::bind_with(settings.builder(), at)?);
        let shared = Arc::new(Serving { server, news: Mutex::default() });
        begin_updating(&shared);
        Ok(StdServer(shared))
    }
}

/// A client's end, with its loop.
struct Own {
    client: Mutex<darkrift_std::Client>,
    reason: Mutex<Option<CloseReason>>,
}

impl Updated for Own {
    fn update(&self) {
        lock(&self.client).update();
    }
}

impl Own {
    /// What came; `Some(None)` at the end.
    fn next(&self) -> Option<Option<Received>> {
        match lock(&self.client).next_event() {
            Some(Event::Message(received)) => Some(Some(received)),
            Some(Event::Closed(reason)) => {
                *lock(&self.reason) = Some(reason);
                Some(None)
            }
            Some(other) => panic!("{other:?} came on a connection that was up"),
            None => lock(&self.reason).is_some().then_some(None),
        }
    }
}

/// A server, and what came to its clients.
struct Serving {
    server: Mutex<darkrift_std::Server>,
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    arrived: VecDeque<Connection>,
    messages: BTreeMap<ClientId, VecDeque<Received>>,
    left: BTreeMap<ClientId, CloseReason>,
    is_stopped: bool,
}

impl Updated for Serving {
    fn update(&self) {
        let (mut server, mut news) = (lock(&self.server), lock(&self.news));
        server.update();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::Connected(connection) => news.arrived.push_back(connection),
                ServerEvent::Message(connection, received) => {
                    news.messages.entry(connection.id()).or_default().push_back(received);
                }
                ServerEvent::Disconnected(connection, reason) => {
                    let before = news.left.insert(connection.id(), reason);
                    assert_eq!(before, None, "a client leaves once");
                }
                other => panic!("{other:?} is not known"),
            }
        }
    }
}

impl News {
    /// What came from this client; `Some(None)` once it has left.
    fn next(&mut self, id: ClientId) -> Option<Option<Received>> {
        match self.messages.get_mut(&id).and_then(VecDeque::pop_front) {
            Some(received) => Some(Some(received)),
            None => self.left.contains_key(&id).then_some(None),
        }
    }
}

/// A connection in a game loop.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "of a test")]
pub struct StdClient {
    connection: Connection,
    end: End,
}

#[derive(Clone)]
enum End {
    Own(Arc<Own>),
    Served(Arc<Serving>),
}

impl Client for StdClient {
    async fn send(&self, mode: SendMode, message: &Message) -> Result<(), SendError> {
        each_frame(|| unless_full(self.connection.send(mode, message))).await
    }

    async fn send_encoded(&self, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError> {
        each_frame(|| unless_full(self.connection.send_encoded(mode, message))).await
    }

    fn try_send(&self, mode: SendMode, message: &Message) -> Result<(), SendError> {
        self.connection.send(mode, message)
    }

    async fn ping(&self, mode: SendMode, message: &Message) -> Result<u16, SendError> {
        each_frame(|| unless_full(self.connection.ping(mode, message))).await
    }

    async fn acknowledge(&self, ping: &Received, message: &Message) -> Result<(), SendError> {
        each_frame(|| unless_full(self.connection.acknowledge(ping, message))).await
    }

    async fn recv(&self) -> Option<Received> {
        each_frame(|| match &self.end {
            End::Own(own) => own.next(),
            End::Served(serving) => lock(&serving.news).next(self.connection.id()),
        })
        .await
    }

    async fn close(&self) {
        self.connection.close();
        // It has ended once its last event is there, which messages may still precede.
        each_frame(|| self.connection.close_reason()).await;
    }

    async fn closed(&self) -> CloseReason {
        each_frame(|| self.connection.close_reason()).await
    }

    fn is_connected(&self) -> bool {
        self.connection.is_connected()
    }

    fn id(&self) -> ClientId {
        self.connection.id()
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        self.connection.round_trip()
    }

    fn statistics(&self) -> Statistics {
        self.connection.statistics()
    }

    fn strikes(&self) -> u32 {
        self.connection.strikes()
    }
}

fn unless_full<T>(result: Result<T, SendError>) -> Option<Result<T, SendError>> {
    match result {
        Err(SendError::Full { .. }) => None,
        other => Some(other),
    }
}

/// A server in a game loop.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "of a test")]
pub struct StdServer(Arc<Serving>);

impl Server for StdServer {
    type Client = StdClient;

    async fn accept(&self) -> Option<StdClient> {
        each_frame(|| {
            let mut news = lock(&self.0.news);
            match news.arrived.pop_front() {
                Some(connection) => Some(Some(StdClient { connection, end: End::Served(self.0.clone()) })),
                None => news.is_stopped.then_some(None),
            }
        })
        .await
    }

    fn connected(&self) -> usize {
        lock(&self.0.server).len()
    }

    fn tcp_address(&self) -> SocketAddr {
        lock(&self.0.server).local_addr()
    }

    fn udp_address(&self) -> SocketAddr {
        lock(&self.0.server).udp_addr()
    }

    fn statistics(&self) -> ServerStatistics {
        lock(&self.0.server).statistics()
    }

    async fn shutdown(&self) {
        lock(&self.0.server).shutdown();
        each_frame(|| lock(&self.0.server).is_finished().then_some(())).await;
        lock(&self.0.news).is_stopped = true;
    }
}
