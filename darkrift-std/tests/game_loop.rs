//! What a game loop may rely on, and where it meets a tokio runtime of the program's own.

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

#[tokio::test]
async fn it_works_on_a_thread_that_may_wait() {
    tokio::task::spawn_blocking(there_and_back).await.expect("it has not panicked");
}

#[tokio::test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
async fn in_a_task_it_panics_and_does_no_more_harm() {
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
