//! What peers do to a server that want it to fail, with sockets of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use darkrift_testsuite::raw::{RawClient, user};
use darkrift_tokio::{Client, Server, ServerBuilder};

/// A server on this machine alone.
async fn bind(builder: ServerBuilder) -> (Server, SocketAddr) {
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    (server, address)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

/// Runs what blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_sends_its_token_to_every_host_is_answered_by_this_one() {
    use darkrift_driver::proto::{Message, SendMode};
    use darkrift_testsuite::raw::acknowledgement;
    use std::net::{IpAddr, Ipv4Addr};

    run(async {
        let server = Server::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), 0)).await.unwrap();
        let port = server.local_addr().port();
        let client = blocking(move || {
            // Nothing can be sent from this address.
            let every_host = SocketAddr::from((Ipv4Addr::new(127, 255, 255, 255), port));
            let mut client = RawClient::open((Ipv4Addr::LOCALHOST, port).into(), every_host);
            client.udp.set_broadcast(true).unwrap();
            client.pair();
            client
        })
        .await;
        let served = server.accept().await.unwrap();
        served.send(SendMode::Unreliable, &Message::empty(1)).await.unwrap();
        let (message, client) = blocking(move || (client.receive_datagram(), client)).await;
        assert_eq!(message, [0, 0, 1]);
        client.send_datagram(&client.hello);
        let (again, client) = blocking(move || (client.receive_datagram(), client)).await;
        assert_eq!(again, acknowledgement(&client.hello));
    });
}

#[test]
fn a_token_repeated_without_end_is_answered_now_and_then_and_what_is_behind_it_arrives() {
    run(async {
        let (server, address) = bind(Server::builder()).await;
        let attacker = blocking(move || RawClient::join(address, address)).await;
        let served = server.accept().await.unwrap();
        let begun = Instant::now();
        let (attacker, answers) = blocking(move || {
            let mut answers = 0;
            attacker.udp.set_nonblocking(true).unwrap();
            for _ in 0..20_000 {
                attacker.send_datagram(&attacker.hello);
                answers += u32::from(attacker.udp.recv(&mut [0; 64]).is_ok());
            }
            (attacker, answers)
        })
        .await;
        // As many windows of a second may have begun, and one of them before this did.
        let most = 32 * (begun.elapsed().as_secs() as u32 + 2);
        assert!((1..=most).contains(&answers), "{answers} answers");
        // Datagrams may be lost in such a flood. It is over.
        for tag in 0.. {
            attacker.send_datagram(&user(tag, b"behind it"));
            if let Ok(received) = tokio::time::timeout(Duration::from_millis(10), served.recv()).await {
                assert_eq!(received.unwrap().payload()[..], *b"behind it");
                break;
            }
        }
    });
}

#[test]
fn clients_that_are_not_let_in_and_do_not_go_take_nobodys_place() {
    run(async {
        let is_open = Arc::new(AtomicBool::new(false));
        let opened = is_open.clone();
        let builder = Server::builder().max_clients(2).on_connect(move |_| opened.load(Ordering::Relaxed));
        let (server, address) = bind(builder).await;
        let rejected = blocking(move || {
            let reject = || {
                let mut client = RawClient::open(address, address);
                client.pair();
                assert_eq!(client.stream.read_to_end(), []);
                client
            };
            [reject(), reject(), reject()]
        })
        .await;
        assert_eq!(server.len(), 0);
        is_open.store(true, Ordering::Relaxed);
        // The sockets of those are all still there, on their side.
        let clients = [Client::connect(address).await.unwrap(), Client::connect(address).await.unwrap()];
        assert_eq!((server.len(), server.statistics().refused_full), (2, 0));
        Client::connect(address).await.unwrap_err();
        assert_eq!((server.len(), server.statistics().refused_full), (2, 1));
        drop((rejected, clients));
    });
}
