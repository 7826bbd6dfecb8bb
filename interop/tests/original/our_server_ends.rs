//! How connections of the original's clients to our server begin and end, and who says what about it.

use std::time::{Duration, Instant};

use darkrift::tokio::Server;
use darkrift::{CloseKind, Dialect, Initiator, SendError, SendMode};
use tokio::time::timeout;

use crate::our_server::{join, server, server_and_client};
use crate::program::Program;
use crate::*;

#[tokio::test]
async fn a_client_that_leaves_ends_its_stream() {
    let (server, client, mut program) = server_and_client().await;
    program.order("disconnect 1").await;
    assert_ended_by_peer(&client).await;
    assert_eq!(program.told("1 disconnected").await, "local Disconnecting");

    let client = join(&server, &mut program, "2").await;
    program.order("dispose 2").await;
    assert_ended_by_peer(&client).await;

    let client = join(&server, &mut program, "3").await;
    program.order("die").await;
    assert_ended_by_peer(&client).await;
}

#[tokio::test]
async fn a_client_that_is_disconnected_hears_what_was_sent_before() {
    let (_server, client, mut program) = server_and_client().await;
    client.send(SendMode::Reliable, &pattern(60_000)).await.expect("it is connected");
    let began = Instant::now();
    client.close().await;
    assert_eq!(program.told("1 message").await, format!("Reliable {PATTERN} 60000 whole"));
    // The original has no name for the end of a stream.
    assert_eq!(program.told("1 disconnected").await, "remote Success");
    // It leaves its own stream open until it is disposed of or connects again, and a close waits that long, or 2 s.
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    program.order(&format!("send 1 Reliable {PATTERN} 1")).await;
    program.told("1 not sent").await;
    program.end().await;
}

#[tokio::test]
async fn a_server_that_shuts_down_disconnects_its_clients() {
    let (server, _client, mut program) = server_and_client().await;
    server.shutdown().await;
    assert_eq!(program.told("1 disconnected").await, "remote Success");
    program.order("state 1").await;
    assert_eq!(program.told("1 state").await, "Disconnected");
    program.end().await;
}

#[tokio::test]
async fn a_client_that_sends_too_long_a_frame_is_disconnected() {
    let (_server, client, mut program) = server_and_client().await;
    program.order(&format!("send 1 Reliable {PATTERN} {}", LARGEST_FRAME + 1)).await;
    let reason = timeout(PATIENCE, client.closed()).await.expect("it ends in time");
    assert_eq!(reason.kind, CloseKind::FrameTooLong { length: 65_535, limit: 65_534 });
    assert_eq!(program.told("1 disconnected").await, "remote Success");
    program.end().await;
}

#[tokio::test]
async fn a_client_that_sends_too_long_a_datagram_gives_itself_up_and_leaves_the_server_in_the_dark() {
    let (_server, client, mut program) = server_and_client().await;
    program.order(&format!("send 1 Unreliable {PATTERN} {}", LARGEST_DATAGRAM + 1)).await;
    assert_eq!(program.told("1 disconnected").await, "remote MessageSize");
    timeout(Duration::from_secs(1), client.closed()).await.expect_err("its stream is open");
    // Ours refuses the message.
    let refused = client.send(SendMode::Unreliable, &pattern(LARGEST_DATAGRAM + 1)).await;
    assert_eq!(refused, Err(SendError::TooLong { length: 65_508, limit: 65_507 }));
    program.order("dispose 1").await;
    assert_ended_by_peer(&client).await;
    program.end().await;
}

#[tokio::test]
async fn a_client_that_the_hook_refuses_waits_and_then_believes_that_it_is_connected() {
    let builder = Server::builder().dialect(dialect()).on_connect(|_| false);
    let server = builder.bind("127.0.0.1:0").await.expect("a loopback port is free");
    let mut program = Program::clients();
    program.order(&format!("connect 1 127.0.0.1 {}", server.local_addr().port())).await;
    assert_eq!(program.told("1 connected").await, "0");
    assert!((10..15).contains(&program.waited("1").await));
    program.order("state 1").await;
    assert_eq!(program.told("1 state").await, "Disconnected");
    program.end().await;
}

#[tokio::test]
async fn a_client_that_finds_the_server_full_hears_it_at_once() {
    let builder = Server::builder().dialect(dialect()).max_clients(0);
    let server = builder.bind("127.0.0.1:0").await.expect("a loopback port is free");
    let mut program = Program::clients();
    program.order(&format!("connect 1 127.0.0.1 {}", server.local_addr().port())).await;
    assert!(program.told("1 not connected:").await.starts_with("DarkRiftConnectionException"));
    assert!(program.waited("1").await < 5);
    program.end().await;
}

#[tokio::test]
async fn a_client_connects_to_the_dialects_up_to_its_own() {
    for (offered, welcome) in
        [(Dialect::V0, true), (Dialect::V1, newest_protocol() >= 1), (Dialect::Legacy, false)]
    {
        let server = Server::builder().dialect(offered).bind("127.0.0.1:0").await.expect("a port is free");
        let mut program = Program::clients();
        program.order(&format!("connect 1 127.0.0.1 {}", server.local_addr().port())).await;
        program.order("state 1").await;
        let state = program.told("1 state").await;
        assert_eq!(state, if welcome { "Connected" } else { "Disconnected" }, "{offered:?}");
        program.end().await;
    }
}

#[tokio::test]
async fn clients_come_and_go() {
    let server = server().await;
    let mut program = Program::clients();
    for round in 0..100 {
        let client = join(&server, &mut program, "1").await;
        assert_eq!(client.id().get(), round);
        program.order("disconnect 1").await;
        assert_ended_by_peer(&client).await;
    }
    assert_eq!(server.statistics().closed_by_peer, 100);
    program.end().await;
}

async fn assert_ended_by_peer(client: &darkrift::tokio::Client) {
    let reason = timeout(PATIENCE, client.closed()).await.expect("it ends in time");
    assert_eq!((reason.initiator, reason.kind), (Initiator::Peer, CloseKind::EndOfStream));
}
