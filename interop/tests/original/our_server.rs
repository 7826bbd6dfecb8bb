//! What the original's clients and our server say to each other.

use std::time::Duration;

use darkrift::tokio::{Client, Server};
use darkrift::{Message, MessageKind, SendMode};
use tokio::time::{sleep, timeout};

use crate::every_type::{EveryType, example};
use crate::program::Program;
use crate::*;

#[tokio::test]
async fn ids_are_given_in_turn_also_to_a_client_that_connects_once_more() {
    let (server, first, mut program) = server_and_client().await;
    let second = join(&server, &mut program, "2").await;
    program.order("disconnect 1").await;
    first.closed().await;
    let third = join(&server, &mut program, "1").await;
    assert_eq!([first.id().get(), second.id().get(), third.id().get()], [0, 1, 2]);
    program.end().await;
}

#[tokio::test]
async fn messages_of_every_size_come_and_go_on_both_channels() {
    let (_server, client, mut program) = server_and_client().await;
    for (mode, size) in sizes() {
        program.order(&format!("send 1 {mode:?} {PATTERN} {size}")).await;
        let message = received(&client).await;
        assert_eq!((message.send_mode(), message.message()), (mode, &pattern(size)));
        client.send(mode, &pattern(size)).await.expect("it is connected");
        assert_eq!(program.told("1 message").await, format!("{mode:?} {PATTERN} {size} whole"));
    }
    // A client sets no limit to what a server sends reliably.
    client.send(SendMode::Reliable, &pattern(1_000_000)).await.expect("it is connected");
    assert_eq!(program.told("1 message").await, format!("Reliable {PATTERN} 1000000 whole"));
    program.end().await;
}

#[tokio::test]
async fn a_message_of_every_type_is_the_same_bytes() {
    let (_server, client, mut program) = server_and_client().await;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        program.order(&format!("types 1 {mode:?}")).await;
        let message = received(&client).await;
        assert_eq!(message.decode_strict::<EveryType>(), Ok(example()));
        assert_eq!(message.message(), &Message::encode(EVERY_TYPE, &example()).expect("it can be encoded"));
        client.send(mode, &example()).await.expect("it is connected");
        assert_eq!(program.told("1 types").await, "equal");
    }
    program.end().await;
}

#[tokio::test]
async fn half_a_surrogate_pair_becomes_the_replacement_character() {
    let (_server, client, mut program) = server_and_client().await;
    program.order("text 1 Reliable 0061d83d0062").await;
    assert_eq!(received(&client).await.reader().read_string(), Ok("a\u{fffd}b".into()));

    let half = Message::new(TEXT, [&[0, 0, 0, 6], b"a\0\x3d\xd8b\0".as_slice()].concat());
    client.send(SendMode::Reliable, &half).await.expect("it is connected");
    assert_eq!(program.told("1 text").await, "0061fffd0062");
    let error = half.reader().read_string().expect_err("here it is an error");
    assert!(error.to_string().contains("is not UTF-16LE"), "{error}");
    program.end().await;
}

#[tokio::test]
async fn pings_are_answered_on_both_sides() {
    let (_server, client, mut program) = server_and_client().await;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        program.order(&format!("ping 1 {mode:?} 5")).await;
        assert_eq!(received(&client).await.tag(), 5);
        assert_eq!(program.told("1 acknowledgement").await, format!("{mode:?} 5 0 whole"));
        client.ping(mode, &Message::empty(6)).await.expect("it is connected");
        assert_eq!(program.told("1 ping").await, format!("{mode:?} 6 0 whole"));
        let answer = received(&client).await;
        assert!(matches!(answer.kind(), MessageKind::Acknowledgement(_)), "{answer:?}");
    }
    program.has_measured("1").await;
    assert_eq!(client.round_trip().expect("it was measured").samples, 2);
    assert_eq!(client.strikes(), 0);
    program.end().await;
}

#[tokio::test]
async fn ten_thousand_messages_come_in_order_each_way() {
    let (_server, client, mut program) = server_and_client().await;
    program.order("burst 1 Reliable 10000").await;
    assert_eq!(take_burst(&client).await, (10_000, 0));
    burst(&client, 10_000).await;
    assert_in_order(&program.told("1 burst").await, 10_000);
    program.end().await;
}

#[tokio::test]
async fn a_hundred_datagrams_come_each_way() {
    let (_server, client, mut program) = server_and_client().await;
    program.order("burst 1 Unreliable 100").await;
    assert_eq!(take_datagrams(&client).await, 100);
    numbers(&client, SendMode::Unreliable, 100).await;
    // The stream is not to overtake them.
    sleep(Duration::from_millis(500)).await;
    burst_end(&client, 100).await;
    // Their handlers may run in another order there.
    assert!(program.told("1 burst").await.starts_with("100 of 100, "));
    program.end().await;
}

#[tokio::test]
async fn a_broadcast_reaches_fifty_clients() {
    let server = server().await;
    let mut program = Program::clients();
    let mut clients = Vec::new();
    let mut name = 0;
    while clients.len() < 50 {
        name += 1;
        clients.push((name, join(&server, &mut program, &name.to_string()).await));
        // Mono shares the ports of UDP: now and then the system gives one to two, and the later evicts the earlier.
        clients.retain(|(_, client)| client.is_connected());
    }
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        let broadcast = server.broadcast(mode, &pattern(500)).expect("it can be sent");
        assert!(broadcast.behind.is_empty());
        for (name, _) in &clients {
            let told = program.told(&format!("{name} message")).await;
            assert_eq!(told, format!("{mode:?} {PATTERN} 500 whole"));
        }
    }
    program.end().await;
}

#[tokio::test]
async fn clients_come_by_either_version_of_ip_and_with_a_udp_port_of_its_own() {
    let mut program = Program::clients();
    for (name, address, bound) in
        [("1", "127.0.0.1", "127.0.0.1"), ("2", "::1", "::1"), ("3", "127.0.0.1", "::")]
    {
        let builder = Server::builder().dialect(dialect()).udp_port(0);
        let server = builder.bind((bound, 0)).await.expect("a loopback port is free");
        let (tcp, udp) = (server.local_addr().port(), server.udp_addr().port());
        program.order(&format!("connect {name} {address} {tcp} {udp}")).await;
        let client = accepted(&server).await;
        program.told(&format!("{name} connected")).await;
        for mode in [SendMode::Reliable, SendMode::Unreliable] {
            program.order(&format!("send {name} {mode:?} {PATTERN} 10")).await;
            assert_eq!(received(&client).await.message(), &pattern(10));
            client.send(mode, &pattern(11)).await.expect("it is connected");
            let told = program.told(&format!("{name} message")).await;
            assert_eq!(told, format!("{mode:?} {PATTERN} 11 whole"));
        }
    }
    program.end().await;
}

pub(crate) async fn server() -> Server {
    Server::builder().dialect(dialect()).bind("127.0.0.1:0").await.expect("a loopback port is free")
}

/// A server, and a client of the original at it, which has the name 1.
pub(crate) async fn server_and_client() -> (Server, Client, Program) {
    let server = server().await;
    let mut program = Program::clients();
    let client = join(&server, &mut program, "1").await;
    (server, client, program)
}

pub(crate) async fn join(server: &Server, program: &mut Program, name: &str) -> Client {
    program.order(&format!("connect {name} 127.0.0.1 {}", server.local_addr().port())).await;
    let client = accepted(server).await;
    assert_eq!(program.told(&format!("{name} connected")).await, client.id().get().to_string());
    client
}

async fn accepted(server: &Server) -> Client {
    timeout(PATIENCE, server.accept()).await.expect("a client comes in time").expect("the server is open")
}

/// What comes before a second without anything.
async fn take_datagrams(client: &Client) -> usize {
    let mut count = 0;
    while let Ok(Some(message)) = timeout(Duration::from_secs(1), client.recv()).await {
        count += usize::from(message.send_mode() == SendMode::Unreliable);
    }
    count
}
