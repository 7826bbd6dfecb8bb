//! C: connecting, being counted, and leaving.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener};

use darkrift_driver::ConnectError;
use darkrift_driver::proto::{CloseKind, CloseReason, Initiator};
use futures::future::join_all;

use crate::harness::{
    Pair, client_of, client_with, expect_end, loopback, next_client, server, server_with, soon, until,
};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

pub async fn c1_one_client_connects<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    assert!(pair.client.is_connected());
    assert_eq!(pair.server.connected(), 1);
}

pub async fn c2_five_clients_connect_with_distinct_ids<A: Adapter>() {
    let server = server::<A>().await;
    let clients = join_all((0..5).map(|_| client_of::<A>(&server))).await;
    assert_eq!(server.connected(), 5);
    let ids: BTreeSet<_> = clients.iter().map(Client::id).collect();
    assert_eq!(ids.len(), 5);
}

pub async fn c3_a_client_that_disconnects_is_counted_no_more<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    soon::<A, _>("closing", pair.client.close()).await;
    assert_eq!(expect_end::<A>(&pair.client).await, CloseReason::new(Initiator::User, CloseKind::Requested));
    assert_eq!(
        expect_end::<A>(&pair.served).await,
        CloseReason::new(Initiator::Peer, CloseKind::EndOfStream)
    );
    until::<A>("the client to be counted no more", || pair.server.connected() == 0).await;
    assert_eq!(pair.server.statistics().closed_by_peer, 1);
}

pub async fn c4_ids_begin_at_0_and_go_up<A: Adapter>() {
    let server = server::<A>().await;
    let first = client_of::<A>(&server).await;
    let second = client_of::<A>(&server).await;
    assert_eq!((first.id().get(), second.id().get()), (0, 1));
}

pub async fn c5_a_server_starts_again_at_once_on_the_same_port<A: Adapter>() {
    let first = Pair::<A>::new().await;
    let address = first.server.tcp_address();
    soon::<A, _>("the shutdown", first.server.shutdown()).await;
    let again = A::bind(address, ServerSettings::default()).await.expect("the port is free");
    let client = client_of::<A>(&again).await;
    assert_eq!(client.id(), next_client::<A>(&again).await.id());
}

pub async fn c6_tcp_and_udp_may_have_different_ports<A: Adapter>() {
    let server = server_with::<A>(ServerSettings::with(|settings| settings.udp_port = Some(0))).await;
    assert_ne!(server.tcp_address().port(), server.udp_address().port());
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    Pair::<A> { server, client, served }.works().await;
}

pub async fn c7_a_server_listens_on_ipv6<A: Adapter>() {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let server = A::bind(address, ServerSettings::default()).await.expect("there is an IPv6 loopback");
    assert!(server.tcp_address().is_ipv6());
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    Pair::<A> { server, client, served }.works().await;
}

pub async fn c7_a_scope_that_means_nothing_is_no_matter<A: Adapter>() {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let server = A::bind(address, ServerSettings::default()).await.expect("there is an IPv6 loopback");
    let scoped = SocketAddrV6::new(Ipv6Addr::LOCALHOST, server.tcp_address().port(), 0, 1).into();
    let client =
        A::connect(scoped, ClientSettings::default()).await.expect("the loopback interface is the first");
    let served = next_client::<A>(&server).await;
    Pair::<A> { server, client, served }.works().await;
}

pub async fn c7_the_address_that_means_any_is_this_machine<A: Adapter>() {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let server = A::bind(address, ServerSettings::default()).await.expect("a free port");
    assert!(server.tcp_address().ip().is_unspecified());
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    Pair::<A> { server, client, served }.works().await;
}

/// That nothing is left behind is counted in the tests of what remains, which have a process of their own.
pub async fn c8_a_port_that_nobody_listens_on_is_an_error_at_once<A: Adapter>() {
    // A port that was free a moment ago. Nobody else takes it before the ports above it were handed out.
    let nobody =
        TcpListener::bind(loopback()).and_then(|listener| listener.local_addr()).expect("a free port");
    // Much longer than the ten seconds that the answer may take.
    let patient = ClientSettings::with(|settings| {
        settings.config.connect_timeout = std::time::Duration::from_secs(600);
    });
    let result = soon::<A, _>("the refusal", A::connect(nobody, patient)).await;
    match result.map(|client| client.id()) {
        Err(ConnectError::Tcp { address, source }) => {
            assert_eq!((address, source.kind()), (nobody, io::ErrorKind::ConnectionRefused));
        }
        other => panic!("{other:?}"),
    }
    // And it is no matter of the first attempt.
    let server = server::<A>().await;
    client_with::<A>(&server, ClientSettings::default()).await;
}
