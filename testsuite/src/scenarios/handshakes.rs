//! F: handshakes that lose something, come in pieces, or come twice.

use std::time::{Duration, Instant};

use darkrift_driver::ConnectError;
use darkrift_driver::proto::{CloseKind, ConnectPhase, Initiator, SendMode};

use crate::harness::{
    Pair, blocking, client_of, client_with, expect_end, next_client, server, server_with, soon, text, until,
};
use crate::raw::{HELLO, LossyPath, RawClient, RawServer, acknowledgement, configure, frame, user};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

pub async fn f1_a_lost_acknowledgement_loses_nothing<A: Adapter>() {
    let server = RawServer::default();
    let (address, settings) = (server.tcp_address(), to_port(server.udp_port()));
    let script = blocking(move || {
        let mut served = server.accept();
        served.stream.write(&HELLO);
        served.receive_token();
        served.stream.write(&frame(&configure(7)));
        served.stream.write(&frame(&user(1, &[])));
        served
    });
    let client =
        soon::<A, _>("connecting", A::connect(address, settings)).await.expect("Configure is enough");
    assert_eq!(client.id().get(), 7);
    assert_eq!(soon::<A, _>("a message", client.recv()).await.map(|received| received.tag()), Some(1));
    let served = script.await;
    client.send(SendMode::Unreliable, &text(2, "over UDP")).await.expect("it is sent");
    let datagram = blocking(move || {
        // The token may have been sent again meanwhile.
        std::iter::repeat_with(|| served.receive_datagram()).find(|datagram| datagram[..] != HELLO)
    })
    .await;
    assert_eq!(datagram, Some(user(2, text(2, "over UDP").payload())));
}

pub async fn f2_a_lost_token_is_sent_again<A: Adapter>() {
    for losses in [1, 3] {
        let server = server::<A>().await;
        let path = LossyPath::new(server.udp_address(), losses);
        let settings = ClientSettings::with(|settings| {
            settings.udp_port = Some(path.port());
            settings.config.token_interval = Duration::from_millis(50);
        });
        let client = client_with::<A>(&server, settings).await;
        let served = next_client::<A>(&server).await;
        Pair::<A> { server, client, served }.works().await;
        drop(path);
    }
}

pub async fn f3_blocked_udp_is_an_error_that_says_so<A: Adapter>() {
    let limit = Duration::from_millis(300);
    let server = server_with::<A>(ServerSettings::with(|settings| {
        settings.config.handshake_timeout = limit;
    }))
    .await;
    // A port that takes datagrams and says nothing.
    let silent = RawServer::default();
    let mut settings = to_port(silent.udp_port());
    settings.config.handshake_timeout = limit;
    let begun = Instant::now();
    let result = soon::<A, _>("the error", A::connect(server.tcp_address(), settings.clone())).await;
    match result.map(|client| client.id()) {
        // The server waits as long for the token, and may be the first to say so.
        Err(ConnectError::Timeout { phase: ConnectPhase::Acknowledgement, limit: named }) => {
            assert_eq!(named, limit);
        }
        Err(ConnectError::Closed { reason, phase, .. }) => {
            assert_eq!(phase, ConnectPhase::Acknowledgement);
            assert_eq!((reason.initiator, reason.kind), (Initiator::Peer, CloseKind::EndOfStream));
        }
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < settings.config.connect_timeout);
    // The server forgets whoever never sent a token.
    until::<A>("nobody to wait for a token", || server.statistics().pending == 0).await;
    assert_eq!(server.connected(), 0);

    // With a server that waits for ever it is the client that names the phase.
    let address = silent.tcp_address();
    let script = blocking(move || {
        let mut served = silent.accept();
        served.stream.write(&HELLO);
        served.stream.read_to_end();
    });
    match soon::<A, _>("the error", A::connect(address, settings)).await.map(|client| client.id()) {
        Err(error @ ConnectError::Timeout { phase: ConnectPhase::Acknowledgement, .. }) => {
            assert!(error.to_string().contains("UDP"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    script.await;
}

pub async fn f4_messages_before_configure_are_delivered_in_order<A: Adapter>() {
    // From the client: frames straight after the hello, long before the token.
    let server = server::<A>().await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let raw = blocking(move || {
        let mut raw = RawClient::open(tcp, udp);
        for tag in 0..100 {
            raw.stream.write(&frame(&user(tag, b"early")));
        }
        std::thread::sleep(Duration::from_millis(20));
        raw.pair();
        raw.read_configure();
        raw.stream.write(&frame(&user(100, b"late")));
        raw
    })
    .await;
    let served = next_client::<A>(&server).await;
    for tag in 0..=100 {
        let received = soon::<A, _>("a message", served.recv()).await.expect("the connection is open");
        assert_eq!(received.tag(), tag);
    }
    drop(raw);
    expect_end::<A>(&served).await;

    // From the server: answers that overtake Configure.
    let server = RawServer::default();
    let (address, settings) = (server.tcp_address(), to_port(server.udp_port()));
    let script = blocking(move || {
        let mut served = server.accept();
        served.stream.write(&HELLO);
        served.receive_token();
        served.send_datagram(&acknowledgement(&HELLO));
        for tag in 0..100 {
            served.stream.write(&frame(&user(tag, b"early")));
        }
        std::thread::sleep(Duration::from_millis(20));
        served.stream.write(&frame(&configure(3)));
        served.stream.write(&frame(&user(100, b"late")));
    });
    let client = soon::<A, _>("connecting", A::connect(address, settings)).await.expect("it connects");
    assert_eq!(client.id().get(), 3);
    for tag in 0..=100 {
        let received = soon::<A, _>("a message", client.recv()).await.expect("the connection is open");
        assert_eq!(received.tag(), tag);
    }
    script.await;
    expect_end::<A>(&client).await;
}

pub async fn f5_a_hello_may_come_a_byte_at_a_time<A: Adapter>() {
    let server = RawServer::default();
    let (address, settings) = (server.tcp_address(), to_port(server.udp_port()));
    let script = blocking(move || {
        let mut served = server.accept();
        served.stream.trickle(&HELLO);
        served.receive_token();
        served.send_datagram(&acknowledgement(&HELLO));
        served.stream.trickle(&frame(&configure(1)));
        served.stream.trickle(&frame(&user(2, b"slowly")));
    });
    let client = soon::<A, _>("connecting", A::connect(address, settings)).await.expect("it connects");
    assert_eq!(client.id().get(), 1);
    let received = soon::<A, _>("a message", client.recv()).await.expect("it was sent");
    assert_eq!((received.tag(), &received.payload()[..]), (2, &b"slowly"[..]));
    script.await;
    expect_end::<A>(&client).await;
}

pub async fn f8_a_client_that_vanished_comes_back_from_the_same_udp_port<A: Adapter>() {
    let server = server::<A>().await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    // It never says goodbye: its stream stays open, and nobody is behind it any more.
    let ghost = blocking(move || RawClient::join(tcp, udp)).await;
    let served_ghost = next_client::<A>(&server).await;
    let socket = ghost.udp.try_clone().expect("another descriptor");
    let raw = blocking(move || {
        let mut raw = RawClient::open_from(socket, tcp, udp);
        raw.pair();
        raw.read_configure();
        raw
    })
    .await;
    let served = next_client::<A>(&server).await;
    let reason = expect_end::<A>(&served_ghost).await;
    assert_eq!((reason.initiator, reason.kind), (Initiator::Local, CloseKind::Evicted));
    raw.send_datagram(&user(1, b"here"));
    let received = soon::<A, _>("a message", served.recv()).await.expect("the connection is open");
    assert_eq!((received.tag(), received.send_mode()), (1, SendMode::Unreliable));
    until::<A>("the ghost to be counted no more", || server.connected() == 1).await;
    drop(ghost);
}

pub async fn f13_a_token_after_the_handshake_is_no_message<A: Adapter>() {
    let server = server::<A>().await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let first = blocking(move || RawClient::join(tcp, udp)).await;
    let served = next_client::<A>(&server).await;
    let other = client_of::<A>(&server).await;
    let other_served = next_client::<A>(&server).await;
    let second = blocking(move || RawClient::join(tcp, udp)).await;
    let second_served = next_client::<A>(&server).await;
    let (first, second) = blocking(move || {
        // Its own again: acknowledged again.
        first.send_datagram(&first.hello);
        assert_eq!(first.receive_datagram(), acknowledgement(&first.hello));
        // Another client's: nothing happens to either, and nobody answers.
        first.send_datagram(&second.hello);
        first.send_datagram(&user(1, b"after"));
        (first, second)
    })
    .await;
    expect_tag::<A>(&served, 1).await;
    second.send_datagram(&user(2, b"unharmed"));
    expect_tag::<A>(&second_served, 2).await;
    Pair::<A> { server, client: other, served: other_served }.works().await;
    assert!(first.udp.set_nonblocking(true).is_ok() && first.udp.recv(&mut [0; 64]).is_err());
    drop(first);
    expect_end::<A>(&served).await;
}

async fn expect_tag<A: Adapter>(receiver: &A::Client, tag: u16) {
    let received = soon::<A, _>("a message", receiver.recv()).await.expect("the connection is open");
    assert_eq!((received.tag(), received.send_mode()), (tag, SendMode::Unreliable));
    let message = text(3, "answer");
    receiver.send(SendMode::Reliable, &message).await.expect("it is open both ways");
}

fn to_port(udp_port: u16) -> ClientSettings {
    ClientSettings::with(|settings| settings.udp_port = Some(udp_port))
}
