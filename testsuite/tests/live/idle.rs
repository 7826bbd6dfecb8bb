//! The idle timeout, on sockets of tokio's and a clock of the test's.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message};
use darkrift_driver::{Client, Server};
use tokio::time::timeout;

use crate::on_tokio;
use crate::watched::Watched;
use crate::{RELIABLE, UNRELIABLE};

const LIMIT: Duration = Duration::from_millis(100);
/// Less than the limit, and twice it is more.
const MOST: Duration = Duration::from_millis(60);

/// A server and its client, with these limits, and the server's side of the client; both have one clock.
async fn pair(
    of_client: Option<Duration>,
    of_server: Option<Duration>,
) -> (Arc<Watched>, Server<Watched>, Client<Watched>, Client<Watched>) {
    let runtime = Arc::new(Watched::default());
    let builder = Server::builder().idle_timeout(of_server);
    let server = builder.bind_on(runtime.clone(), "127.0.0.1:0").await.unwrap();
    let builder = Client::builder().idle_timeout(of_client);
    let client = builder.connect_on(runtime.clone(), server.local_addr()).await.unwrap();
    let served = server.accept().await.unwrap();
    (runtime, server, client, served)
}

/// Passes time until this has happened: a deadline that is noticed late is believed a moment later.
async fn passing<T>(runtime: &Watched, what: impl Future<Output = T>) -> T {
    let mut what = pin!(what);
    loop {
        match timeout(Duration::from_millis(1), what.as_mut()).await {
            Ok(output) => return output,
            Err(_) => runtime.advance(MOST),
        }
    }
}

const IDLE: CloseReason = CloseReason::new(Initiator::Local, CloseKind::IdleTimeout(LIMIT));
const TOLD: CloseReason = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);

#[test]
fn a_client_that_is_silent_for_the_servers_limit_is_disconnected() {
    on_tokio(async {
        let (runtime, server, client, served) = pair(None, Some(LIMIT)).await;
        runtime.advance(LIMIT);
        assert_eq!(served.closed().await, IDLE);
        assert_eq!(client.closed().await, TOLD);
        crate::until(|| server.statistics().closed_by_protocol == 1).await;
        assert!(server.is_empty());
    });
}

#[test]
fn a_server_that_is_silent_for_the_clients_limit_is_given_up() {
    on_tokio(async {
        let (runtime, server, client, served) = pair(Some(LIMIT), None).await;
        runtime.advance(LIMIT);
        assert_eq!(client.closed().await, IDLE);
        assert_eq!(served.closed().await, TOLD);
        crate::until(|| server.statistics().closed_by_peer == 1).await;
    });
}

#[test]
fn whoever_says_something_now_and_then_is_kept_and_closed_once_it_falls_silent() {
    on_tokio(async {
        for mode in [RELIABLE, UNRELIABLE] {
            for limits in [(Some(LIMIT), None), (None, Some(LIMIT))] {
                let (runtime, _server, client, served) = pair(limits.0, limits.1).await;
                let (talking, listening) =
                    if limits.0.is_some() { (&served, &client) } else { (&client, &served) };
                for tag in 0..20 {
                    runtime.advance(MOST);
                    talking.send(mode, &Message::empty(tag)).await.unwrap();
                    assert_eq!(listening.recv().await.expect("it is open").tag(), tag);
                }
                runtime.advance(LIMIT);
                assert_eq!(passing(&runtime, listening.closed()).await, IDLE);
            }
        }
    });
}

#[test]
fn without_a_limit_a_silent_peer_is_kept() {
    on_tokio(async {
        let (runtime, server, client, served) = pair(None, None).await;
        for _ in 0..20 {
            runtime.advance(Duration::from_secs(3600));
            tokio::task::yield_now().await;
        }
        client.send(RELIABLE, &Message::empty(1)).await.unwrap();
        assert_eq!(served.recv().await.expect("it is open").tag(), 1);
        assert_eq!(server.len(), 1);
    });
}

#[test]
fn a_silent_peer_is_closed_by_the_systems_clock_too() {
    on_tokio(async {
        let server = darkrift_tokio::Server::builder().idle_timeout(Some(LIMIT));
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let client = darkrift_tokio::Client::connect(server.local_addr()).await.unwrap();
        let served = server.accept().await.unwrap();
        assert_eq!(served.closed().await, IDLE);
        assert_eq!(client.closed().await, TOLD);

        let server = darkrift_tokio::Server::bind("127.0.0.1:0").await.unwrap();
        let client = darkrift_tokio::Client::builder().idle_timeout(Some(LIMIT));
        let client = client.connect(server.local_addr()).await.unwrap();
        let served = server.accept().await.unwrap();
        assert_eq!(client.closed().await, IDLE);
        assert_eq!(served.closed().await, TOLD);
    });
}
