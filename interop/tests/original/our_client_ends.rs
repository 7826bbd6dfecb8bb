//! How connections of our clients to the original's server begin and end, and who says what about it.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use darkrift::tokio::Client;
use darkrift::{CloseKind, Initiator, SendError, SendMode};
use tokio::time::timeout;

use crate::our_client::{join, server_and_client};
use crate::program::Program;
use crate::*;

#[tokio::test]
async fn a_client_that_closes_has_said_everything() {
    let (mut program, ports, client) = server_and_client().await;
    client.send(SendMode::Reliable, &pattern(60_000)).await.expect("it is connected");
    let began = Instant::now();
    client.close().await;
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "the server ends its stream, too: {:?}",
        began.elapsed()
    );
    assert_eq!(program.told("0 message").await, format!("Reliable {PATTERN} 60000 whole"));
    assert_eq!(program.told("0 disconnected").await, "remote Success");

    drop(join(&mut program, &ports).await);
    assert_eq!(program.told("1 disconnected").await, "remote Success");
    program.end().await;
}

#[tokio::test]
async fn a_server_that_disconnects_stops_or_dies_ends_the_stream() {
    let (mut program, ports, client) = server_and_client().await;
    program.order("disconnect 0").await;
    assert_ended_by_server(&client).await;

    let client = join(&mut program, &ports).await;
    program.order("stop").await;
    assert_ended_by_server(&client).await;
    program.end().await;

    let (mut program, _ports, client) = server_and_client().await;
    program.order("die").await;
    assert_ended_by_server(&client).await;
}

#[tokio::test]
async fn strikes_of_the_game_end_the_connection_at_the_maximum() {
    let (mut program, _ports, client) = server_and_client().await;
    program.order("strike 0 2").await;
    assert_eq!(program.told("0 strike").await, "PluginRequest 2");
    program.order(&format!("send 0 Reliable {PATTERN} 1")).await;
    assert_eq!(received(&client).await.message(), &pattern(1));
    program.order("strike 0 1").await;
    assert_ended_by_server(&client).await;
    program.end().await;
}

#[tokio::test]
async fn too_long_a_message_ends_the_connection_or_is_refused() {
    let (mut program, _ports, client) = server_and_client().await;
    let refused = client.send(SendMode::Unreliable, &pattern(LARGEST_DATAGRAM + 1)).await;
    assert_eq!(refused, Err(SendError::TooLong { length: 65_508, limit: 65_507 }));
    // The client cannot know the server's limit.
    client.send(SendMode::Reliable, &pattern(LARGEST_FRAME + 1)).await.expect("it is sent");
    assert_eq!(program.told("0 strike").await, "ConnectionRequest 10");
    assert_ended_by_server(&client).await;
    program.end().await;
}

#[tokio::test]
async fn too_long_a_datagram_of_the_server_ends_the_connection() {
    let (mut program, _ports, client) = server_and_client().await;
    program.order(&format!("send 0 Unreliable {PATTERN} {}", LARGEST_DATAGRAM + 1)).await;
    assert_eq!(program.told("0 disconnected").await, "remote MessageSize");
    assert_ended_by_server(&client).await;
    program.end().await;
}

#[tokio::test]
async fn a_client_whose_datagrams_do_not_arrive_is_told_so() {
    let (program, ports) = Program::server("127.0.0.1").await;
    let deaf = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    let port = deaf.local_addr().expect("it is bound").port();
    // Nobody answers there, and then nobody is there at all.
    let began = Instant::now();
    let error =
        Client::builder().udp_port(port).connect(("127.0.0.1", ports.tcp)).await.expect_err("no answer");
    assert!(error.to_string().contains("is UDP blocked, or on another port?"), "{error}");
    assert!((4..7).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(deaf);
    let error =
        Client::builder().udp_port(port).connect(("127.0.0.1", ports.tcp)).await.expect_err("no answer");
    assert!(error.to_string().contains("is UDP blocked, or on another port?"), "{error}");
    program.end().await;
}

#[tokio::test]
async fn a_client_that_the_game_refuses_is_told_so() {
    let (mut program, ports) = Program::server("127.0.0.1").await;
    program.order("refuse").await;
    program.told("- refuses").await;
    match Client::builder().udp_port(ports.udp).connect(("127.0.0.1", ports.tcp)).await {
        Err(error) => {
            let words = "it is full or stopping, or refused this client";
            assert!(error.to_string().ends_with(words), "{error}");
        }
        // 2.10 sends Configure before it asks the game.
        Ok(client) => {
            assert_eq!(newest_protocol(), 0);
            assert_ended_by_server(&client).await;
        }
    }
    // No word of its end: 2.10 may die of such an answer.
}

#[tokio::test]
async fn clients_come_and_go() {
    let (mut program, ports) = Program::server("127.0.0.1").await;
    for round in 0..100 {
        let client = join(&mut program, &ports).await;
        assert_eq!(client.id().get(), round);
        client.close().await;
        program.told(&format!("{round} disconnected")).await;
    }
    program.end().await;
}

async fn assert_ended_by_server(client: &Client) {
    let reason = timeout(PATIENCE, client.closed()).await.expect("it ends in time");
    assert_eq!((reason.initiator, reason.kind), (Initiator::Peer, CloseKind::EndOfStream));
}
