//! F: what a server owes all its clients, whatever one of them does.

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message, SendError, SendMode};
use futures::future::join_all;

use crate::harness::{
    Pair, accounted, blocking, client_of, expect, expect_end, next_client, server_with, soon, start, text,
    until,
};
use crate::raw::{RawClient, frame, user};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

pub async fn f7_a_peer_that_never_reads_fills_its_queue_and_no_more_and_delays_nobody<A: Adapter>() {
    const ANSWER: usize = 60_000;
    /// Together a gigabyte of answers.
    const REQUESTS: usize = 17_000;
    let neighbour = Pair::<A>::new().await;
    let (tcp, udp) = (neighbour.server.tcp_address(), neighbour.server.udp_address());
    let raw = blocking(move || {
        let mut raw = RawClient::join(tcp, udp);
        raw.stream.write(&frame(&user(1, b"!")).repeat(REQUESTS));
        raw
    })
    .await;
    let served = next_client::<A>(&neighbour.server).await;
    let answering = {
        let served = served.clone();
        start::<A, _>(async move {
            let answer = Message::new(2, vec![0; ANSWER]);
            let mut answered = 0;
            while served.recv().await.is_some() {
                if served.send(SendMode::Reliable, &answer).await.is_err() {
                    break;
                }
                answered += 1;
            }
            answered
        })
    };
    // The sockets' own buffers take some of the answers; then the queue fills, and the handler waits.
    until::<A>("the queue to fill", || queued(&served.statistics(), ANSWER) > (1 << 20) - ANSWER).await;
    for _ in 0..200 {
        neighbour.works().await;
        assert!(queued(&served.statistics(), ANSWER) <= 1 << 20, "no more is queued than the limit");
    }
    assert!(served.is_connected());
    drop(raw);
    expect_closed::<A>(&served).await;
    let answered: usize = soon::<A, _>("the handler's end", answering).await;
    assert!(answered < REQUESTS, "{answered}");
    neighbour.works().await;
}

/// The bytes that `send` accepted and the socket has not taken.
fn queued(statistics: &darkrift_driver::proto::Statistics, answer: usize) -> usize {
    const HELLO_AND_CONFIGURE: usize = 9 + 9;
    const HEADERS: usize = 4 + 3;
    let accepted = statistics.reliable_sent as usize * (answer + HEADERS) + HELLO_AND_CONFIGURE;
    accepted - statistics.stream_bytes_sent as usize
}

async fn expect_closed<A: Adapter>(client: &A::Client) -> CloseReason {
    soon::<A, _>("the end", client.closed()).await
}

pub async fn f10_2_000_connections_leave_nothing_behind<A: Adapter>() {
    const AT_ONCE: usize = 20;
    const EACH: usize = 100;
    let server = server_with::<A>(ServerSettings::default()).await;
    let accepting = {
        let server = server.clone();
        start::<A, _>(async move {
            while let Some(client) = server.accept().await {
                // Every other one is dropped at once, and disconnected by that if it has not left already.
                if client.id().get() % 2 == 0 {
                    A::spawn(async move { while client.recv().await.is_some() {} });
                }
            }
        })
    };
    let storm = join_all((0..AT_ONCE).map(|_| {
        let server = server.clone();
        start::<A, _>(async move {
            for _ in 0..EACH {
                client_of::<A>(&server).await.close().await;
            }
        })
    }));
    accounted::<A, _>("the storm's end", storm).await;
    until::<A>("nobody to be left", || {
        let statistics = server.statistics();
        (statistics.connected, statistics.pending) == (0, 0)
    })
    .await;
    assert_eq!(server.statistics().accepted, (AT_ONCE * EACH) as u64);
    // Whoever comes next gets in, with an id that nobody had.
    assert_eq!(usize::from(client_of::<A>(&server).await.id().get()), AT_ONCE * EACH);
    soon::<A, _>("the shutdown", server.shutdown()).await;
    soon::<A, _>("the last accept", accepting).await;
}

pub async fn f14_a_server_that_stops_tells_its_clients_and_frees_its_ports<A: Adapter>() {
    const CLIENTS: usize = 10;
    const COUNT: u16 = 100;
    let server = server_with::<A>(ServerSettings::default()).await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let mut pairs = Vec::new();
    for _ in 0..CLIENTS {
        let client = client_of::<A>(&server).await;
        pairs.push((client, next_client::<A>(&server).await));
    }
    for (_, served) in &pairs {
        for tag in 0..COUNT {
            served.try_send(SendMode::Reliable, &text(tag, "before the end")).expect("there is room");
        }
    }
    let stopping = start::<A, _>({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    for (client, served) in &pairs {
        for tag in 0..COUNT {
            expect::<A>(client, SendMode::Reliable, &text(tag, "before the end")).await;
        }
        let told = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
        assert_eq!(expect_end::<A>(client).await, told);
        let reason = CloseReason::new(Initiator::User, CloseKind::Shutdown);
        assert_eq!(expect_end::<A>(served).await, reason);
    }
    soon::<A, _>("the shutdown", stopping).await;
    assert!(soon::<A, _>("the last accept", server.accept()).await.is_none());
    UdpSocket::bind(udp).expect("the UDP port is free");
    // The system keeps the port of connections that ended a moment ago, and lets it be taken for listening again.
    let again = A::bind(tcp, ServerSettings::default()).await.expect("the TCP port is free");
    assert_eq!(again.tcp_address(), tcp);
    assert!(TcpListener::bind(tcp).is_err(), "it is in use again");
}

/// The linger time is for peers that do not read at all: this one is slow, and has everything.
pub async fn f14_a_server_that_stops_sends_a_slow_reader_all_that_is_queued<A: Adapter>() {
    const LONG: usize = 10_000;
    let server = server_with::<A>(ServerSettings::with(|settings| {
        settings.config.limits.linger = Duration::from_secs(600);
    }))
    .await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let mut raw = blocking(move || RawClient::join(tcp, udp)).await;
    let served = next_client::<A>(&server).await;
    // The sockets' own buffers are full, and so is the queue.
    let (mut count, mut refused) = (0, 0);
    while refused < 10 {
        match served.try_send(SendMode::Reliable, &Message::new(count, vec![7; LONG])) {
            Ok(()) => (count, refused) = (count + 1, 0),
            Err(SendError::Full { .. }) => {
                refused += 1;
                A::sleep(Duration::from_millis(1)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let stopping = start::<A, _>({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    let reason = CloseReason::new(Initiator::User, CloseKind::Shutdown);
    assert_eq!(expect_end::<A>(&served).await, reason);
    let reading = blocking(move || {
        for tag in 0..count {
            assert_eq!(raw.stream.read_message(), user(tag, &[7; LONG]));
            if tag % 10 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        raw.stream.read_to_end()
    });
    assert_eq!(accounted::<A, _>("the last of it", reading).await, b"");
    soon::<A, _>("the shutdown", stopping).await;
}

/// Only where dropping a handle disconnects, and a task's panic is caught by its runtime.
pub async fn f15_a_handler_that_panics_loses_its_client_and_no_other<A: Adapter>() {
    let server = server_with::<A>(ServerSettings::default()).await;
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    let neighbour = Pair::<A> { server: server.clone(), client, served };
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    A::spawn(async move {
        let received = served.recv().await;
        panic!("{received:?} is what this handler cannot handle (the test wants this panic)");
    });
    client.send(SendMode::Reliable, &text(1, "unexpected")).await.expect("it is open");
    let told = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
    assert_eq!(expect_end::<A>(&client).await, told);
    until::<A>("the client to be counted no more", || server.connected() == 1).await;
    assert_eq!(server.statistics().closed_by_protocol, 1);
    neighbour.works().await;
    client_of::<A>(&server).await;
}

pub async fn f17_a_full_server_refuses_until_somebody_leaves<A: Adapter>() {
    const CLIENTS: usize = 3;
    let server = server_with::<A>(ServerSettings::with(|settings| {
        settings.config.max_clients = CLIENTS;
    }))
    .await;
    let mut pairs = Vec::new();
    for _ in 0..CLIENTS {
        let client = client_of::<A>(&server).await;
        pairs.push((client, next_client::<A>(&server).await));
    }
    // Much longer than the refusal may take.
    let patient = ClientSettings::with(|settings| settings.config.connect_timeout = Duration::from_secs(600));
    let refused = soon::<A, _>("the refusal", A::connect(server.tcp_address(), patient)).await;
    assert!(refused.is_err(), "the server is full");
    assert_eq!(server.statistics().refused_full, 1);
    let (leaver, served) = pairs.remove(1);
    soon::<A, _>("leaving", leaver.close()).await;
    expect_end::<A>(&served).await;
    until::<A>("a place to be free", || server.connected() == CLIENTS - 1).await;
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    Pair::<A> { server, client, served }.works().await;
}
