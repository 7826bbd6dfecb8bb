//! How much waits for an application that takes nothing, however it is read.

mod common;

use common::*;
use darkrift_proto::{CloseKind, Event, Limits, TransportError};

/// Frames of this many bytes of payload.
fn frames(count: usize, payload: usize) -> Vec<u8> {
    framed(&vec![0; 3 + payload]).repeat(count)
}

fn server(change: impl Fn(&mut Limits)) -> Driven {
    Driven::connected_server(|config| change(&mut config.limits))
}

#[test]
fn one_large_read_brings_no_more_bytes_than_may_wait_and_a_message() {
    for payload in [0, 1, 10, 400, 999, 1000, 60_000] {
        let mut server = server(|limits| limits.undelivered_bytes = 1000);
        server.reads(&frames(200, payload));
        let queued = server.connection.events_queued();
        assert!(queued < 1000 + payload.max(1), "{queued} of {payload} each");
        assert!(queued >= 1000.min(200 * payload), "{queued} of {payload} each: there was room");
    }
}

#[test]
fn what_is_left_comes_as_the_application_takes_what_came_before() {
    let mut server = server(|limits| limits.undelivered_bytes = 1000);
    server.reads(&frames(200, 60));
    let mut messages = 0;
    while !server.input.is_empty() {
        messages += server.events().len();
        server.reads(&[]);
    }
    messages += server.events().len();
    assert_eq!(messages, 200);
}

#[test]
fn the_rest_of_a_stream_that_has_failed_is_taken_past_the_limit_of_messages() {
    let mut server = server(|limits| limits.undelivered = 8);
    server.reads(&frames(100, 10));
    assert_eq!(server.connection.events_queued(), 80);
    server.connection.handle_stream_rest(NOW, &mut server.input);
    server.reads(&frames(100, 10));
    server.connection.handle_transport_error(NOW, TransportError::Reset);
    let events = server.events();
    assert_eq!(events.len(), 201);
    assert!(events[..200].iter().all(|event| matches!(event, Event::Message(_))));
    let Event::Closed(reason) = &events[200] else { panic!("{events:?}") };
    assert_eq!(reason.kind, CloseKind::Transport(TransportError::Reset));
}

#[test]
fn the_rest_of_a_stream_is_bounded_in_bytes_however_often_it_is_asked_for() {
    let mut server = server(|limits| limits.undelivered_bytes = 1000);
    server.reads(&frames(100, 100));
    assert_eq!(server.connection.events_queued(), 1000);
    for _ in 0..3 {
        server.connection.handle_stream_rest(NOW, &mut server.input);
        assert_eq!(server.connection.events_queued(), 2000);
        assert!(!server.connection.wants_stream_read());
    }
}
