//! What remains when a game loop's client and server are dropped. It counts what the whole process has open, at once and
//! not after a while, so it is the only test of its process.
#![cfg(target_os = "linux")] // What lists the open sockets is.

use darkrift_std::{Client, Event, Server};
use darkrift_testsuite::counted::files;

/// Without a runtime there are no tasks to wait for: what is dropped is gone.
#[test]
fn dropping_a_client_and_a_server_of_a_game_loop_closes_every_socket() {
    for is_server_first in [true, false] {
        let before = files();
        let mut server = Server::bind("127.0.0.1:0").expect("a free port");
        let mut clients: Vec<_> =
            (0..5).map(|_| Client::begin(server.local_addr()).expect("there are sockets")).collect();
        while server.len() < clients.len() || !clients.iter().all(Client::is_connected) {
            server.update();
            for client in &mut clients {
                client.update();
                while let Some(event) = client.next_event() {
                    assert!(matches!(event, Event::Connected(_)), "{event:?}");
                }
            }
        }
        assert!(files() > before + 10);
        // One that was never looked at again, too.
        let unfinished = Client::begin(server.local_addr()).expect("there are sockets");
        if is_server_first {
            drop(server);
            drop((clients, unfinished));
        } else {
            drop((clients, unfinished));
            drop(server);
        }
        assert_eq!(files(), before);
    }
}
