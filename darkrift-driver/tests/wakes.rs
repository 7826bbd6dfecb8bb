//! Executors that do more within a wake than note that a task is to run.

#![allow(clippy::disallowed_methods, reason = "the thread is for a test that may hang")]

mod mock;

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use darkrift_driver::proto::{Message, SendMode};
use darkrift_driver::runtime::BoxFuture;
use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run, sleep};

/// How long a test may take: one that waits for a lock of its own would never end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test of a server's client and the client, on a thread that it may hang.
fn ends<T: Future<Output = ()>>(test: impl FnOnce(Client<Mock>, Client<Mock>) -> T + Send + 'static) {
    let (end, ended) = channel();
    let thread = std::thread::spawn(move || {
        run(1, Faults::default(), async {
            let server = Server::<Mock>::bind(anywhere()).await.unwrap();
            let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
            test(server.accept().await.unwrap(), client).await;
        });
        end.send(()).unwrap();
    });
    ended.recv_timeout(PATIENCE).expect("it ends");
    thread.join().unwrap();
}

/// Looks at its connection when it is woken.
struct Looks {
    client: Client<Mock>,
    has_looked: AtomicBool,
}

impl Looks {
    /// Polls a future, which has to wait.
    fn begin<T>(client: &Client<Mock>, future: Pin<&mut impl Future<Output = T>>) -> Arc<Self> {
        let looks = Arc::new(Self { client: client.clone(), has_looked: AtomicBool::new(false) });
        let waker = Waker::from(looks.clone());
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
        looks
    }

    fn has_looked(&self) -> bool {
        self.has_looked.load(Ordering::Relaxed)
    }
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let _ = self.client.statistics();
        self.has_looked.store(true, Ordering::Relaxed);
    }
}

/// A task that is dropped when it is woken, with what it holds.
struct Drops(Mutex<Option<BoxFuture<()>>>);

impl Drops {
    /// Polls a task, which has to wait.
    fn begin(mut task: BoxFuture<()>) -> Arc<Self> {
        let drops = Arc::new(Self(Mutex::new(None)));
        let waker = Waker::from(drops.clone());
        assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *drops.0.lock().unwrap() = Some(task);
        drops
    }

    fn is_gone(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

impl Wake for Drops {
    fn wake(self: Arc<Self>) {
        let task = self.0.lock().unwrap().take();
        drop(task);
    }
}

fn message() -> Message {
    Message::encode(1, "a message").unwrap()
}

#[test]
fn who_waits_for_the_end_may_use_the_connection_when_it_is_told() {
    ends(|served, client| async move {
        let mut told = pin!(client.closed());
        let looks = Looks::begin(&client, told.as_mut());
        served.close().await;
        sleep(Duration::from_secs(1)).await;
        assert!(looks.has_looked());
    });
}

#[test]
fn a_receiver_may_be_dropped_when_it_is_woken_for_a_message() {
    ends(|served, client| async move {
        let task = Drops::begin(Box::pin(async move { drop(client.recv().await) }));
        served.send(SendMode::Reliable, &message()).await.unwrap();
        assert!(served.recv().await.is_none());
        assert!(task.is_gone());
    });
}

#[test]
fn the_last_handle_may_go_when_a_receiver_is_told_of_the_end() {
    ends(|served, client| async move {
        let task = Drops::begin(Box::pin(async move { drop(client.recv().await) }));
        served.close().await;
        sleep(Duration::from_secs(1)).await;
        assert!(task.is_gone());
    });
}

#[test]
fn who_waits_for_room_may_use_the_connection_when_there_is_some() {
    ends(|served, client| async move {
        let long = Message::new(1, vec![0; 60_000]);
        while client.try_send(SendMode::Reliable, &long).is_ok() {}
        let mut waiting = pin!(client.send(SendMode::Reliable, &long));
        let looks = Looks::begin(&client, waiting.as_mut());
        while !looks.has_looked() {
            assert_eq!(served.recv().await.unwrap().message(), &long);
        }
    });
}

#[test]
fn the_next_receiver_may_be_dropped_by_the_one_before_it() {
    ends(|served, client| async move {
        let waiting = client.clone();
        let mut first = pin!(waiting.recv());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let second = Drops::begin(Box::pin(async move { drop(client.recv().await) }));
        for _ in 0..2 {
            served.send(SendMode::Reliable, &message()).await.unwrap();
        }
        sleep(Duration::from_millis(1)).await;
        assert_eq!(first.await.unwrap().message(), &message());
        assert!(second.is_gone());
    });
}
