//! How a server's side of a conversation ends: what still leaves, and for how long it waits.

mod common;

use std::time::Duration;

use common::*;
use darkrift_proto::{CloseKind, CloseReason, Event, Initiator, SendError};

#[test]
fn a_close_flushes_what_is_queued_and_then_waits_for_the_clients_end() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.send(NOW, RELIABLE, &message(1)).unwrap();
    server.connection.close(NOW);
    assert!(!server.connection.wants_stream_shutdown());
    assert_eq!(server.written(), empty(1));
    assert!(server.connection.wants_stream_shutdown());
    assert!(!server.connection.is_drained());
    server.reads(&empty(5));
    assert!(server.input.is_empty(), "what still comes is discarded");
    server.connection.handle_stream_shutdown(NOW);
    assert!(!server.connection.wants_stream_shutdown());
    assert!(server.connection.wants_stream_read());
    server.reads_the_end();
    assert!(server.connection.is_drained());
    assert!(!server.connection.wants_stream_reset());
    assert_eq!(server.closed_for(), Some(CloseKind::Requested));
}

#[test]
fn a_close_waits_no_longer_than_the_linger_time() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.send(NOW, RELIABLE, &message(1)).unwrap();
    server.connection.close(at(1000));
    assert_eq!(server.connection.poll_timeout(), Some(at(3000)));
    server.connection.handle_timeout(at(2999));
    assert!(!server.connection.is_drained());
    server.connection.handle_timeout(at(3000));
    assert!(server.connection.is_drained());
    assert!(server.connection.wants_stream_reset(), "the client shall not take what it has for everything");
    assert!(server.connection.statistics().stream_unsent > 0, "and the server can see what it has not");
    assert_eq!(server.connection.stream_queued(), 0);
    assert_eq!(server.connection.poll_timeout(), None);
}

#[test]
fn a_connection_that_never_was_up_holds_its_sockets_for_half_a_second_at_most() {
    let mut rejected = Driven::paired_server(|_| {});
    rejected.connection.close_with(at(5000), CloseReason::new(Initiator::Local, CloseKind::Rejected));
    let [mut no_token, mut no_acknowledgement, mut hurried] = [
        Driven::server(|_| {}).2,
        Driven::greeted_client(|_| {}),
        Driven::server(|config| config.limits.linger = Duration::from_millis(400)).2,
    ];
    for side in [&mut no_token, &mut no_acknowledgement, &mut hurried] {
        side.connection.handle_timeout(at(5000));
    }
    for (mut side, gone) in [(rejected, 5500), (no_token, 5500), (no_acknowledgement, 5500), (hurried, 5400)]
    {
        assert!(side.connection.is_closed());
        assert_eq!(side.connection.poll_timeout(), Some(at(gone)));
        side.connection.handle_timeout(at(gone));
        assert!(side.connection.is_drained());
        assert!(!side.connection.wants_stream_reset(), "nothing was left to say");
    }
}

#[test]
fn answers_to_a_client_that_ended_its_stream_may_still_leave() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.send(NOW, RELIABLE, &message(1)).unwrap();
    server.reads_the_end();
    assert_eq!(server.closed_for(), Some(CloseKind::EndOfStream));
    assert!(!server.connection.wants_stream_read());
    assert_eq!(server.written(), empty(1));
    server.connection.handle_stream_shutdown(NOW);
    assert!(server.connection.is_drained());
}

#[test]
fn after_the_close_nothing_has_an_effect() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.close(NOW);
    server.connection.close_with(NOW, CloseReason::new(Initiator::Local, CloseKind::Shutdown));
    server.hears(&[0, 0, 1]);
    server.hears(&[]);
    server.connection.configure(NOW, ID);
    server.connection.handle_paired(NOW);
    for mode in [RELIABLE, UNRELIABLE] {
        assert_eq!(server.connection.send(NOW, mode, &message(1)), Err(SendError::Closed));
        assert_eq!(server.connection.ping(NOW, mode, &message(1)), Err(SendError::Closed));
    }
    server.reads(&[0xff; 4]);
    let reason = CloseReason::new(Initiator::User, CloseKind::Requested);
    assert_eq!(server.events(), [Event::Closed(reason)]);
    server.connection.handle_timeout(at(1_000_000));
    assert!(server.connection.is_drained());
    server.reads(&empty(1));
    server.reads_the_end();
    assert_eq!(server.events(), []);
}

#[test]
fn datagrams_of_an_evicted_client_do_not_reach_the_one_that_has_its_address_now() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.send(NOW, UNRELIABLE, &message(1)).unwrap();
    server.connection.close_with(NOW, CloseReason::new(Initiator::Local, CloseKind::Evicted));
    assert_eq!(server.datagram(), None);
}

#[test]
fn nor_do_they_when_it_was_closing_already() {
    let mut server = Driven::connected_server(|_| {});
    server.connection.send(NOW, UNRELIABLE, &message(1)).unwrap();
    server.connection.close(NOW);
    assert!(server.connection.has_datagram());
    server.connection.close_with(NOW, CloseReason::new(Initiator::Local, CloseKind::Evicted));
    assert_eq!(server.datagram(), None);
    assert_eq!(server.closed_for(), Some(CloseKind::Requested), "the first reason stays");
}
