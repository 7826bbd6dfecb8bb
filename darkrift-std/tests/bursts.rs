//! Much that is sent within one frame, between two updates.

use std::time::Duration;

use darkrift_std::proto::{Limits, Message, SendError, SendMode};
use darkrift_std::{Behind, Client, Connection, Event, Server, ServerEvent};

/// What may be queued: little, so that sockets of every system hold much more.
const QUEUE: usize = 10_000;

/// How often the queue is filled within one frame.
const TIMES: usize = 4;

/// A quarter of a queue, whatever its header is.
const LENGTH: usize = QUEUE / 4 - 10;

fn short_queue(limits: &mut Limits) {
    limits.reliable_queue = QUEUE;
}

/// A server that lets nobody stay who has missed a message, and clients of it with their connections there.
fn crowd(clients: usize) -> (Server, Vec<(Client, Connection)>) {
    let settings = Server::builder().behind(Behind::Disconnect).limits(short_queue);
    let mut server = Server::bind_with(settings, "127.0.0.1:0").expect("a free port");
    let connected = (0..clients).map(|_| {
        let settings = Client::builder().limits(short_queue);
        let mut client = Client::begin_with(settings, server.local_addr()).expect("there are sockets");
        loop {
            server.update();
            client.update();
            if let Some(event) = client.next_event() {
                assert!(matches!(event, Event::Connected(_)), "{event:?}");
            }
            if let Some(event) = server.next_event() {
                let ServerEvent::Connected(connection) = event else { panic!("{event:?}") };
                return (client, connection);
            }
        }
    });
    let connected = connected.collect();
    (server, connected)
}

fn message(number: usize) -> Message {
    Message::new(number as u16, vec![0; LENGTH])
}

/// Waits until this many messages have come to a client, in the order of their tags.
fn expect_all(server: &mut Server, client: &mut Client, count: usize) {
    let mut next = 0;
    while next < count {
        server.update();
        client.wait(Duration::from_millis(1));
        match client.next_event() {
            Some(Event::Message(received)) => {
                assert_eq!(usize::from(received.tag()), next);
                next += 1;
            }
            Some(Event::Connected(_)) | None => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn broadcasts_of_one_frame_that_the_sockets_take_leave_nobody_behind() {
    let (mut server, mut clients) = crowd(3);
    for number in 0..4 * TIMES {
        let report = server.broadcast(SendMode::Reliable, &message(number)).expect("a short message");
        assert_eq!((report.sent, report.behind), (3, vec![]), "{number}");
    }
    assert_eq!((server.len(), server.statistics().behind), (3, 0));
    for (client, _) in &mut clients {
        expect_all(&mut server, client, 4 * TIMES);
    }
}

#[test]
fn messages_of_one_frame_that_the_socket_takes_are_not_refused_on_either_side() {
    let (mut server, mut clients) = crowd(1);
    let (client, served) = &mut clients[0];
    while client.id().is_none() {
        client.update();
    }
    for number in 0..4 * TIMES {
        served.send(SendMode::Reliable, &message(number)).expect("the socket takes it");
        client.send(SendMode::Reliable, &message(number)).expect("the socket takes it");
    }
    expect_all(&mut server, client, 4 * TIMES);
    for number in 0..4 * TIMES {
        server.wait(Duration::from_secs(20));
        match server.next_event() {
            Some(ServerEvent::Message(_, received)) => assert_eq!(usize::from(received.tag()), number),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn where_a_socket_has_refused_messages_are_refused_until_an_update_finds_room() {
    let (mut server, mut clients) = crowd(1);
    let (client, served) = &mut clients[0];
    // More than the sockets and the queue hold, in a frame that does not end.
    let mut sent = 0;
    while served.send(SendMode::Reliable, &message(sent)).is_ok() {
        sent += 1;
    }
    let before = served.statistics().stream_bytes_sent;
    for _ in 0..100 {
        let refused = served.send(SendMode::Reliable, &message(sent));
        assert!(matches!(refused, Err(SendError::Full { .. })), "{refused:?}");
    }
    assert_eq!(served.statistics().stream_bytes_sent, before);
    // The client reads, and the next frames notice it.
    expect_all(&mut server, client, sent);
    let report = server.broadcast(SendMode::Reliable, &message(0)).expect("a short message");
    assert_eq!((report.sent, report.behind), (1, vec![]));
    expect_all(&mut server, client, 1);
}
