//! What bad input costs a client, at a server's side.

mod common;

use common::*;
use darkrift_proto::{CloseKind, CloseReason, Event, Initiator, StrikeReason};

/// What becomes of one piece of bad input from a client that may collect 100 strikes.
enum Fate {
    Struck(StrikeReason, u32),
    Closed(CloseKind),
    Delivered,
}

use Fate::{Closed, Delivered, Struck};
use StrikeReason::{ConnectionRequest, InvalidCommand, InvalidMessageLength, UnidentifiedPing};

fn strikes(server: &mut Driven) -> Vec<(StrikeReason, u32)> {
    let strike = |event| match event {
        Event::Strike(strike) => Some((strike.reason, strike.weight)),
        _ => None,
    };
    server.events().into_iter().filter_map(strike).collect()
}

#[test]
fn bad_frames_cost_what_they_cost_at_the_original() {
    for (bytes, fate) in [
        (vec![0, 0, 0, 0], Closed(CloseKind::EmptyFrame)),
        (framed(&[0]), Struck(InvalidMessageLength, 5)),
        (framed(&[0, 0]), Struck(InvalidMessageLength, 5)),
        (framed(&[0x40, 0, 0]), Struck(InvalidMessageLength, 5)),
        (framed(&[0x40, 0, 0, 0]), Struck(InvalidMessageLength, 5)),
        (framed(&[0x80, 0, 0]), Struck(InvalidCommand, 5)),
        (framed(&[0x80, 0, 1, 0, 7]), Struck(InvalidCommand, 5)),
        (vec![0xff; 4], Closed(CloseKind::NegativeFrame(-1))),
        (vec![0x80, 0, 0, 0], Closed(CloseKind::NegativeFrame(i32::MIN))),
        (
            vec![0x7f, 0xff, 0xff, 0xff],
            Closed(CloseKind::FrameTooLong { length: 0x7fff_ffff, limit: 65_534 }),
        ),
        (vec![0, 0, 0xff, 0xff], Closed(CloseKind::FrameTooLong { length: 65_535, limit: 65_534 })),
        (framed(&[0; 65_534]), Delivered),
    ] {
        let mut server = Driven::connected_server(|config| config.max_strikes = 100);
        server.reads(&bytes);
        match fate {
            Struck(reason, weight) => {
                assert_eq!(strikes(&mut server), [(reason, weight)]);
                assert_eq!(server.connection.strikes(), weight);
                server.reads(&empty(1));
                assert_eq!(server.events(), [arrived(1, RELIABLE)], "the frame was passed over");
            }
            Closed(kind) => assert_eq!(server.closed_for(), Some(kind)),
            Delivered => assert!(matches!(server.events()[..], [Event::Message(_)])),
        }
    }
}

#[test]
fn a_frame_too_long_is_a_strike_of_10_and_closes_whatever_the_strikes_come_to() {
    for max_strikes in [1, 3, 100] {
        let mut server = Driven::connected_server(|config| config.max_strikes = max_strikes);
        server.reads(&[0, 0, 0xff, 0xff]);
        let events = server.events();
        assert!(matches!(events[0], Event::Strike(s) if s.reason == ConnectionRequest && s.weight == 10));
        let kind = CloseKind::FrameTooLong { length: 65_535, limit: 65_534 };
        assert_eq!(events[1..], [Event::Closed(CloseReason::new(Initiator::Local, kind))]);
    }
}

#[test]
fn bad_datagrams_cost_what_they_cost_at_the_original() {
    for (datagram, reason) in [
        (&[][..], InvalidMessageLength),
        (&[0], InvalidMessageLength),
        (&[0, 0], InvalidMessageLength),
        (&[0x40, 0, 0], InvalidMessageLength),
        (&[0x60, 0, 0, 0], InvalidMessageLength),
        (&[0x80, 0, 0, 0, 1], InvalidCommand),
    ] {
        let mut server = Driven::connected_server(|config| config.max_strikes = 100);
        server.hears(datagram);
        assert_eq!(strikes(&mut server), [(reason, 5)]);
    }
}

#[test]
fn an_unknown_acknowledgement_is_a_strike_of_1_and_delivered_all_the_same() {
    for code in [0, 1, 0xabcd_u16] {
        let [high, low] = code.to_be_bytes();
        let mut server = Driven::connected_server(|_| {});
        server.reads(&framed(&[0x60, 0, 1, high, low]));
        server.hears(&[0x60, 0, 1, high, low]);
        let events = server.events();
        assert!(matches!(events[0], Event::Strike(s) if s.reason == UnidentifiedPing && s.total == 1));
        assert!(matches!(events[1], Event::Message(_)));
        assert!(matches!(events[2], Event::Strike(s) if s.reason == UnidentifiedPing && s.total == 2));
        assert!(matches!(events[3], Event::Message(_)));
        assert!(!server.connection.is_closed());
    }
}

#[test]
fn the_strike_that_reaches_the_maximum_closes_after_what_came_with_it() {
    let mut server = Driven::connected_server(|_| {});
    let acknowledgement = framed(&[0x60, 0, 1, 0, 0]);
    server.reads(&[acknowledgement.repeat(3), empty(9)].concat());
    let events = server.events();
    assert_eq!(events.len(), 7);
    assert!(matches!(events[5], Event::Message(_)));
    let kind = CloseKind::Strikes { last: UnidentifiedPing, total: 3 };
    assert_eq!(events[6], Event::Closed(CloseReason::new(Initiator::Local, kind)));
}

#[test]
fn forgiven_strikes_do_not_count() {
    let mut server = Driven::connected_server(|config| config.max_strikes = 10);
    server.reads(&framed(&[0]));
    server.connection.forgive_strikes(5);
    assert_eq!(server.connection.strikes(), 0);
    server.reads(&framed(&[0]));
    assert!(!server.connection.is_closed());
    server.reads(&framed(&[0]));
    assert!(server.connection.is_closed());
    server.connection.forgive_strikes(1000);
    assert_eq!(server.connection.strikes(), 0);
}

#[test]
fn a_strike_without_weight_is_no_strike() {
    let mut server = Driven::connected_server(|config| {
        config.strike_weights.invalid_message_length = 0;
        config.strike_weights.invalid_command = 0;
    });
    server.reads(&[framed(&[0]).repeat(1000), framed(&[0x80, 0, 0]), empty(1)].concat());
    server.hears(&[]);
    assert_eq!(server.events(), [arrived(1, RELIABLE)]);
    assert_eq!(server.connection.strikes(), 0);
}
