//! What a game loop may rely on.

use darkrift_std::proto::{Message, SendMode};
use darkrift_std::{Client, Event, Server, ServerEvent};
use std::time::Duration;

fn there_and_back() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    let mut client = Client::begin(server.local_addr()).expect("there are sockets");
    let message = Message::encode(5, "Hello World").expect("a short message");
    loop {
        server.update();
        while let Some(event) = server.next_event() {
            if let ServerEvent::Message(from, received) = event {
                from.send(SendMode::Reliable, received.message()).expect("it is open");
            }
        }
        client.wait(Duration::from_millis(1));
        match client.next_event() {
            Some(Event::Connected(_)) => client.send(SendMode::Reliable, &message).expect("it is open"),
            Some(Event::Message(received)) => return assert_eq!(received.message(), &message),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
}

#[test]
fn a_message_goes_there_and_back() {
    there_and_back();
}

#[tokio::test]
async fn it_does_so_in_a_task_of_a_runtime_of_the_program_s_own() {
    there_and_back();
}

#[test]
fn a_wait_for_nothing_is_no_busy_one() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    server.shutdown();
    while !server.is_finished() {
        server.wait(Duration::from_millis(1));
    }
    // Nothing can come any more, and still it takes its time.
    let begun = std::time::Instant::now();
    server.wait(Duration::from_millis(50));
    assert!(server.next_event().is_none());
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn what_another_thread_sends_and_closes_leaves_while_this_one_waits() {
    // No time limit of the server's shall end a wait meanwhile.
    let settings = Server::builder().handshake_timeout(Duration::from_secs(3600));
    let mut server = Server::bind_with(settings, "127.0.0.1:0").expect("a free port");
    let address = server.local_addr();
    let (give, connections) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        loop {
            server.wait(Duration::MAX);
            match server.next_event() {
                Some(ServerEvent::Connected(connection)) => give.send(connection).expect("it is awaited"),
                Some(ServerEvent::Disconnected(..)) => return,
                other => panic!("{other:?}"),
            }
        }
    });
    let mut client = Client::connect(address).expect("there is a server");
    let connection = connections.recv().expect("it came");

    // More than the socket takes, so that the thread that waits has to notice when it takes more.
    let message = Message::encode(5, &vec![7_u8; 64 << 10]).expect("a short message");
    let (mut sent, mut left) = (0, true);
    while left {
        let before = connection.statistics().stream_bytes_sent;
        connection.send(SendMode::Reliable, &message).expect("there is room for one");
        sent += 1;
        left = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            connection.statistics().stream_bytes_sent > before + (64 << 10)
        });
    }
    for _ in 0..sent {
        client.wait(Duration::from_secs(20));
        assert!(matches!(client.next_event(), Some(Event::Message(_))));
    }
    connection.close();
    client.wait(Duration::from_secs(20));
    assert!(matches!(client.next_event(), Some(Event::Closed(_))));
    waiting.join().expect("it has not panicked");
}
