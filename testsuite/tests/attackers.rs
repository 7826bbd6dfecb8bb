//! What peers do to a server that want it to fail, with sockets of their own.

use std::net::{Ipv4Addr, SocketAddr};

use darkrift_driver::proto::{Message, SendMode};
use darkrift_testsuite::raw::{RawClient, acknowledgement};
use darkrift_tokio::Server;

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
    run(async {
        let server = Server::bind((std::net::IpAddr::from(Ipv4Addr::UNSPECIFIED), 0)).await.unwrap();
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
