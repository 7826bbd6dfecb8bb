//! A connection is looked after whatever its application does: whoever stops receiving, for whatever reason and at
//! whatever moment, delays no ping and no end, and what the peer has said is heard.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, DecodeError, Initiator, Message, MessageSet, SendError, SendMode};
use darkrift_testsuite::raw::{RawServer, frame, user};
use darkrift_tokio::{Client, Server};
use futures::Stream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Whatever message comes.
struct Any(u16);

impl MessageSet for Any {
    const TAGS: &'static [u16] = &[];

    fn from_message(message: &Message) -> Result<Self, DecodeError> {
        Ok(Self(message.tag()))
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Whatever takes this long hangs.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), what).await.expect("it does not hang")
}

/// A client, and the server's side of it.
async fn pair() -> (Server, Client, Client) {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let client = Client::connect(server.local_addr()).await.unwrap();
    let served = soon(server.accept()).await.unwrap();
    (server, client, served)
}

/// A client of a server that plays this script once the handshake is done, and the script's end.
async fn played<T: Send + 'static>(
    script: impl FnOnce(darkrift_testsuite::raw::RawServed) -> T + Send + 'static,
) -> (Client, std::thread::JoinHandle<T>) {
    let raw = RawServer::default();
    let (address, udp_port): (SocketAddr, u16) = (raw.tcp_address(), raw.udp_port());
    let script = std::thread::spawn(move || script(raw.welcome(7)));
    (Client::builder().udp_port(udp_port).connect(address).await.unwrap(), script)
}

/// The peer pings and leaves: the ping is answered, and its end is noticed.
async fn expect_attention(client: &Client, served: Client) {
    served.ping(SendMode::Reliable, &Message::empty(1)).await.unwrap();
    soon(async {
        while served.round_trip().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    drop(served);
    assert_eq!(soon(client.closed()).await.initiator, Initiator::Peer);
}

/// Waits for a while for what does not come.
async fn in_vain(what: impl Future) {
    assert!(timeout(Duration::from_millis(20), what).await.is_err());
}

#[test]
fn a_wait_for_a_message_that_was_given_up_leaves_the_connection_attended() {
    runtime().block_on(async {
        let (_server, client, served) = pair().await;
        in_vain(client.recv()).await;
        expect_attention(&client, served).await;
    });
}

#[test]
fn a_wait_for_a_message_of_a_set_that_was_given_up_leaves_the_connection_attended() {
    runtime().block_on(async {
        let (_server, client, served) = pair().await;
        let mut messages = client.messages::<Any>();
        in_vain(messages.next()).await;
        expect_attention(&client, served).await;
        assert!(soon(messages.next()).await.is_some(), "the ping is still there");
    });
}

#[test]
fn a_stream_that_nobody_polls_any_more_leaves_the_connection_attended() {
    runtime().block_on(async {
        let (_server, client, served) = pair().await;
        let mut messages = pin!(client.messages::<Any>());
        let mut context = Context::from_waker(Waker::noop());
        assert!(messages.as_mut().poll_next(&mut context).is_pending());
        expect_attention(&client, served).await;
        assert!(matches!(messages.poll_next(&mut context), Poll::Ready(Some(Ok(Any(1))))));
    });
}

#[test]
fn room_that_an_application_makes_is_used_also_where_it_takes_no_more() {
    runtime().block_on(async {
        let (_server, client, served) = pair().await;
        // As many as wait at most, and more.
        for tag in 0..400 {
            served.send(SendMode::Reliable, &Message::empty(tag)).await.unwrap();
        }
        served.ping(SendMode::Reliable, &Message::empty(999)).await.unwrap();
        for tag in 0..255 {
            assert_eq!(soon(client.recv()).await.unwrap().tag(), tag);
        }
        expect_attention(&client, served).await;
    });
}

#[test]
fn what_a_server_said_last_is_heard_by_a_client_whose_own_message_met_a_closed_socket() {
    runtime().block_on(async {
        let (client, script) = played(|mut served| {
            served.stream.write(&frame(&user(1, b"welcome")));
            // As the original: it closes at once, with what the client sends meanwhile unread.
            served.stream.write(&frame(&user(2, b"kicked")));
        })
        .await;
        script.join().unwrap();
        // Each meets a socket that has gone, and the second one hears of it.
        for tag in 0..3 {
            let sent = client.try_send(SendMode::Reliable, &Message::empty(tag));
            assert!(matches!(sent, Ok(()) | Err(SendError::Closed)), "{sent:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(soon(client.recv()).await.unwrap().tag(), 1);
        assert_eq!(soon(client.recv()).await.unwrap().tag(), 2);
        assert_eq!(soon(client.recv()).await, None);
        let reason = client.close_reason().unwrap();
        assert!(matches!(reason.kind, CloseKind::EndOfStream | CloseKind::Transport(_)), "{reason}");
    });
}

#[test]
fn what_a_server_said_last_is_heard_behind_more_than_waits_for_an_application() {
    runtime().block_on(async {
        const MESSAGES: u16 = 2000;
        let (client, script) = played(|mut served| {
            // At once, and short enough for the client's socket: what has not left this one is lost with it.
            let all: Vec<u8> = (0..=MESSAGES).flat_map(|tag| frame(&user(tag, b"said"))).collect();
            served.stream.write(&all);
        })
        .await;
        script.join().unwrap();
        while client.try_send(SendMode::Reliable, &Message::empty(1)).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
        for tag in 0..=MESSAGES {
            assert_eq!(soon(client.recv()).await.expect("nothing is lost").tag(), tag);
        }
        assert_eq!(soon(client.recv()).await, None);
    });
}

#[test]
fn a_datagram_that_came_before_the_end_is_delivered_before_it() {
    let here = Builder::new_current_thread().enable_all().build().unwrap();
    here.block_on(async {
        for _ in 0..20 {
            let (client, script) = played(|served| served.send_datagram(&user(3, b"last"))).await;
            // Nobody looks until both are there.
            script.join().unwrap();
            assert_eq!(soon(client.recv()).await.expect("the datagram was there").tag(), 3);
            assert_eq!(soon(client.recv()).await, None);
        }
    });
}

#[test]
fn a_burst_of_datagrams_longer_than_the_queue_is_offered_to_the_socket_before_any_is_dropped() {
    for (count, length) in [(70, 1_000), (10, 10_000), (3, 65_500)] {
        runtime().block_on(async {
            let (_server, client, served) = pair().await;
            let message = Message::new(1, vec![0; length]);
            for _ in 0..count {
                client.send(SendMode::Unreliable, &message).await.unwrap();
            }
            assert_eq!(client.statistics().unsent_dropped, 0, "{count} of {length}");
            drop(served);
        });
    }
}
