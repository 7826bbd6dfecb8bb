//! What a client does wrong between its token and Configure ends its connection, behind the news that it was there.

mod common;

use common::*;
use darkrift_proto::{ClientId, CloseKind, Event, StrikeReason};

const ID: ClientId = ClientId::new(7);

/// The events of a server's side that is configured once the client has done this, and the close's kind.
fn told(wrong: impl Fn(&mut Driven)) -> (Vec<Event>, CloseKind) {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&framed(&[0, 0, 1]));
    wrong(&mut server);
    assert!(!server.connection.is_closed(), "the application has not heard of it");
    assert!(!server.connection.wants_stream_read(), "nothing more counts");
    let input = server.input.len();
    server.reads(&framed(&[0, 0, 2]));
    assert_eq!(server.input.len(), input + 7, "what comes behind it is left");
    server.hears(&[0, 0, 3]);

    server.connection.configure(NOW, ID);
    server.reads(&[]);
    let mut events = server.events();
    let Some(Event::Closed(reason)) = events.pop() else { panic!("{events:?}") };
    assert!(server.input.is_empty());
    (events, reason.kind)
}

#[test]
fn a_command_costs_a_client_its_connection_once_it_was_announced() {
    let command = |server: &mut Driven| server.reads(&framed(&[0x80, 0, 0]));
    let last = StrikeReason::InvalidCommand;
    let (events, kind) = told(command);
    assert_eq!(events[..2], [Event::Connected(ID), arrived(1, RELIABLE)]);
    assert!(matches!(events[2..], [Event::Strike(strike)] if (strike.reason, strike.total) == (last, 5)));
    assert_eq!(kind, CloseKind::Strikes { last, total: 5 });
}

#[test]
fn so_does_a_command_on_udp() {
    let (events, kind) = told(|server| server.hears(&[0x80, 0, 0]));
    assert_eq!((events.len(), &events[0]), (3, &Event::Connected(ID)));
    assert_eq!(kind, CloseKind::Strikes { last: StrikeReason::InvalidCommand, total: 5 });
}

#[test]
fn a_frame_of_a_negative_length_ends_the_connection_once_the_client_was_announced() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&framed(&[0, 0, 1]));
    server.reads(&[0xff; 4]);
    assert!(!server.connection.is_closed());
    server.connection.configure(NOW, ID);
    server.reads(&[]);
    let events = server.events();
    assert_eq!(events[..2], [Event::Connected(ID), arrived(1, RELIABLE)]);
    let Event::Closed(reason) = &events[2] else { panic!("{events:?}") };
    assert_eq!(reason.kind, CloseKind::NegativeFrame(-1));
}

#[test]
fn whom_the_application_does_not_accept_is_closed_for_that() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&framed(&[0x80, 0, 0]));
    server.connection.close(NOW);
    assert_eq!(server.closed_for(), Some(CloseKind::Requested));
    server.connection.configure(NOW, ID);
    assert_eq!(server.connection.id(), None);
}
