//! Conversations of a server's side with clients, good, slow and bad.

mod common;

use std::time::Duration;

use bytes::{Buf, BytesMut};
use common::*;
use darkrift_proto::{
    CloseKind, CloseReason, ConnectPhase, Connection, EncodeError, EncodedMessage, Encoding, Event,
    Initiator, Message, SendError, State, ToMessage, Writer,
};

#[test]
fn strikes_for_datagrams_that_nobody_takes_are_bounded() {
    let mut server = Driven::connected_server(|config| config.max_strikes = u32::MAX);
    for _ in 0..10_000 {
        server.hears(&[]);
    }
    assert_eq!(server.connection.strikes(), 50_000);
    assert_eq!(server.events().len(), 256);
}

#[test]
fn unreliable_messages_that_nobody_takes_are_bounded_in_bytes_and_the_newest_stay() {
    let mut server = Driven::connected_server(|_| {});
    let mut datagram = vec![0; 65_507];
    for tag in 0..256_u16 {
        datagram[1..3].copy_from_slice(&tag.to_be_bytes());
        server.hears(&datagram);
    }
    let kept = (384 << 10) / 65_504;
    assert_eq!(server.connection.statistics().undelivered_dropped, 256 - kept);
    let tags: Vec<u16> = server
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Message(received) => received.tag(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags, (256 - kept as u16..256).collect::<Vec<_>>());
}

#[test]
fn a_single_unreliable_message_waits_whatever_its_size() {
    let mut server = Driven::connected_server(|config| config.limits.undelivered_unreliable_bytes = 0);
    server.hears(&[&[0, 0, 1][..], &[7; 500]].concat());
    server.hears(&[&[0, 0, 2][..], &[7; 500]].concat());
    assert!(matches!(&server.events()[..], [Event::Message(received)] if received.tag() == 2));
    assert_eq!(server.connection.statistics().undelivered_dropped, 1);
}

#[test]
fn frames_may_come_in_pieces() {
    let mut server = Driven::connected_server(|_| {});
    server.reads(&[0, 0]);
    assert_eq!(server.connection.stream_read_hint(), 2);
    server.reads(&[0, 0x0b]);
    assert_eq!(server.connection.stream_read_hint(), 11);
    assert_eq!(server.events(), []);
    server.reads(&[0, 0, 0, 0, 0, 0, 4, 0x48, 0, 0x69, 0]);
    let [Event::Message(received)] = &server.events()[..] else { panic!("one message") };
    assert_eq!((received.tag(), received.send_mode()), (0, RELIABLE));
    assert_eq!(received.payload()[..], [0, 0, 0, 4, 0x48, 0, 0x69, 0]);
}

#[test]
fn a_client_without_a_token_is_closed_after_5_seconds() {
    let (_, _, mut server) = Driven::server(|_| {});
    assert_eq!(server.connection.poll_timeout(), Some(at(5000)));
    server.connection.handle_timeout(at(5000));
    let limit = Duration::from_secs(5);
    assert_eq!(server.closed_for(), Some(CloseKind::ConnectTimeout { phase: ConnectPhase::Token, limit }));
}

#[test]
fn before_the_token_nothing_is_taken_and_no_more_than_4_kib_and_a_read_may_wait() {
    let (_, _, mut server) = Driven::server(|_| {});
    server.reads(&vec![0; (4 << 10) - 1]);
    assert!(server.connection.wants_stream_read());
    server.reads(&[0]);
    assert!(!server.connection.wants_stream_read());
    assert_eq!(server.input.len(), 4 << 10);
    server.connection.handle_paired(NOW);
    assert!(server.connection.wants_stream_read());
    assert_eq!(server.connection.state(), State::Paired);
}

#[test]
fn bad_input_before_the_token_is_looked_at_only_after_it() {
    let (_, _, mut server) = Driven::server(|_| {});
    server.reads(&[0xff; 4]);
    assert!(!server.connection.is_closed());
    server.connection.handle_paired(NOW);
    server.connection.configure(NOW, ID);
    server.reads(&[]);
    assert_eq!(server.closed_for(), Some(CloseKind::NegativeFrame(-1)));
}

#[test]
fn a_client_that_leaves_before_its_token_comes_is_noticed_at_once() {
    let (_, _, mut server) = Driven::server(|_| {});
    server.reads(&empty(1));
    server.reads_the_end();
    assert_eq!(server.closed_for(), Some(CloseKind::EndOfStream));
}

fn end_of_stream() -> Event {
    Event::Closed(CloseReason::new(Initiator::Peer, CloseKind::EndOfStream))
}

#[test]
fn what_a_client_wrote_before_it_left_is_delivered_once_it_is_configured() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&empty(1));
    server.reads(&empty(2));
    server.reads_the_end();
    assert_eq!(server.connection.state(), State::Paired);
    assert_eq!(server.events(), []);
    assert!(!server.connection.wants_stream_read(), "nothing more comes");
    server.reads_the_end();
    assert_eq!(server.connection.state(), State::Paired);
    server.connection.configure(NOW, ID);
    let early = [arrived(1, RELIABLE), arrived(2, RELIABLE)];
    assert_eq!(server.events(), [&[Event::Connected(ID)][..], &early, &[end_of_stream()]].concat());
    assert_eq!(server.written(), CONFIGURE);
    assert!(server.connection.wants_stream_shutdown());
    server.connection.handle_stream_shutdown(NOW);
    assert!(server.connection.is_drained());
}

#[test]
fn what_a_client_left_behind_comes_as_there_is_room_for_it_once_it_is_configured() {
    for half_a_frame in [&[][..], &[0, 0]] {
        let mut server = Driven::paired_server(|_| {});
        server.reads(&[(0..600).flat_map(empty).collect::<Vec<_>>(), half_a_frame.to_vec()].concat());
        server.reads_the_end();
        assert!(!server.connection.wants_stream_read());
        server.connection.configure(NOW, ID);
        let mut events = Vec::new();
        while !server.connection.is_closed() {
            events.extend(server.events());
            assert!(server.connection.wants_stream_read());
            server.reads(&[]);
        }
        events.extend(server.events());
        assert_eq!(events.len(), 602);
        assert_eq!(events[600], arrived(599, RELIABLE));
        assert_eq!(events[601], end_of_stream());
        assert!(server.input.is_empty());
    }
}

#[test]
fn a_client_that_left_and_is_refused_is_gone() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&empty(1));
    server.reads_the_end();
    let reason = CloseReason::new(Initiator::Local, CloseKind::Rejected);
    server.connection.close_with(NOW, reason.clone());
    assert_eq!(server.events(), [Event::Closed(reason)]);
    assert!(server.connection.wants_stream_shutdown());
    server.connection.handle_stream_shutdown(NOW);
    assert!(server.connection.is_drained());
}

#[test]
fn what_a_client_sends_before_it_is_configured_comes_after_connected() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&empty(1));
    server.hears(&[0, 0, 2]);
    server.reads(&framed(&[0x60, 0, 3, 0, 0]));
    assert_eq!(server.events(), []);
    for mode in [RELIABLE, UNRELIABLE] {
        assert_eq!(server.connection.send(NOW, mode, &message(1)), Err(SendError::NotConnected));
    }
    server.connection.configure(NOW, ID);
    let events = server.events();
    assert_eq!(events[..3], [Event::Connected(ID), arrived(1, RELIABLE), arrived(2, UNRELIABLE)]);
    assert!(matches!(events[3..], [Event::Strike(_), Event::Message(_)]));
}

#[test]
fn configure_has_no_effect_but_on_a_paired_connection() {
    let (_, _, mut server) = Driven::server(|_| {});
    server.connection.configure(NOW, ID);
    assert_eq!(server.connection.state(), State::AwaitingToken);
    assert_eq!(server.connection.id(), None);
    let mut server = Driven::connected_server(|_| {});
    server.connection.configure(NOW, darkrift_proto::ClientId::new(99));
    assert_eq!(server.connection.id(), Some(ID));
    assert_eq!(server.written(), []);
}

#[test]
fn a_client_refused_by_the_hook_hears_nothing_of_it_but_the_end() {
    let mut server = Driven::paired_server(|_| {});
    server.reads(&empty(1));
    server.connection.close_with(NOW, CloseReason::new(Initiator::User, CloseKind::Rejected));
    assert_eq!(server.closed_for(), Some(CloseKind::Rejected));
    assert_eq!(server.written(), []);
    assert!(server.connection.wants_stream_shutdown());
}

#[test]
fn while_the_application_takes_nothing_the_stream_is_not_read() {
    let mut server = Driven::connected_server(|_| {});
    let frames: Vec<u8> = (0..1000).flat_map(empty).collect();
    server.reads(&frames);
    assert!(!server.connection.wants_stream_read());
    assert_eq!(server.input.len(), 744 * 7);
    assert_eq!(server.connection.poll_event(), Some(arrived(0, RELIABLE)));
    assert!(server.connection.wants_stream_read());
    server.reads(&[]);
    assert_eq!(server.input.len(), 743 * 7);
    let mut taken = 1;
    while server.connection.has_event() {
        for event in server.events() {
            assert_eq!(event, arrived(taken, RELIABLE));
            taken += 1;
        }
        server.reads(&[]);
    }
    assert_eq!(taken, 1000);
}

#[test]
fn the_bytes_that_wait_for_the_application_are_bounded_too() {
    let mut server = Driven::connected_server(|config| config.limits.undelivered_bytes = 1000);
    for _ in 0..10 {
        if server.connection.wants_stream_read() {
            server.reads(&framed(&[0; 403]));
        }
    }
    assert_eq!(server.events().len(), 3);
    assert!(server.connection.wants_stream_read());
}

#[test]
fn frames_left_at_the_end_of_the_stream_come_before_the_close() {
    let mut server = Driven::connected_server(|_| {});
    server.reads(&(0..600).flat_map(empty).collect::<Vec<_>>());
    server.reads_the_end();
    assert_eq!(server.input.len(), (600 - 256) * 7, "the end makes no room");
    let mut events = Vec::new();
    while !server.connection.is_closed() {
        events.extend(server.events());
        assert!(server.connection.wants_stream_read());
        server.reads(&[]);
    }
    events.extend(server.events());
    assert_eq!(events.len(), 601);
    assert_eq!(events[599], arrived(599, RELIABLE));
    let reason = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
    assert_eq!(events[600], Event::Closed(reason));
}

#[test]
fn half_a_frame_at_the_end_of_the_stream_is_dropped() {
    let mut server = Driven::connected_server(|_| {});
    server.reads(&empty(1)[..6]);
    server.reads_the_end();
    assert_eq!(server.closed_for(), Some(CloseKind::EndOfStream));
}

#[test]
fn payloads_share_the_memory_that_they_were_read_into() {
    let mut server = Driven::connected_server(|_| {});
    server.input = BytesMut::with_capacity(1000);
    let memory = server.input.as_ptr() as usize..server.input.as_ptr() as usize + 1000;
    server.reads(&framed(&[0, 0, 1, 42]).repeat(3));
    for event in server.events() {
        let Event::Message(received) = event else { panic!("a message") };
        assert!(memory.contains(&(received.payload().as_ptr() as usize)));
    }
}

#[test]
fn an_ordinary_message_of_the_stream_can_be_taken_by_itself() {
    let mut server = Driven::connected_server(|_| {});
    server.reads(&[empty(1), empty(2), framed(&[0x40, 0, 3, 0, 9]), empty(4)].concat());
    let tags = |server: &mut Driven| -> Vec<u16> {
        std::iter::from_fn(|| server.connection.poll_message()).map(|received| received.tag()).collect()
    };
    assert_eq!(tags(&mut server), [1, 2], "a ping comes with `poll_event`");
    assert!(matches!(server.connection.poll_event(), Some(Event::Message(ping)) if ping.tag() == 3));
    assert_eq!(tags(&mut server), [4]);
    server.reads_the_end();
    assert_eq!(server.connection.poll_message(), None);
    assert_eq!(server.closed_for(), Some(CloseKind::EndOfStream));
}

#[test]
fn no_message_is_taken_by_itself_before_an_event_that_goes_before_it() {
    let mut server = Driven::paired_server(|config| config.max_strikes = 100);
    server.reads(&[empty(1), empty(2)].concat());
    assert_eq!(server.connection.poll_message(), None, "the connection is not up");
    server.connection.configure(NOW, ID);
    assert_eq!(server.connection.poll_message(), None, "it is up: that is said first");
    assert_eq!(server.connection.poll_event(), Some(Event::Connected(ID)));
    let polled = |server: &mut Driven| server.connection.poll_message().map(Event::Message);
    assert_eq!(polled(&mut server), Some(arrived(1, RELIABLE)));
    assert_eq!(polled(&mut server), Some(arrived(2, RELIABLE)));
    server.hears(&[0, 0, 3]);
    server.hears(&[0x80, 0, 0]);
    server.reads(&empty(4));
    assert_eq!(polled(&mut server), Some(arrived(3, UNRELIABLE)));
    assert_eq!(polled(&mut server), None, "a strike came before it");
    assert!(matches!(server.connection.poll_event(), Some(Event::Strike(_))));
    assert_eq!(polled(&mut server), Some(arrived(4, RELIABLE)));
    assert_eq!(server.events(), []);
}

#[test]
fn pings_are_acknowledged_with_an_empty_message_of_the_same_tag_on_the_same_channel() {
    for mut server in [Driven::connected_server(|_| {}), Driven::paired_server(|_| {})] {
        server.reads(&framed(&[0x40, 0, 9, 0xab, 0xce, 10, 11]));
        server.hears(&[0x40, 0, 9, 0xab, 0xcf]);
        assert_eq!(server.written(), framed(&[0x60, 0, 9, 0xab, 0xce]));
        assert_eq!(server.datagram().unwrap(), [0x60, 0, 9, 0xab, 0xcf]);
        server.connection.configure(NOW, ID);
        let messages = server.events().into_iter().filter(|event| matches!(event, Event::Message(_)));
        assert_eq!(messages.count(), 2, "the application sees them, too");
    }
}

#[test]
fn pings_are_left_to_the_application_where_it_wants_them() {
    let mut server = Driven::connected_server(|config| config.limits.answer_pings = false);
    server.reads(&framed(&[0x40, 0, 9, 0xab, 0xce]));
    assert_eq!(server.written(), []);
    server.connection.acknowledge(NOW, RELIABLE, 0xabce, &message(9)).unwrap();
    assert_eq!(server.written(), framed(&[0x60, 0, 9, 0xab, 0xce]));
}

#[test]
fn a_client_that_pings_and_never_reads_costs_no_memory_past_the_limit() {
    let mut server = Driven::connected_server(|config| config.limits.reliable_queue = 1000);
    for _ in 0..1000 {
        server.reads(&framed(&[0x40, 0, 9, 0, 1]));
        server.events();
    }
    assert_eq!(server.connection.stream_queued(), 999);
    assert_eq!(server.connection.statistics().acknowledgements_dropped, 1000 - 999 / 9);
}

#[test]
fn a_server_measures_the_round_trip_by_its_own_pings() {
    let mut server = Driven::connected_server(|_| {});
    let encoded = EncodedMessage::new(&Message::empty(5).with_kind(darkrift_proto::MessageKind::Ping(77)));
    server.connection.send_encoded(at(0), UNRELIABLE, &encoded.unwrap()).unwrap();
    server.reads_at(at(20), &framed(&[0x60, 0, 5, 0, 77]));
    assert_eq!(server.connection.round_trip().unwrap().latest, Duration::from_millis(20));
    assert_eq!(server.connection.strikes(), 0);
}

#[test]
fn an_unreliable_message_past_65507_bytes_is_refused_and_the_connection_stays() {
    let mut server = Driven::connected_server(|_| {});
    let longest = Message::new(1, vec![0; 65_504]);
    let too_long = Message::new(1, vec![0; 65_505]);
    let refused = Err(SendError::TooLong { length: 65_508, limit: 65_507 });
    assert_eq!(server.connection.send(NOW, UNRELIABLE, &too_long), refused);
    let encoded = EncodedMessage::new(&too_long).unwrap();
    assert_eq!(server.connection.send_encoded(NOW, UNRELIABLE, &encoded), refused);
    server.connection.send(NOW, UNRELIABLE, &longest).unwrap();
    assert_eq!(server.datagram().unwrap().len(), 65_507);
    server.connection.send(NOW, RELIABLE, &too_long).unwrap();
    assert_eq!(server.events(), []);
}

#[test]
fn a_message_that_cannot_be_encoded_leaves_nothing_of_itself_behind() {
    let mut server = Driven::connected_server(|config| config.limits.encoding = Encoding::Ascii);
    for mode in [RELIABLE, UNRELIABLE] {
        server.connection.send(NOW, mode, &Named("a")).unwrap();
        let refused = server.connection.send(NOW, mode, &Named("aé"));
        assert!(matches!(refused, Err(SendError::Encode(_))), "{refused:?}");
        server.connection.send(NOW, mode, &Named("b")).unwrap();
    }
    let said = |text| [0, 0, 5, 0, 0, 0, 1, text];
    assert_eq!(server.written(), [framed(&said(b'a')), framed(&said(b'b'))].concat());
    assert_eq!(server.datagram().unwrap(), said(b'a'));
    assert_eq!(server.datagram().unwrap(), said(b'b'));
    assert_eq!(server.datagram(), None);
}

/// Text as a message, in the encoding of the connection.
struct Named(&'static str);

impl ToMessage for Named {
    fn tag(&self) -> u16 {
        5
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_string(self.0)
    }
}

#[test]
fn a_full_reliable_queue_refuses_until_the_client_reads() {
    let mut server = Driven::connected_server(|config| config.limits.reliable_queue = 20);
    server.connection.send(NOW, RELIABLE, &message(1)).unwrap();
    server.connection.send(NOW, RELIABLE, &message(2)).unwrap();
    assert!(!server.connection.has_room(7));
    assert_eq!(server.connection.send(NOW, RELIABLE, &message(3)), Err(SendError::Full { queued: 14 }));
    server.connection.stream_output().advance(1);
    assert!(server.connection.has_room(7));
    server.connection.send(NOW, RELIABLE, &message(3)).unwrap();
    assert_eq!(server.written(), [&empty(1)[1..], &empty(2), &empty(3)].concat());
    assert_eq!(server.connection.statistics().reliable_sent, 3);
}

#[test]
fn a_silent_client_is_closed_where_an_idle_timeout_is_set() {
    let idle = Duration::from_secs(3);
    let mut server = Driven::connected_server(|config| config.limits.idle_timeout = Some(idle));
    assert_eq!(server.connection.poll_timeout(), Some(at(3000)));
    server.reads_at(at(2000), &empty(1));
    assert_eq!(server.connection.poll_timeout(), Some(at(3000)), "a message moves no timer");
    server.connection.handle_timeout(at(3000));
    assert_eq!(server.connection.poll_timeout(), Some(at(5000)));
    server.connection.handle_datagram(at(4500), vec![0, 0, 1].into());
    server.connection.handle_timeout(at(5000));
    assert_eq!(server.connection.poll_timeout(), Some(at(7500)));
    server.connection.handle_timeout(at(7500));
    assert_eq!(server.closed_for(), Some(CloseKind::IdleTimeout(idle)));
}

/// A server's side with an idle timeout of 3 s and room for two events, which has read them.
fn full_server() -> Driven {
    let mut server = Driven::connected_server(|config| {
        config.limits.idle_timeout = Some(Duration::from_secs(3));
        config.limits.undelivered = 2;
    });
    server.reads_at(at(1000), &empty(1).repeat(2));
    assert!(!server.connection.wants_stream_read());
    server
}

#[test]
fn a_client_that_is_not_read_is_not_idle() {
    let mut server = full_server();
    for timeout in [3000, 6000, 9000] {
        assert_eq!(server.connection.poll_timeout(), Some(at(timeout)));
        server.connection.handle_timeout(at(timeout));
        assert!(!server.connection.is_closed());
    }
    // The application is back, but nothing has come: the time counts since the last look.
    server.events();
    server.connection.handle_timeout(at(12_000));
    assert_eq!(server.connection.poll_timeout(), Some(at(15_000)));
    server.connection.handle_timeout(at(15_000));
    assert!(matches!(server.closed_for(), Some(CloseKind::IdleTimeout(_))));
}

#[test]
fn a_client_whose_messages_waited_is_not_idle_as_soon_as_there_is_room() {
    let mut server = full_server();
    server.events();
    // What was left is looked at, and what waits in the socket is not here yet.
    server.reads_at(at(2900), &[]);
    server.connection.handle_timeout(at(5899));
    assert!(!server.connection.is_closed());
    assert_eq!(server.connection.poll_timeout(), Some(at(5900)));
    server.connection.handle_timeout(at(5900));
    assert!(matches!(server.closed_for(), Some(CloseKind::IdleTimeout(_))));
}

#[test]
fn everything_is_counted() {
    let mut server = Driven::connected_server(|config| config.limits.unreliable_queue = 5);
    server.reads(&empty(1));
    server.reads(&framed(&[0x60, 0, 1, 0, 0]));
    server.hears(&[0, 0, 2, 9]);
    for mode in [RELIABLE, UNRELIABLE, UNRELIABLE] {
        server.connection.send(NOW, mode, &message(1)).unwrap();
    }
    server.written();
    server.datagram();
    let counted = server.connection.statistics();
    assert_eq!((counted.reliable_received, counted.unreliable_received), (2, 1));
    assert_eq!((counted.stream_bytes_received, counted.datagram_bytes_received), (7 + 9, 4));
    assert_eq!((counted.reliable_sent, counted.unreliable_sent), (1, 2));
    assert_eq!(counted.stream_bytes_sent, (HELLO.len() + CONFIGURE.len() + 7) as u64);
    assert_eq!((counted.datagram_bytes_sent, counted.unsent_dropped), (3, 1));
}

#[test]
fn a_datagram_is_counted_in_whichever_way_it_is_taken() {
    let mut server = Driven::connected_server(|_| {});
    let connection = &mut server.connection;
    let send = |connection: &mut Connection| connection.send(NOW, UNRELIABLE, &message(1)).unwrap();
    send(connection);
    assert!(connection.poll_datagram().is_some());
    assert_eq!(connection.statistics().datagram_bytes_sent, 3);
    send(connection);
    send(connection);
    assert!(connection.poll_datagrams(64).is_some());
    assert_eq!(connection.statistics().datagram_bytes_sent, 9);
    send(connection);
    assert_eq!(connection.poll_lone_datagram(&mut [0; 3]), Some(3));
    assert_eq!(connection.statistics().datagram_bytes_sent, 12);
    let encoded = EncodedMessage::new(&message(1)).unwrap();
    for sum in [15, 18] {
        connection.send_encoded(NOW, UNRELIABLE, &encoded).unwrap();
        assert!(connection.poll_datagram().is_some());
        assert_eq!(connection.statistics().datagram_bytes_sent, sum);
    }
    connection.send_encoded(NOW, UNRELIABLE, &encoded).unwrap();
    send(connection);
    assert!(connection.poll_datagrams(64).is_some());
    assert_eq!(connection.statistics().datagram_bytes_sent, 24);
}
