//! Queues that are full, or seem so: whoever sends much at once is refused only where the socket takes no more.

mod mock;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use darkrift_driver::proto::{EncodeError, Message, SendError, SendMode, ToMessage, Writer};
use darkrift_driver::{Behind, Client, Server};
use mock::{Faults, Mock, anywhere, run, sleep, spawn};

/// What a queue holds at most by default.
const QUEUE: usize = 1 << 20;

/// Sockets that hold more than the queues.
const ROOMY: Faults = Faults {
    capacity: 8 * QUEUE,
    most: 8 * QUEUE,
    would_block: 0,
    interrupted: 0,
    datagram_errors: 0,
    lost: 0,
    fails: None,
    takes: Duration::ZERO,
};

/// A message of so many bytes that counts how often it is encoded.
struct Counted {
    length: usize,
    encoded: Arc<AtomicUsize>,
}

impl ToMessage for Counted {
    fn tag(&self) -> u16 {
        7
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        writer.write_raw(&vec![0; self.length]);
        Ok(())
    }
}

async fn pair() -> (Server<Mock>, Client<Mock>, Client<Mock>) {
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
    let served = server.accept().await.unwrap();
    (server, client, served)
}

/// Sends this message until the peer, which takes nothing, has what may wait there, and the socket and the queue are full.
async fn fill(sender: &Client<Mock>) -> Message {
    let message = Message::new(1, vec![0; 4000]);
    for _ in 0..10 {
        while sender.try_send(SendMode::Reliable, &message).is_ok() {}
        sleep(Duration::from_secs(1)).await;
    }
    message
}

#[test]
fn broadcasts_of_more_than_a_queue_holds_leave_at_once_where_the_sockets_take_them() {
    run(1, ROOMY, async {
        let server = Server::<Mock>::builder().behind(Behind::Disconnect).bind(anywhere()).await.unwrap();
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            clients.push(Client::<Mock>::connect(server.local_addr()).await.unwrap());
            served.push(server.accept().await.unwrap());
        }
        let message = Message::new(1, vec![0; 4000]);
        for _ in 0..2 * QUEUE / 4000 {
            let report = server.broadcast(SendMode::Reliable, &message).unwrap();
            assert_eq!((report.sent, report.behind), (3, Vec::new()));
        }
        for client in &clients {
            for _ in 0..2 * QUEUE / 4000 {
                assert_eq!(*client.recv().await.expect("it is connected").message(), message);
            }
        }
    });
}

#[test]
fn so_do_the_messages_of_one_connection() {
    run(1, ROOMY, async {
        let (_server, client, served) = pair().await;
        let message = Message::new(1, vec![0; 4000]);
        for _ in 0..2 * QUEUE / 4000 {
            client.try_send(SendMode::Reliable, &message).unwrap();
        }
        for _ in 0..2 * QUEUE / 4000 {
            assert_eq!(*served.recv().await.unwrap().message(), message);
        }
    });
}

#[test]
fn where_the_socket_takes_no_more_a_message_is_refused_and_the_socket_left_alone() {
    run(1, Faults { capacity: 1000, ..ROOMY }, async {
        let (_server, client, _served) = pair().await;
        let message = fill(&client).await;
        let calls = Mock::default().calls();
        for _ in 0..100 {
            let refused = client.try_send(SendMode::Reliable, &message);
            assert!(matches!(refused, Err(SendError::Full { .. })), "{refused:?}");
        }
        assert_eq!(Mock::default().calls(), calls);
    });
}

#[test]
fn a_message_that_waits_for_room_is_not_encoded_again_each_time_that_some_is_made() {
    run(1, Faults { most: 20_000, ..Faults::default() }, async {
        let (_server, client, served) = pair().await;
        fill(&served).await;
        let encoded = Arc::new(AtomicUsize::new(0));
        // Longer than the queue, so that all before it has to leave.
        let message = Counted { length: 2 * QUEUE, encoded: encoded.clone() };
        spawn(async move { served.send(SendMode::Reliable, &message).await.unwrap() });
        loop {
            sleep(Duration::from_millis(1)).await;
            let received = client.recv().await.unwrap();
            if received.tag() == 7 {
                assert_eq!(received.payload().len(), 2 * QUEUE);
                break;
            }
        }
        // As it was tried, as it was tried again behind what the socket took, and to wait.
        assert!(encoded.load(Ordering::Relaxed) <= 3, "{encoded:?}");
    });
}

#[test]
fn a_burst_of_datagrams_past_a_short_queue_is_offered_to_the_socket_before_any_is_dropped() {
    for queue in [0, 1 << 10, 16 << 10, 64 << 10] {
        run(1, Faults::default(), async {
            let server = Server::<Mock>::bind(anywhere()).await.unwrap();
            let client = Client::<Mock>::builder().limits(|limits| limits.unreliable_queue = queue);
            let client = client.connect(server.local_addr()).await.unwrap();
            let _served = server.accept().await.unwrap();
            for _ in 0..100 {
                client.try_send(SendMode::Unreliable, &Message::new(1, vec![0; 500])).unwrap();
            }
            sleep(Duration::from_secs(1)).await;
            assert_eq!(client.statistics().unsent_dropped, 0, "{queue}");
            assert_eq!(client.statistics().datagram_bytes_sent, 100 * 503 + 9);
        });
    }
}
