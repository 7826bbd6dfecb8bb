//! What the simulator and the fuzz targets found, each as the shortest conversation that shows it.

mod common;

use std::sync::Arc;

use common::{ACKNOWLEDGEMENT, CONFIGURE, Driven, ID, NOW, RELIABLE, Tokens, arrived, empty, peer};
use darkrift_proto::{CloseKind, Event, Listener, Routing, ServerConfig};

/// The connection stayed open for ever where its driver did not offer an empty input once more.
#[test]
fn a_stream_that_ended_behind_the_last_frame_closes_when_that_frame_is_taken() {
    let mut server = Driven::connected_server(|config| config.limits.undelivered = 1);
    server.reads(&[empty(1), empty(2)].concat());
    server.reads_the_end();
    assert_eq!(server.connection.poll_event(), Some(arrived(1, RELIABLE)));
    server.connection.handle_stream(NOW, &mut server.input);
    assert!(server.input.is_empty());
    assert_eq!(server.connection.poll_event(), Some(arrived(2, RELIABLE)));
    let Some(Event::Closed(reason)) = server.connection.poll_event() else { panic!("it did not close") };
    assert_eq!(reason.kind, CloseKind::EndOfStream);
}

/// They were all taken at once, however little the application was to be given.
#[test]
fn frames_behind_configure_wait_for_room_as_all_others_do() {
    let mut client = Driven::greeted_client(|config| config.limits.undelivered = 2);
    client.hears(&ACKNOWLEDGEMENT);
    client.reads(&[CONFIGURE.to_vec(), empty(1), empty(2), empty(3)].concat());
    assert!(!client.connection.wants_stream_read());
    assert_eq!(client.input, empty(3));
    assert_eq!(client.events(), [Event::Connected(ID), arrived(1, RELIABLE), arrived(2, RELIABLE)]);
}

/// A client that died while it connected, and came back from the same port, was put out by its own old token.
#[test]
fn a_token_that_comes_late_does_not_evict_the_connection_that_came_after_its_own() {
    let mut listener = Listener::new(Arc::new(ServerConfig::default()));
    let mut tokens = Tokens(1);
    let (_, _dead) = listener.accept(NOW, peer(), &mut tokens).unwrap();
    let (key, _back) = listener.accept(NOW, peer(), &mut tokens).unwrap();
    let token = |number| [1, 0, 0, 0, 0, 0, 0, 0, number];
    assert!(
        matches!(listener.handle_datagram(NOW, peer(), &token(2)), Routing::Paired { key: of, .. } if of == key)
    );
    assert_eq!(listener.handle_datagram(NOW, peer(), &token(1)), Routing::Ignored);
    assert_eq!(listener.handle_datagram(NOW, peer(), &[0, 0, 9]), Routing::Deliver(key));
}

/// How many bytes were counted depended on how the stream was cut.
#[test]
fn a_frame_that_ends_the_connection_is_the_last_whose_bytes_are_counted() {
    let mut client = Driven::connected_client(|_| {});
    let before = client.connection.statistics().stream_bytes_received;
    client.reads(&[empty(1), vec![0, 0, 0, 1, 0], empty(2)].concat());
    assert!(client.connection.is_closed());
    assert_eq!(client.connection.statistics().stream_bytes_received - before, 7 + 5);
}
