//! Futures dropped at each point where they wait: nothing is lost, nothing is done twice, and nothing is wedged.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use darkrift_driver::proto::{DecodeError, EncodedMessage, Message, MessageSet, SendMode};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::join;

use crate::adapters::OnRuntime;
use crate::counted::tasks;
use crate::harness::{
    Pair, accounted, client_of, expect_nothing_besides, next_client, server, soon, start, text, until,
};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

/// Looks at a future `looks` times at most, each time that it is woken, and drops it when it then still waits.
async fn dropped_after<T>(looks: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = looks;
    poll_fn(|cx| {
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops what `make` makes at its first wait, its second, and so on, until once it comes to its end.
async fn dropped_everywhere<A: Adapter, T, F: Future<Output = T>>(make: impl Fn() -> F) -> T {
    soon::<A, _>("an end after enough looks", async {
        let mut looks = 1;
        loop {
            if let Some(output) = dropped_after(looks, make()).await {
                return output;
            }
            looks += 1;
        }
    })
    .await
}

pub async fn a_connect_that_is_dropped_leaves_nothing<A: Adapter>() {
    let server = server::<A>().await;
    let address = server.tcp_address();
    let connecting = || A::connect(address, ClientSettings::default());
    let client = dropped_everywhere::<A, _, _>(connecting).await.expect("the last one connects");
    // Some of those before may have come so far that the server took them for clients. They leave again.
    loop {
        let served = next_client::<A>(&server).await;
        if served.id() == client.id() {
            until::<A>("the others to be gone", || {
                (server.connected(), server.statistics().pending) == (1, 0)
            })
            .await;
            Pair::<A> { server, client, served }.works().await;
            break;
        }
        soon::<A, _>("its leave", served.closed()).await;
    }
    until::<A>("every task's end", || tasks() == 0).await;
}

pub async fn a_bind_that_is_dropped_frees_its_port<A: Adapter>() {
    let port = server::<A>().await.tcp_address();
    until::<A>("every task's end", || tasks() == 0).await;
    let binding = || A::bind(port, ServerSettings::default());
    let server = dropped_everywhere::<A, _, _>(binding).await.expect("the port is free");
    client_of::<A>(&server).await;
}

pub async fn an_accept_that_is_dropped_loses_no_client<A: Adapter>() {
    const CLIENTS: u16 = 20;
    let server = server::<A>().await;
    let connecting = {
        let server = server.clone();
        start::<A, _>(async move {
            let mut clients = Vec::new();
            for _ in 0..CLIENTS {
                clients.push(client_of::<A>(&server).await);
            }
            clients
        })
    };
    for id in 0..CLIENTS {
        let served = dropped_everywhere::<A, _, _>(|| server.accept()).await.expect("the server runs");
        assert_eq!(served.id().get(), id);
    }
    connecting.await;
}

/// How often messages are sent behind a receiver that has waited for them in vain and was dropped.
const BURSTS: u32 = 1_000;

/// How many at a time: while they come, a receiver is dropped at whatever point it waits.
const BURST: u32 = 20;

/// Sends a burst of numbers each time that it is told to, until nobody can tell it any more.
fn numbers_in_bursts<A: Adapter>(client: &A::Client) -> (UnboundedSender<()>, impl Future<Output = ()>) {
    let (go, mut told) = unbounded();
    let client = client.clone();
    let sending = start::<A, _>(async move {
        let mut numbers = 0_u32..;
        while told.next().await.is_some() {
            for number in numbers.by_ref().take(BURST as usize) {
                let message = Message::encode(1, &number).expect("a number");
                client.send(SendMode::Reliable, &message).await.expect("it is open");
            }
        }
    });
    (go, sending)
}

pub async fn a_recv_that_is_dropped_loses_no_message<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    let (go, sending) = numbers_in_bursts::<A>(&pair.client);
    for burst in 0..BURSTS {
        // Of what was not sent there is nothing, so this one is dropped as it waits.
        assert!(dropped_after(1, pair.served.recv()).await.is_none());
        go.unbounded_send(()).expect("it listens");
        for number in (burst * BURST..).take(BURST as usize) {
            let received = dropped_everywhere::<A, _, _>(|| pair.served.recv()).await.expect("it is open");
            assert_eq!(received.decode(), Ok(number));
        }
    }
    drop(go);
    sending.await;
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

/// A set of one message, a number.
struct Number(u32);

impl MessageSet for Number {
    const TAGS: &'static [u16] = &[1];

    fn from_message(message: &Message) -> Result<Self, DecodeError> {
        message.decode_strict().map(Self)
    }
}

pub async fn a_next_of_a_typed_stream_that_is_dropped_loses_no_message<A: OnRuntime>() {
    let pair = Pair::<A>::new().await;
    let (go, sending) = numbers_in_bursts::<A>(&pair.client);
    let mut numbers = pair.served.messages::<Number>();
    accounted::<A, _>("the arrival of every message", async {
        for burst in 0..BURSTS {
            assert!(dropped_after(1, numbers.next()).await.is_none(), "nothing was sent");
            go.unbounded_send(()).expect("it listens");
            for number in (burst * BURST..).take(BURST as usize) {
                let mut looks = 1;
                let next = loop {
                    if let Some(next) = dropped_after(looks, numbers.next()).await {
                        break next;
                    }
                    looks += 1;
                };
                assert!(matches!(next, Some(Ok(Number(n))) if n == number));
            }
        }
    })
    .await;
    drop(go);
    sending.await;
    drop(numbers);
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

pub async fn a_recv_that_is_dropped_keeps_nothing_from_another<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    for number in 0..200 {
        let waiting = start::<A, _>({
            let served = pair.served.clone();
            async move { served.recv().await }
        });
        // Others come, wait for a moment, and go, while the message is on its way.
        assert!(dropped_after(1, pair.client.recv()).await.is_none());
        let impatient = dropped_after(1 + number % 2, pair.served.recv());
        let message = text(number as u16, "for whoever is there");
        let (sent, first) =
            join(pair.client.send(SendMode::Reliable, &message), impatient_until(impatient)).await;
        sent.expect("it is open");
        // One of the two has it. If it was the impatient one, the other is still there for the next.
        if let Some(received) = first {
            assert_eq!(received.expect("it is open").tag(), number as u16);
            pair.client.send(SendMode::Reliable, &text(number as u16, "again")).await.expect("it is open");
        }
        let received = soon::<A, _>("the message", waiting).await.expect("it is open");
        assert_eq!(received.tag(), number as u16);
    }
}

/// Looks at most a few times: a future that is not woken is dropped as well.
async fn impatient_until<T>(future: impl Future<Output = Option<T>>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = 4;
    poll_fn(|cx| {
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            ready => ready,
        }
    })
    .await
}

pub async fn a_send_that_is_dropped_was_not_sent<A: Adapter>() {
    const COUNT: u32 = 4_000;
    let by_hand = ClientSettings::with(|settings| settings.config.limits.answer_pings = false);
    let pair = Pair::<A>::with(by_hand, ServerSettings::default()).await;
    // Something to acknowledge, over and over.
    pair.served.ping(SendMode::Reliable, &Message::empty(0)).await.expect("it is open");
    let ping = soon::<A, _>("the ping", pair.client.recv()).await.expect("it is open");
    let client = pair.client.clone();
    let any_dropped = Arc::<AtomicBool>::default();
    let is_dropped = any_dropped.clone();
    let sending = start::<A, _>(async move {
        let mut sent = Vec::new();
        for number in 0..COUNT {
            // So large that the queue is full most of the time.
            let message = Message::new(1, number.to_be_bytes().repeat(4_000));
            // Until one is dropped nobody reads, so nothing would wake it for a second look.
            let looks = if is_dropped.load(Ordering::Relaxed) { 1 + number as usize % 3 } else { 1 };
            let result = match number % 4 {
                0 => dropped_after(looks, client.ping(SendMode::Reliable, &message))
                    .await
                    .map(|code| code.map(drop)),
                1 => {
                    let message = EncodedMessage::new(&message).expect("bytes can be encoded");
                    dropped_after(looks, client.send_encoded(SendMode::Reliable, &message)).await
                }
                2 => dropped_after(looks, client.acknowledge(&ping, &message)).await,
                _ => dropped_after(looks, client.send(SendMode::Reliable, &message)).await,
            };
            match result {
                Some(result) => {
                    result.expect("it is open");
                    sent.push(number);
                }
                None => is_dropped.store(true, Ordering::Relaxed),
            }
        }
        // The end, which waits for as long as it takes.
        client.send(SendMode::Reliable, &Message::empty(2)).await.expect("it is open");
        sent
    });
    // Together they are more than sockets and queues take while nobody reads.
    until::<A>("a send that was dropped", || any_dropped.load(Ordering::Relaxed)).await;
    let mut received = Vec::new();
    accounted::<A, _>("the end", async {
        loop {
            let message = pair.served.recv().await.expect("it is open");
            if message.tag() == 2 {
                break;
            }
            received.push(u32::from_be_bytes(message.payload()[..4].try_into().expect("four bytes")));
        }
    })
    .await;
    let sent = accounted::<A, _>("the sender's end", sending).await;
    assert_eq!(received, sent);
    // The acknowledgements of the pings are all that goes the other way.
    pair.served.send(SendMode::Reliable, &text(3, "last")).await.expect("it is open");
    while soon::<A, _>("the last", pair.client.recv()).await.expect("it is open").tag() != 3 {}
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

pub async fn what_waits_for_an_end_can_be_dropped_and_asked_again<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    assert!(dropped_after(1, pair.served.closed()).await.is_none());
    // It began at the call, so the first of them has closed it whether or not it waited.
    dropped_everywhere::<A, _, _>(|| pair.client.close()).await;
    dropped_everywhere::<A, _, _>(|| pair.client.closed()).await;
    dropped_everywhere::<A, _, _>(|| pair.served.closed()).await;
    client_of::<A>(&pair.server).await;
    dropped_everywhere::<A, _, _>(|| pair.server.shutdown()).await;
    until::<A>("every task's end", || tasks() == 0).await;
}
