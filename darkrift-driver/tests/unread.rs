//! Connections whose application takes none of its messages.

mod mock;

use std::time::Duration;

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message, SendMode};
use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run, sleep};

/// More looks at a socket than one turn makes, and fewer messages than a connection holds.
const MANY: u16 = 100;

/// A client that is connected to a server, and the server's side of it, which nobody has looked at for a while.
async fn pair() -> (Server<Mock>, Client<Mock>, Client<Mock>) {
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
    let served = server.accept().await.unwrap();
    sleep(Duration::from_secs(1)).await;
    (server, client, served)
}

fn send_many(from: &Client<Mock>) {
    for _ in 0..MANY {
        from.try_send(SendMode::Reliable, &Message::new(1, vec![0; 20])).unwrap();
    }
}

#[test]
fn a_ping_behind_many_datagrams_that_nobody_takes_is_answered() {
    run(1, Faults::default(), async {
        let (_server, client, served) = pair().await;
        // Fewer than the mock's socket holds.
        for _ in 0..50 {
            served.try_send(SendMode::Unreliable, &Message::empty(1)).unwrap();
        }
        served.try_ping(SendMode::Unreliable, &Message::empty(2)).unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(client.statistics().unreliable_received, 51);
        assert!(served.round_trip().is_some());
    });
}

#[test]
fn a_ping_behind_many_short_reads_that_nobody_takes_is_answered() {
    run(1, Faults { most: 10, ..Faults::default() }, async {
        let (_server, client, served) = pair().await;
        send_many(&served);
        served.try_ping(SendMode::Reliable, &Message::empty(2)).unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(client.statistics().reliable_received, u64::from(MANY) + 1);
        assert!(served.round_trip().is_some());
    });
}

#[test]
fn the_end_behind_many_short_reads_that_nobody_takes_is_noticed() {
    run(1, Faults { most: 10, ..Faults::default() }, async {
        let (_server, client, served) = pair().await;
        send_many(&client);
        drop(client.close());
        let ended = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
        assert_eq!(served.closed().await, ended);
        for _ in 0..MANY {
            assert!(served.recv().await.is_some());
        }
        assert_eq!(served.recv().await, None);
    });
}

#[test]
fn a_connection_that_is_full_of_what_nobody_takes_rests() {
    run(1, Faults { most: 10, ..Faults::default() }, async {
        let (_server, client, served) = pair().await;
        // More than it holds, and the sockets keep some of it.
        for _ in 0..2000 {
            served.try_send(SendMode::Reliable, &Message::new(1, vec![0; 100])).unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        let calls = Mock::default().calls();
        sleep(Duration::from_secs(60)).await;
        assert_eq!(Mock::default().calls(), calls);
        assert!(client.is_connected() && served.is_connected());
        for _ in 0..2000 {
            assert!(client.recv().await.is_some());
        }
    });
}
