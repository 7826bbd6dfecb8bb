//! Our game loop's client and server against the original's.

use std::time::Duration;

use darkrift::std::{Client, Event, Server, ServerEvent};
use darkrift::{CloseKind, Initiator, SendMode};
use tokio::time::{sleep, timeout};

use crate::program::Program;
use crate::*;

#[tokio::test]
async fn our_game_loops_client_at_the_originals_server() {
    let (mut program, ports) = Program::server("127.0.0.1").await;
    let builder = Client::builder().udp_port(ports.udp);
    let mut client = Client::connect_with(builder, ("127.0.0.1", ports.tcp)).expect("it lets us in");
    let Event::Connected(id) = next_of_client(&mut client).await else { panic!("it is not up") };
    assert_eq!((id.get(), client.id()), (0, Some(id)));
    program.told("0 connected").await;
    for (mode, size) in sizes() {
        client.send(mode, &pattern(size)).expect("it is connected");
        client.update();
        assert_eq!(program.told("0 message").await, format!("{mode:?} {PATTERN} {size} whole"));
        program.order(&format!("send 0 {mode:?} {PATTERN} {size}")).await;
        let Event::Message(message) = next_of_client(&mut client).await else { panic!("no message") };
        assert_eq!((message.send_mode(), message.message()), (mode, &pattern(size)));
    }
    program.order("burst 0 Reliable 10000").await;
    for number in (0..10_000).chain([-10_001]) {
        let Event::Message(message) = next_of_client(&mut client).await else { panic!("no message") };
        assert_eq!(message.decode::<i32>(), Ok(number));
    }
    program.order("disconnect 0").await;
    let Event::Closed(reason) = next_of_client(&mut client).await else { panic!("it has not ended") };
    assert_eq!((reason.initiator, reason.kind), (Initiator::Peer, CloseKind::EndOfStream));
    program.end().await;
}

#[tokio::test]
async fn the_originals_client_at_our_game_loops_server() {
    let builder = Server::builder().dialect(dialect());
    let mut server = Server::bind_with(builder, "127.0.0.1:0").expect("a loopback port is free");
    let mut program = Program::clients();
    program.order(&format!("connect 1 127.0.0.1 {}", server.local_addr().port())).await;
    let ServerEvent::Connected(client) = next_of_server(&mut server).await else { panic!("no client") };
    // Nothing leaves but in updates.
    server.update();
    assert_eq!(program.told("1 connected").await, "0");
    for (mode, size) in sizes() {
        program.order(&format!("send 1 {mode:?} {PATTERN} {size}")).await;
        let ServerEvent::Message(_, message) = next_of_server(&mut server).await else {
            panic!("no message")
        };
        assert_eq!((message.send_mode(), message.message()), (mode, &pattern(size)));
        client.send(mode, &pattern(size)).expect("it is connected");
        server.update();
        assert_eq!(program.told("1 message").await, format!("{mode:?} {PATTERN} {size} whole"));
    }
    program.order("burst 1 Reliable 10000").await;
    for number in (0..10_000).chain([-10_001]) {
        let ServerEvent::Message(_, message) = next_of_server(&mut server).await else {
            panic!("no message")
        };
        assert_eq!(message.decode::<i32>(), Ok(number));
    }
    client.send(SendMode::Reliable, &pattern(100)).expect("it is connected");
    client.close();
    server.update();
    assert_eq!(program.told("1 message").await, format!("Reliable {PATTERN} 100 whole"));
    assert_eq!(program.told("1 disconnected").await, "remote Success");
    program.end().await;
}

/// Frames, until one brings an event.
async fn next_of_client(client: &mut Client) -> Event {
    let frames = async {
        loop {
            client.update();
            match client.next_event() {
                Some(event) => return event,
                None => sleep(Duration::from_millis(1)).await,
            }
        }
    };
    timeout(PATIENCE, frames).await.expect("something happens in time")
}

/// The same at a server.
async fn next_of_server(server: &mut Server) -> ServerEvent {
    let frames = async {
        loop {
            server.update();
            match server.next_event() {
                Some(event) => return event,
                None => sleep(Duration::from_millis(1)).await,
            }
        }
    };
    timeout(PATIENCE, frames).await.expect("something happens in time")
}
