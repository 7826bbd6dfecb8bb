//! What our clients and the original's server say to each other.

use std::time::Duration;

use darkrift::tokio::Client;
use darkrift::{Message, MessageKind, SendMode};
use tokio::time::sleep;

use crate::every_type::{EveryType, example};
use crate::program::{Ports, Program};
use crate::*;

#[tokio::test]
async fn a_client_finds_out_the_dialect_and_gets_its_id() {
    let (mut program, ports, first) = server_and_client().await;
    assert_eq!(first.dialect(), Some(dialect()));
    let second = join(&mut program, &ports).await;
    first.close().await;
    program.told("0 disconnected").await;
    let third = join(&mut program, &ports).await;
    assert_eq!([first.id().get(), second.id().get(), third.id().get()], [0, 1, 2]);
    program.order("count").await;
    assert_eq!(program.told("- count").await, "2");
    program.end().await;
}

#[tokio::test]
async fn messages_of_every_size_come_and_go_on_both_channels() {
    let (mut program, _ports, client) = server_and_client().await;
    for (mode, size) in sizes() {
        client.send(mode, &pattern(size)).await.expect("it is connected");
        assert_eq!(program.told("0 message").await, format!("{mode:?} {PATTERN} {size} whole"));
        program.order(&format!("send 0 {mode:?} {PATTERN} {size}")).await;
        let message = received(&client).await;
        assert_eq!((message.send_mode(), message.message()), (mode, &pattern(size)));
    }
    program.order(&format!("send 0 Reliable {PATTERN} 1000000")).await;
    assert_eq!(received(&client).await.message(), &pattern(1_000_000));
    program.end().await;
}

#[tokio::test]
async fn a_message_of_every_type_is_read_and_written_alike() {
    let (mut program, _ports, client) = server_and_client().await;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        client.send(mode, &example()).await.expect("it is connected");
        assert_eq!(program.told("0 types").await, "equal");
        program.order(&format!("types 0 {mode:?}")).await;
        assert_eq!(received(&client).await.decode_strict::<EveryType>(), Ok(example()));
    }
    program.end().await;
}

#[tokio::test]
async fn pings_are_answered_on_both_sides() {
    let (mut program, _ports, client) = server_and_client().await;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        program.order(&format!("ping 0 {mode:?} 5")).await;
        assert_eq!(received(&client).await.tag(), 5);
        assert_eq!(program.told("0 acknowledgement").await, format!("{mode:?} 5 0 whole"));
        client.ping(mode, &Message::empty(6)).await.expect("it is connected");
        assert_eq!(program.told("0 ping").await, format!("{mode:?} 6 0 whole"));
        let answer = received(&client).await;
        assert!(matches!(answer.kind(), MessageKind::Acknowledgement(_)), "{answer:?}");
    }
    assert_eq!(client.round_trip().expect("it was measured").samples, 2);
    // No word of strikes: 2.11 may charge one for an acknowledgement that comes before it has written the ping down.
    program.end().await;
}

#[tokio::test]
async fn pings_that_the_game_answers_a_moment_later_are_measured_and_cost_no_strike() {
    let (mut program, ports) = Program::server("127.0.0.1").await;
    let builder = Client::builder().udp_port(ports.udp).answer_pings(false);
    let client = builder.connect(("127.0.0.1", ports.tcp)).await.expect("it lets us in");
    program.told("0 connected").await;
    for _ in 0..20 {
        program.order("ping 0 Reliable 5").await;
        let ping = received(&client).await;
        sleep(Duration::from_millis(5)).await;
        client.acknowledge(&ping, &Message::empty(5)).await.expect("it is connected");
        program.told("0 acknowledgement").await;
    }
    program.has_measured("0").await;
    let told = program.end().await;
    assert!(!told.iter().any(|line| line.contains("strike")), "{told:?}");
}

#[tokio::test]
async fn ten_thousand_messages_come_in_order_each_way() {
    let (mut program, _ports, client) = server_and_client().await;
    program.order("burst 0 Reliable 10000").await;
    assert_eq!(take_burst(&client).await, (10_000, 0));
    burst(&client, 10_000).await;
    assert_in_order(&program.told("0 burst").await, 10_000);
    program.end().await;
}

#[tokio::test]
async fn a_broadcast_reaches_fifty_clients() {
    let (mut program, ports, first) = server_and_client().await;
    let mut clients = vec![first];
    while clients.len() < 50 {
        clients.push(join(&mut program, &ports).await);
    }
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        program.order(&format!("send all {mode:?} {PATTERN} 500")).await;
        for client in &clients {
            assert_eq!(received(client).await.message(), &pattern(500));
        }
    }
    program.end().await;
}

#[tokio::test]
async fn a_server_is_reached_by_either_version_of_ip() {
    for (listening, address) in [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")] {
        let (mut program, ports) = Program::server(listening).await;
        let connect = Client::builder().udp_port(ports.udp).connect((address, ports.tcp));
        let client = connect.await.expect("it lets us in");
        program.told("0 connected").await;
        client.send(SendMode::Reliable, &pattern(11)).await.expect("it is connected");
        assert_eq!(program.told("0 message").await, format!("Reliable {PATTERN} 11 whole"));
        // On a busy machine 2.10 loses some of the first datagrams.
        let again = async {
            loop {
                client.send(SendMode::Unreliable, &pattern(11)).await.expect("it is connected");
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            told = program.told("0 message") => assert_eq!(told, format!("Unreliable {PATTERN} 11 whole")),
            () = again => {}
        }
        program.order(&format!("send 0 Unreliable {PATTERN} 10")).await;
        assert_eq!(received(&client).await.message(), &pattern(10));
        program.end().await;
    }
}

/// A server of the original, and a client of ours at it, to which it gives the id 0.
pub(crate) async fn server_and_client() -> (Program, Ports, Client) {
    let (mut program, ports) = Program::server("127.0.0.1").await;
    let client = join(&mut program, &ports).await;
    (program, ports, client)
}

/// Connects, and waits until the server's handlers are there.
pub(crate) async fn join(program: &mut Program, ports: &Ports) -> Client {
    let connect = Client::builder().udp_port(ports.udp).connect(("127.0.0.1", ports.tcp));
    let client = connect.await.expect("it lets us in");
    program.told(&format!("{} connected", client.id().get())).await;
    client
}
