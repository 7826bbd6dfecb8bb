//! Broadcasts to more clients than are written to within the call.

mod mock;

use std::time::Duration;

use darkrift_driver::proto::{Limits, Message, SendMode};
use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run, sleep};

const CLIENTS: usize = 300;
const IN_A_ROW: u16 = 3;

/// A server, its clients, and its side of each by ascending id.
async fn crowd() -> (Server<Mock>, Vec<Client<Mock>>, Vec<Client<Mock>>) {
    crowd_with(|_| {}, |_| {}).await
}

/// The same with limits changed on either side.
async fn crowd_with(
    of_server: impl FnOnce(&mut Limits),
    of_clients: impl Fn(&mut Limits),
) -> (Server<Mock>, Vec<Client<Mock>>, Vec<Client<Mock>>) {
    let server = Server::<Mock>::builder().limits(of_server).bind(anywhere()).await.unwrap();
    let (mut clients, mut served) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        let client = Client::<Mock>::builder().limits(&of_clients);
        clients.push(client.connect(server.local_addr()).await.unwrap());
        served.push(server.accept().await.unwrap());
    }
    (server, clients, served)
}

fn broadcast(server: &Server<Mock>, mode: SendMode) {
    for number in 0..IN_A_ROW {
        let sent = server.broadcast(mode, &Message::encode(number, "for all").unwrap()).unwrap();
        assert_eq!((sent.sent, sent.behind), (CLIENTS, Vec::new()));
    }
}

/// Sees that this client gets each of them, in order, and nothing else before `end`.
async fn receives(client: &Client<Mock>, end: u16) {
    for number in (0..IN_A_ROW).chain([end]) {
        assert_eq!(client.recv().await.expect("it is connected").tag(), number);
    }
}

#[test]
fn everyone_gets_each_message_once_and_in_order() {
    const END: u16 = 9;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        run(1, Faults::default(), async {
            let (server, clients, served) = crowd().await;
            broadcast(&server, mode);
            for (client, served) in clients.iter().zip(&served) {
                // Behind what is queued already.
                served.try_send(mode, &Message::encode(END, "the last").unwrap()).unwrap();
                receives(client, END).await;
            }
        });
    }
}

#[test]
fn the_others_get_it_whoever_leaves_meanwhile() {
    for every in [2, 64, 100] {
        run(1, Faults::default(), async {
            let (server, clients, served) = crowd().await;
            broadcast(&server, SendMode::Reliable);
            // Before any task has run, and among them those whose tasks would send for others.
            for (number, served) in served.iter().enumerate() {
                if number % every == every - 1 || number == CLIENTS - 1 {
                    drop(served.close());
                }
            }
            for client in &clients {
                for number in 0..IN_A_ROW {
                    assert_eq!(client.recv().await.expect("what was queued leaves").tag(), number);
                }
            }
        });
    }
}

#[test]
fn a_client_whose_socket_fails_as_a_broadcast_makes_room_is_seen_to_have_gone() {
    run(1, Faults::default(), async {
        let (server, mut clients, mut served) =
            crowd_with(|limits| limits.reliable_queue = 1000, |limits| limits.linger = Duration::ZERO).await;
        // More than is held of what nobody takes: its stream is not read, and its end is not seen there.
        let (leaving, its_side) = (clients.remove(130), served.remove(130));
        for _ in 0..300 {
            leaving.try_send(SendMode::Reliable, &Message::new(1, vec![0; 20])).unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        leaving.close().await;
        sleep(Duration::from_secs(1)).await;
        assert!(its_side.is_connected());
        for _ in 0..2 {
            server.broadcast(SendMode::Reliable, &Message::new(2, vec![0; 900])).unwrap();
        }
        its_side.closed().await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!((server.len(), server.statistics().accepted), (CLIENTS - 1, CLIENTS as u64));
    });
}
