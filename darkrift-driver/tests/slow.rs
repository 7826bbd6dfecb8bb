//! Applications that keep their thread, or that begin to wait and do not come back.

mod mock;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use darkrift_driver::proto::data::DecodeError;
use darkrift_driver::proto::{Message, MessageSet, SendMode};
use darkrift_driver::runtime::{Instant, Runtime};
use darkrift_driver::{Client, Server};
use futures_core::Stream;
use mock::{Faults, Mock, anywhere, run, sleep, spawn};

const LIMIT: Duration = Duration::from_secs(5);

/// Any message.
struct Any;

impl MessageSet for Any {
    const TAGS: &'static [u16] = &[];

    fn from_message(_: &Message) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

/// Polls a future once, which has to wait.
async fn begin<F: Future>(mut future: Pin<&mut F>) {
    let poll = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    assert!(poll.is_pending());
}

#[test]
fn who_sent_in_time_is_not_idle_however_late_the_application_looks() {
    // A server's datagrams are taken by a task of their own, whoever else looks or does not.
    let ways = [(SendMode::Reliable, true), (SendMode::Reliable, false), (SendMode::Unreliable, false)];
    for (mode, at_server) in ways {
        run(1, Faults::default(), async {
            let limit = |has_one: bool| has_one.then_some(LIMIT);
            let server = Server::<Mock>::builder().idle_timeout(limit(at_server));
            let server = server.bind(anywhere()).await.unwrap();
            let client = Client::<Mock>::builder().idle_timeout(limit(!at_server));
            let client = client.connect(server.local_addr()).await.unwrap();
            let served = server.accept().await.unwrap();
            let (from, to) = if at_server { (client, served) } else { (served, client) };
            let first = Message::encode(1, "one that is taken at once").unwrap();
            from.try_send(mode, &first).unwrap();
            assert_eq!(*to.recv().await.unwrap().message(), first);
            let second = Message::encode(2, "one that waits").unwrap();
            from.try_send(mode, &second).unwrap();
            // It leaves, and who took the first a moment ago is left to take this one, too.
            sleep(Duration::from_millis(1)).await;
            Mock::default().keep_the_thread(2 * LIMIT);
            // Its task runs, whose deadline has passed long ago.
            sleep(Duration::from_nanos(1)).await;
            assert!(to.is_connected(), "{:?}", to.close_reason());
            assert_eq!(*to.recv().await.unwrap().message(), second);
        });
    }
}

#[test]
fn a_silent_peer_is_idle_although_the_application_was_slow() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::builder().idle_timeout(Some(LIMIT)).bind(anywhere()).await.unwrap();
        let _client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
        let served = server.accept().await.unwrap();
        Mock::default().keep_the_thread(2 * LIMIT);
        assert_eq!(served.recv().await, None);
    });
}

/// An application that has messages waiting and takes one of them now and then.
async fn takes_now_and_then(receiver: &Client<Mock>, pause: Duration, until: impl Fn() -> bool) -> Duration {
    let runtime = Mock::default();
    let begun = runtime.now();
    while !until() {
        sleep(pause).await;
        assert!(receiver.recv().await.is_some(), "messages wait");
    }
    runtime.now() - begun
}

#[test]
fn pings_are_answered_and_the_end_is_noticed_while_the_application_takes_what_waits_one_by_one() {
    for pause in [1, 5, 15, 19, 25].map(Duration::from_millis) {
        run(1, Faults::default(), async {
            let server = Server::<Mock>::builder().limits(|limits| limits.linger = Duration::ZERO);
            let server = server.bind(anywhere()).await.unwrap();
            let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
            let served = server.accept().await.unwrap();
            for tag in 0..200 {
                served.try_send(SendMode::Reliable, &Message::empty(tag)).unwrap();
            }
            sleep(Duration::from_secs(1)).await;
            client.recv().await.unwrap();
            served.try_ping(SendMode::Reliable, &Message::empty(2)).unwrap();
            let took = takes_now_and_then(&client, pause, || served.round_trip().is_some()).await;
            assert!(took < Duration::from_millis(60), "a ping: {took:?}");
            drop(served.close());
            let took = takes_now_and_then(&client, pause, || !client.is_connected()).await;
            assert!(took < Duration::from_millis(60), "the end: {took:?}");
        });
    }
}

#[test]
fn a_stream_that_is_not_polled_any_more_keeps_nothing_from_who_waits_behind_it() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
        let served = server.accept().await.unwrap();
        let mut left: Vec<_> = (0..3).map(|_| client.messages::<Any>()).collect();
        for left in &mut left {
            let nobody = &mut Context::from_waker(Waker::noop());
            assert!(Pin::new(left).poll_next(nobody).is_pending());
        }
        let waiting = client.clone();
        spawn(async move {
            while let Some(received) = waiting.recv().await {
                waiting.send(received.send_mode(), received.message()).await.unwrap();
            }
        });
        sleep(Duration::from_millis(1)).await;
        let message = Message::encode(1, "for whoever waits").unwrap();
        served.send(SendMode::Reliable, &message).await.unwrap();
        assert_eq!(*served.recv().await.unwrap().message(), message);
    });
}

#[test]
fn an_accept_that_is_not_polled_any_more_keeps_no_client_from_another() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        let mut left = pin!(server.accept());
        begin(left.as_mut()).await;
        let address = server.local_addr();
        spawn(async move {
            let client = Client::<Mock>::connect(address).await.unwrap();
            client.closed().await;
        });
        assert!(server.accept().await.is_some());
    });
}

#[test]
fn whoever_waits_in_line_has_the_next_message_while_the_first_is_still_busy() {
    const RECEIVERS: u16 = 8;
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
        let served = server.accept().await.unwrap();
        for _ in 0..RECEIVERS {
            let client = client.clone();
            spawn(async move {
                let received = client.recv().await.unwrap();
                client.send(SendMode::Reliable, &Message::empty(received.tag())).await.unwrap();
                sleep(Duration::from_secs(60)).await;
            });
        }
        sleep(Duration::from_millis(1)).await;
        // As much as one look reads, so that it stops although there is more.
        served.send(SendMode::Reliable, &Message::new(0, vec![0; 1 << 20])).await.unwrap();
        for tag in 1..RECEIVERS {
            served.send(SendMode::Reliable, &Message::empty(tag)).await.unwrap();
        }
        for tag in 0..RECEIVERS {
            assert_eq!(served.recv().await.unwrap().tag(), tag);
        }
        let runtime = Mock::default();
        assert!(runtime.now() - Instant::ZERO < Duration::from_secs(1), "{:?}", runtime.now());
    });
}

#[test]
fn a_socket_that_stays_full_holds_up_no_shutdown() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        Mock::default().ways(|ways| ways.full = true);
        let address = server.local_addr();
        spawn(async move { drop(Client::<Mock>::connect(address).await) });
        // The acknowledgement of its token waits.
        sleep(Duration::from_millis(100)).await;
        server.shutdown().await;
    });
}
