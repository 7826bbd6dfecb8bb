//! Broadcasts to more clients than are written to within the call.

mod mock;

use darkrift_driver::proto::{Message, SendMode};
use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run};

const CLIENTS: usize = 300;
const IN_A_ROW: u16 = 3;

/// A server, its clients, and its side of each by ascending id.
async fn crowd() -> (Server<Mock>, Vec<Client<Mock>>, Vec<Client<Mock>>) {
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let (mut clients, mut served) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        clients.push(Client::<Mock>::connect(server.local_addr()).await.unwrap());
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
