//! What a server counts: each thing where it belongs, and nowhere else.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message, Statistics, TransportError};
use darkrift_testsuite::harness::blocking;
use darkrift_testsuite::raw::{RawClient, frame};
use darkrift_tokio::{Client, Server, ServerBuilder};

use crate::{RELIABLE, UNRELIABLE, bind, crowd, join, on_tokio, until};

/// What is not zero of the counts of how connections began and ended.
fn counts(server: &Server) -> Vec<(&'static str, u64)> {
    let statistics = server.statistics();
    let mut counts = vec![
        ("accepted", statistics.accepted),
        ("refused_pending", statistics.refused_pending),
        ("refused_address", statistics.refused_address),
        ("refused_full", statistics.refused_full),
        ("rejected", statistics.rejected),
        ("timed_out", statistics.timed_out),
        ("abandoned", statistics.abandoned),
        ("closed_by_user", statistics.closed_by_user),
        ("closed_by_protocol", statistics.closed_by_protocol),
        ("closed_by_peer", statistics.closed_by_peer),
        ("closed_by_transport", statistics.closed_by_transport),
        ("behind", statistics.behind),
    ];
    counts.retain(|(_, count)| *count > 0);
    counts
}

/// Waits until everything that was counted is this.
async fn until_counts(server: &Server, expected: &[(&str, u64)]) {
    let total: u64 = expected.iter().map(|(_, count)| count).sum();
    until(|| counts(server).iter().map(|(_, count)| count).sum::<u64>() >= total).await;
    assert_eq!(counts(server), expected);
}

/// A connection that says nothing, behind the server's hello.
async fn knock(server: &Server) -> RawClient {
    let (tcp, udp) = (server.local_addr(), server.udp_addr());
    blocking(move || RawClient::open(tcp, udp)).await
}

/// Sees that a connection is refused before its hello.
async fn expect_refused(server: &Server) {
    let address = server.local_addr();
    let said = blocking(move || {
        let mut said = Vec::new();
        // A reset is a refusal, too.
        let _ = TcpStream::connect(address).unwrap().read_to_end(&mut said);
        said
    });
    assert_eq!(said.await, b"");
}

#[test]
fn a_connection_is_refused_while_too_many_wait_for_their_token() {
    on_tokio(async {
        for (all, of_one, counter) in [(2, 3, "refused_pending"), (3, 2, "refused_address")] {
            let server = bind(Server::builder().max_pending(all, of_one)).await;
            let waiting = [knock(&server).await, knock(&server).await];
            assert_eq!(server.statistics().pending, 2);
            expect_refused(&server).await;
            until_counts(&server, &[(counter, 1)]).await;
            drop(waiting);
            until_counts(&server, &[(counter, 1), ("abandoned", 2)]).await;
            assert_eq!(server.statistics().pending, 0);
            drop(join(&server).await);
        }
    });
}

#[test]
fn a_client_that_is_refused_for_its_address_is_told_that_this_may_be_why() {
    on_tokio(async {
        let server = bind(Server::builder().max_pending(2, 1)).await;
        let _waiting = knock(&server).await;
        let error = Client::connect(server.local_addr()).await.expect_err("one of its address waits");
        assert!(error.to_string().ends_with(", or too many from this address are connecting"), "{error}");
    });
}

#[test]
fn a_connection_whose_token_does_not_come_is_counted_as_timed_out() {
    on_tokio(async {
        let server = bind(Server::builder().handshake_timeout(Duration::from_millis(50))).await;
        let mut silent = knock(&server).await;
        assert_eq!(blocking(move || silent.stream.read_to_end()).await, b"");
        until_counts(&server, &[("timed_out", 1)]).await;
    });
}

#[test]
fn a_connection_that_ends_before_its_token_came_is_counted_as_abandoned() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        drop(knock(&server).await);
        until_counts(&server, &[("abandoned", 1)]).await;
        assert_eq!(server.len(), 0);
    });
}

#[test]
fn a_client_that_the_hook_does_not_let_in_is_counted_as_rejected() {
    on_tokio(async {
        let server = bind(Server::builder().on_connect(|joining| joining.connected > 0)).await;
        Client::connect(server.local_addr()).await.expect_err("it is the first");
        until_counts(&server, &[("rejected", 1)]).await;
    });
}

#[test]
fn a_full_server_counts_whom_it_refuses_at_once_and_when_their_token_comes() {
    on_tokio(async {
        let server = bind(Server::builder().max_clients(1)).await;
        let mut early = knock(&server).await;
        let (_client, served) = join(&server).await;
        expect_refused(&server).await;
        until_counts(&server, &[("accepted", 1), ("refused_full", 1)]).await;
        // This one came while there was room, and its token comes when there is none.
        let ended = blocking(move || {
            early.send_datagram(&early.hello);
            early.stream.read_to_end()
        });
        assert_eq!(ended.await, b"", "it is no client");
        until_counts(&server, &[("accepted", 1), ("refused_full", 2)]).await;
        assert!(served.is_connected());
    });
}

/// A server with one client, which a raw peer plays, and its side of it.
async fn raw_pair(builder: ServerBuilder) -> (Server, RawClient, Client) {
    let server = bind(builder).await;
    let (tcp, udp) = (server.local_addr(), server.udp_addr());
    let raw = blocking(move || RawClient::join(tcp, udp)).await;
    let served = server.accept().await.unwrap();
    (server, raw, served)
}

#[test]
fn a_client_that_the_application_ends_is_counted_as_closed_by_the_user() {
    on_tokio(async {
        let (server, _clients, mut served) = crowd(Server::builder(), 3).await;
        served[0].close().await;
        until_counts(&server, &[("accepted", 3), ("closed_by_user", 1)]).await;
        drop(served.remove(1));
        until_counts(&server, &[("accepted", 3), ("closed_by_user", 2)]).await;
        server.shutdown().await;
        until_counts(&server, &[("accepted", 3), ("closed_by_user", 3)]).await;
    });
}

#[test]
fn a_client_that_leaves_is_counted_as_closed_by_the_peer() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let (client, _served) = join(&server).await;
        client.close().await;
        until_counts(&server, &[("accepted", 1), ("closed_by_peer", 1)]).await;
    });
}

#[test]
fn a_client_that_breaks_the_protocol_is_counted_as_closed_by_it() {
    on_tokio(async {
        let (server, mut raw, served) = raw_pair(Server::builder()).await;
        raw.stream.write(&(-1_i32).to_be_bytes());
        assert_eq!(served.closed().await.initiator, Initiator::Local);
        until_counts(&server, &[("accepted", 1), ("closed_by_protocol", 1)]).await;
    });
}

#[test]
fn a_client_that_the_network_lost_is_counted_as_closed_by_the_transport() {
    on_tokio(async {
        let (server, raw, served) = raw_pair(Server::builder()).await;
        served.send(RELIABLE, &Message::new(1, vec![0; 100])).await.unwrap();
        // A socket that is closed with something unread is reset.
        let mut raw = blocking(move || {
            let mut raw = raw;
            raw.stream.read(4);
            raw
        })
        .await;
        raw.stream.write(&frame(&[0, 0, 2]));
        assert_eq!(served.recv().await.expect("it is open").tag(), 2);
        drop(raw);
        let reset = CloseReason::new(Initiator::Transport, CloseKind::Transport(TransportError::Reset));
        assert_eq!(served.closed().await, reset);
        until_counts(&server, &[("accepted", 1), ("closed_by_transport", 1)]).await;
    });
}

type Count = fn(&Statistics) -> u64;

/// What the server counts on all connections, and what its clients count together.
const BOTH_WAYS: [(Count, Count); 6] = [
    (|server| server.reliable_received, |client| client.reliable_sent),
    (|server| server.reliable_sent, |client| client.reliable_received),
    (|server| server.unreliable_received, |client| client.unreliable_sent),
    (|server| server.unreliable_sent, |client| client.unreliable_received),
    (|server| server.stream_bytes_received, |client| client.stream_bytes_sent),
    (|server| server.stream_bytes_sent, |client| client.stream_bytes_received),
];

fn expect_all_traffic(server: &Server, clients: &[Client]) {
    let traffic = server.statistics().traffic;
    for (of_server, of_client) in BOTH_WAYS {
        let of_clients: u64 = clients.iter().map(|client| of_client(&client.statistics())).sum();
        assert_eq!(of_server(&traffic), of_clients, "{traffic:?}");
    }
}

#[test]
fn the_traffic_of_a_server_is_that_of_all_its_clients_those_that_have_left_among_them() {
    on_tokio(async {
        let (server, clients, served) = crowd(Server::builder(), 3).await;
        for (number, (client, served)) in clients.iter().zip(&served).enumerate() {
            for mode in [RELIABLE, UNRELIABLE] {
                for count in 0..=number {
                    let message = Message::new(1, vec![0; count * 10]);
                    client.send(mode, &message).await.unwrap();
                    assert_eq!(served.recv().await.unwrap().message(), &message);
                    served.send(mode, &message).await.unwrap();
                    assert_eq!(client.recv().await.unwrap().message(), &message);
                }
            }
        }
        let traffic = server.statistics().traffic;
        assert_eq!((traffic.reliable_received, traffic.unreliable_sent), (6, 6));
        expect_all_traffic(&server, &clients);
        clients[1].close().await;
        until(|| {
            // Not for a moment is it less, or counted twice.
            expect_all_traffic(&server, &clients);
            server.len() == 2
        })
        .await;
        server.shutdown().await;
        expect_all_traffic(&server, &clients);
        assert_eq!(server.statistics().traffic, traffic);
    });
}
