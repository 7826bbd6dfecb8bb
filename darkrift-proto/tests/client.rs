//! Conversations of a client with servers and networks, good and bad.

mod common;

use std::time::Duration;

use common::*;
use darkrift_proto::{
    CloseKind, CloseReason, ConnectPhase, Dialect, Encoding, Event, Initiator, Message, MessageKind,
    SendError, State, TransportError,
};

fn timeout(phase: ConnectPhase, seconds: u64) -> Option<CloseKind> {
    Some(CloseKind::ConnectTimeout { phase, limit: Duration::from_secs(seconds) })
}

#[test]
fn the_hello_may_come_a_byte_at_a_time() {
    let mut client = Driven::client(|_| {});
    for (index, byte) in HELLO.iter().enumerate() {
        assert_eq!(client.connection.state(), State::AwaitingHello);
        assert_eq!(client.datagram(), None);
        client.reads(&[*byte]);
        assert_eq!(client.connection.stream_read_hint(), if index < 8 { 8 - index } else { 4 });
    }
    assert_eq!(client.datagram().as_deref(), Some(&HELLO[..]));
    client.hears(&ACKNOWLEDGEMENT);
    assert_eq!(client.connection.state(), State::AwaitingConfigure);
    client.reads(&CONFIGURE);
    assert_eq!(client.events(), [Event::Connected(ID)]);
    assert_eq!(client.connection.id(), Some(ID));
}

#[test]
fn each_acknowledgement_tells_its_dialect() {
    for (acknowledgement, dialect) in
        [(&ACKNOWLEDGEMENT[..], Dialect::V1), (&[0], Dialect::V0), (&[], Dialect::Legacy)]
    {
        let mut client = Driven::greeted_client(|_| {});
        assert_eq!(client.connection.dialect(), None);
        client.hears(acknowledgement);
        assert_eq!(client.connection.state(), State::AwaitingConfigure);
        assert_eq!(client.connection.dialect(), Some(dialect));
    }
}

#[test]
fn a_lost_acknowledgement_is_made_up_for_by_configure() {
    let mut client = Driven::greeted_client(|_| {});
    client.reads(&CONFIGURE);
    assert_eq!(client.events(), [Event::Connected(ID)]);
    assert_eq!(client.connection.dialect(), None);
    assert_eq!(client.datagram(), None, "the token is known to have arrived");
    assert_eq!(client.connection.poll_timeout(), None);
    client.connection.send(NOW, UNRELIABLE, &message(1)).unwrap();
    client.hears(&ACKNOWLEDGEMENT);
    assert_eq!(client.connection.dialect(), Some(Dialect::V1), "it was only late");
    assert_eq!(client.events(), []);
}

#[test]
fn a_lost_token_is_sent_again_each_second_until_it_is_acknowledged() {
    let mut client = Driven::greeted_client(|_| {});
    assert_eq!(client.datagram().as_deref(), Some(&HELLO[..]));
    for second in 1..=3 {
        assert_eq!(client.datagram(), None);
        assert_eq!(client.connection.poll_timeout(), Some(at(1000 * second)));
        client.connection.handle_timeout(at(1000 * second - 1));
        assert_eq!(client.datagram(), None);
        client.connection.handle_timeout(at(1000 * second));
        assert_eq!(client.connection.poll_datagrams(8).unwrap().contents[..], HELLO);
    }
    client.hears(&ACKNOWLEDGEMENT);
    assert_eq!(client.connection.poll_timeout(), Some(at(10_000)), "only the connect timeout is left");
    client.connection.handle_timeout(at(9_999));
    assert_eq!(client.datagram(), None);
}

#[test]
fn a_token_interval_of_zero_sends_the_token_once() {
    let mut client = Driven::greeted_client(|config| config.token_interval = Duration::ZERO);
    assert!(client.datagram().is_some());
    assert_eq!(client.connection.poll_timeout(), Some(at(5000)));
    client.connection.handle_timeout(at(4999));
    assert_eq!(client.datagram(), None);
}

#[test]
fn each_timeout_names_the_phase_that_took_too_long() {
    let mut client = Driven::client(|_| {});
    client.connection.handle_timeout(at(10_000));
    assert_eq!(client.closed_for(), timeout(ConnectPhase::Hello, 10));

    let mut client = Driven::greeted_client(|_| {});
    client.connection.handle_timeout(at(4_999));
    assert!(!client.connection.is_closed());
    client.connection.handle_timeout(at(5_000));
    assert_eq!(client.closed_for(), timeout(ConnectPhase::Acknowledgement, 5));

    let mut client = Driven::client(|_| {});
    client.reads_at(at(8_000), &HELLO);
    client.connection.handle_timeout(at(10_000));
    assert_eq!(client.closed_for(), timeout(ConnectPhase::Acknowledgement, 10));

    let mut client = Driven::greeted_client(|_| {});
    client.hears(&ACKNOWLEDGEMENT);
    client.connection.handle_timeout(at(9_999));
    assert!(!client.connection.is_closed());
    client.connection.handle_timeout(at(10_000));
    assert_eq!(client.closed_for(), timeout(ConnectPhase::Configure, 10));

    let mut client = Driven::connected_client(|_| {});
    assert_eq!(client.connection.connect_phase(), None);
    client.connection.close(NOW);
    assert_eq!(client.connection.connect_phase(), None);
}

#[test]
fn a_connected_client_has_no_timeout() {
    let mut client = Driven::connected_client(|_| {});
    assert_eq!(client.connection.poll_timeout(), None);
    client.connection.handle_timeout(at(1_000_000));
    assert!(!client.connection.is_closed());
}

#[test]
fn what_comes_before_configure_is_delivered_after_it_in_order() {
    let mut client = Driven::greeted_client(|_| {});
    client.reads(&empty(1));
    client.hears(&[0, 0, 2]);
    client.hears(&ACKNOWLEDGEMENT);
    client.hears(&[0, 0, 3]);
    client.reads(&empty(4));
    assert_eq!(client.events(), []);
    client.reads(&[&CONFIGURE[..], &empty(5)].concat());
    assert_eq!(
        client.events(),
        [
            Event::Connected(ID),
            arrived(1, RELIABLE),
            arrived(2, UNRELIABLE),
            arrived(3, UNRELIABLE),
            arrived(4, RELIABLE),
            arrived(5, RELIABLE),
        ]
    );
}

#[test]
fn more_messages_before_configure_than_may_wait_for_the_application_do_not_hold_configure_up() {
    let mut client = Driven::greeted_client(|_| {});
    for tag in 0..4096 {
        assert!(client.connection.wants_stream_read());
        client.reads(&empty(tag));
    }
    client.reads(&CONFIGURE);
    assert!(!client.connection.wants_stream_read());
    assert_eq!(client.events().len(), 4097);
    assert!(client.connection.wants_stream_read());
}

#[test]
fn too_many_messages_before_configure_close_the_connection() {
    let mut client = Driven::greeted_client(|_| {});
    client.reads(&(0..4097).flat_map(empty).collect::<Vec<_>>());
    assert_eq!(client.closed_for(), Some(CloseKind::TooManyBeforeConfigure(4096)));
}

#[test]
fn too_many_bytes_before_configure_close_the_connection() {
    let mut client = Driven::greeted_client(|config| config.max_frame = 1000);
    client.reads(&framed(&[0; 3 + 600]));
    client.reads(&framed(&[0; 3 + 400]));
    assert!(!client.connection.is_closed(), "payloads of as many bytes as one frame may have");
    client.reads(&framed(&[0; 3 + 1]));
    assert_eq!(client.closed_for(), Some(CloseKind::TooManyBytesBeforeConfigure(1000)));
}

#[test]
fn of_the_datagrams_before_configure_the_newest_are_kept() {
    let mut client = Driven::greeted_client(|_| {});
    for tag in 0..300_u16 {
        let [high, low] = tag.to_be_bytes();
        client.hears(&[0, high, low]);
    }
    client.reads(&CONFIGURE);
    let events = client.events();
    assert_eq!(events.len(), 257);
    assert_eq!(events[1], arrived(44, UNRELIABLE));
    assert_eq!(client.connection.statistics().undelivered_dropped, 44);
}

#[test]
fn a_client_may_send_reliably_after_the_hello_and_unreliably_after_the_acknowledgement() {
    let mut client = Driven::client(|_| {});
    for mode in [RELIABLE, UNRELIABLE] {
        assert_eq!(client.connection.send(NOW, mode, &message(1)), Err(SendError::NotConnected));
    }
    client.reads(&HELLO);
    client.connection.send(NOW, RELIABLE, &message(1)).unwrap();
    assert_eq!(client.connection.send(NOW, UNRELIABLE, &message(1)), Err(SendError::NotConnected));
    assert_eq!(client.written(), empty(1));
    client.hears(&ACKNOWLEDGEMENT);
    client.connection.send(NOW, UNRELIABLE, &message(2)).unwrap();
}

#[test]
fn datagrams_that_make_no_sense_are_ignored_and_counted() {
    let mut client = Driven::connected_client(|_| {});
    let nonsense: [&[u8]; 8] =
        [&[], &[0], &[1], &[0, 0], &[0x40, 0, 0], &[0x60, 0, 0, 0], &[0x80, 0, 0, 0, 1], &ACKNOWLEDGEMENT];
    for datagram in nonsense {
        client.hears(datagram);
    }
    assert_eq!(client.events(), []);
    assert_eq!(client.connection.statistics().datagrams_ignored, nonsense.len() as u64);
    assert_eq!(client.connection.id(), Some(ID));
}

#[test]
fn an_acknowledgement_that_configure_overtook_is_no_nonsense() {
    let mut client = Driven::greeted_client(|_| {});
    client.reads(&CONFIGURE);
    assert_eq!(client.connection.dialect(), None);
    client.hears(&ACKNOWLEDGEMENT);
    assert_eq!(client.connection.dialect(), Some(Dialect::V1));
    assert_eq!(client.connection.statistics().datagrams_ignored, 0);
    client.hears(&ACKNOWLEDGEMENT);
    assert_eq!(client.connection.statistics().datagrams_ignored, 1, "one is enough");
    assert_eq!(client.events(), [Event::Connected(ID)]);
}

#[test]
fn datagrams_before_the_hello_are_nobodys() {
    let mut client = Driven::client(|_| {});
    client.hears(&[]);
    client.hears(&[0, 0, 1]);
    assert_eq!(client.connection.statistics().datagrams_ignored, 2);
    client.reads(&HELLO);
    assert_eq!(client.connection.state(), State::AwaitingAcknowledgement);
    client.reads(&CONFIGURE);
    assert_eq!(client.events(), [Event::Connected(ID)]);
}

#[test]
fn an_acknowledgement_of_another_token_is_a_message() {
    let mut client = Driven::greeted_client(|_| {});
    client.hears(&[2, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
    assert_eq!(client.connection.state(), State::AwaitingAcknowledgement);
    client.reads(&CONFIGURE);
    assert_eq!(client.events().len(), 2);
}

#[test]
fn malformed_frames_from_a_server_close_the_connection_with_the_reason() {
    let limit = (16 << 20) + 5;
    for (bytes, kind) in [
        (&[0, 0, 0, 0][..], CloseKind::EmptyFrame),
        (&[0xff, 0xff, 0xff, 0xff], CloseKind::NegativeFrame(-1)),
        (&[0x7f, 0xff, 0xff, 0xff], CloseKind::FrameTooLong { length: 0x7fff_ffff, limit }),
        (&[1, 0, 0, 6], CloseKind::FrameTooLong { length: limit + 1, limit }),
        (&[0, 0, 0, 1, 0], CloseKind::MalformedFrame),
        (&[0, 0, 0, 2, 0, 0], CloseKind::MalformedFrame),
        (&[0, 0, 0, 4, 0x40, 0, 0, 0], CloseKind::MalformedFrame),
    ] {
        let mut client = Driven::connected_client(|_| {});
        client.reads(&[&empty(1), bytes, &empty(2)].concat());
        let reason = CloseReason::new(Initiator::Local, kind);
        assert_eq!(client.events(), [arrived(1, RELIABLE), Event::Closed(reason)]);
        assert!(client.input.is_empty());
    }
}

#[test]
fn a_configure_without_an_id_closes_a_client_that_waits_for_it() {
    for payload in [&[][..], &[0]] {
        let mut client = Driven::greeted_client(|_| {});
        client.reads(&framed(&[&[0x80, 0, 0], payload].concat()));
        assert_eq!(client.closed_for(), Some(CloseKind::MalformedFrame));
    }
}

#[test]
fn the_longest_frame_is_taken() {
    let mut client = Driven::connected_client(|_| {});
    client.reads(&framed(&vec![0; (16 << 20) + 5]));
    assert_eq!(client.events().len(), 1);
    assert!(!client.connection.is_closed());
}

#[test]
fn a_second_configure_and_unknown_commands_are_ignored() {
    let mut client = Driven::connected_client(|_| {});
    client.reads(&framed(&[0x80, 0, 0, 0, 9]));
    client.reads(&framed(&[0x80, 0, 0, 9]));
    client.reads(&framed(&[0x80, 0, 0]));
    client.reads(&framed(&[0x80, 0, 1, 0, 9]));
    client.reads(&framed(&[0x80, 0, 1]));
    client.reads(&framed(&[0x80, 0xff, 0xff]));
    client.reads(&empty(1));
    assert_eq!(client.events(), [arrived(1, RELIABLE)]);
    assert_eq!(client.connection.id(), Some(ID));
}

#[test]
fn commands_leave_no_whole_frame_behind() {
    let mut client = Driven::connected_client(|_| {});
    let mut stream = framed(&[0x80, 0, 9]).repeat(1000);
    stream.extend(empty(1));
    client.reads(&stream);
    assert!(client.input.is_empty());
    assert_eq!(client.events(), [arrived(1, RELIABLE)]);
}

#[test]
fn an_unknown_acknowledgement_is_delivered_and_gives_no_sample() {
    let mut client = Driven::connected_client(|_| {});
    client.reads(&framed(&[0x60, 0, 1, 0, 0]));
    assert_eq!(client.events().len(), 1);
    assert_eq!(client.connection.round_trip(), None);
    assert_eq!(client.connection.strikes(), 0);
}

#[test]
fn a_ping_measures_the_round_trip_and_its_acknowledgement_is_delivered() {
    for mode in [RELIABLE, UNRELIABLE] {
        let mut client = Driven::connected_client(|_| {});
        let code = client.connection.ping(at(0), mode, &message(5)).unwrap();
        let [high, low] = code.to_be_bytes();
        let answer = [0x60, 0, 5, high, low];
        match mode {
            RELIABLE => {
                assert_eq!(client.written(), framed(&[0x40, 0, 5, high, low]));
                client.reads_at(at(55), &framed(&answer));
            }
            UNRELIABLE => {
                assert_eq!(client.datagram().unwrap(), [0x40, 0, 5, high, low]);
                client.connection.handle_datagram(at(55), answer.to_vec().into());
            }
        }
        let round_trip = client.connection.round_trip().unwrap();
        assert_eq!((round_trip.latest, round_trip.samples), (Duration::from_millis(55), 1));
        let [Event::Message(received)] = &client.events()[..] else { panic!("the acknowledgement") };
        assert_eq!(received.kind(), MessageKind::Acknowledgement(code));
        assert_eq!(received.send_mode(), mode);
    }
}

#[test]
fn a_ping_carries_its_payload() {
    let mut client = Driven::connected_client(|_| {});
    let code = client.connection.ping(NOW, RELIABLE, &Message::new(5, vec![8, 9])).unwrap();
    let [high, low] = code.to_be_bytes();
    assert_eq!(client.written(), framed(&[0x40, 0, 5, high, low, 8, 9]));
}

#[test]
fn pings_under_way_at_one_time_are_told_apart() {
    let mut client = Driven::connected_client(|_| {});
    let first = client.connection.ping(at(0), RELIABLE, &message(5)).unwrap();
    let second = client.connection.ping(at(10), RELIABLE, &message(5)).unwrap();
    for (code, arrival, trip) in [(first, 30, 30), (second, 50, 40)] {
        let [high, low] = code.to_be_bytes();
        client.reads_at(at(arrival), &framed(&[0x60, 0, 5, high, low]));
        assert_eq!(client.connection.round_trip().unwrap().latest, Duration::from_millis(trip));
    }
    assert_eq!(client.connection.round_trip().unwrap().samples, 2);
}

#[test]
fn no_ping_is_answered_on_udp_before_the_token_is_acknowledged() {
    let mut client = Driven::greeted_client(|_| {});
    assert!(client.datagram().is_some(), "the token");
    client.hears(&[0x40, 0, 5, 0, 1]);
    assert_eq!(client.datagram(), None);
    assert_eq!(client.connection.statistics().acknowledgements_dropped, 1);
    client.hears(&ACKNOWLEDGEMENT);
    client.hears(&[0x40, 0, 5, 0, 2]);
    assert_eq!(client.datagram().unwrap(), [0x60, 0, 5, 0, 2]);
}

#[test]
fn the_token_is_taken_into_a_buffer_that_holds_it() {
    let mut client = Driven::greeted_client(|_| {});
    let mut buffer = [0; 20];
    assert_eq!(client.connection.poll_lone_datagram(&mut buffer[..HELLO.len() - 1]), None);
    assert_eq!(client.connection.poll_lone_datagram(&mut buffer), Some(HELLO.len()));
    assert_eq!(buffer[..HELLO.len()], HELLO);
    assert_eq!(client.connection.poll_lone_datagram(&mut buffer), None);
    assert_eq!(client.connection.statistics().datagram_bytes_sent, HELLO.len() as u64);
}

#[test]
fn the_bytes_of_the_handshake_are_counted() {
    let mut client = Driven::connected_client(|_| {});
    let counted = client.connection.statistics();
    assert_eq!(counted.stream_bytes_received, (HELLO.len() + CONFIGURE.len()) as u64);
    assert_eq!(counted.datagram_bytes_sent, HELLO.len() as u64);
    assert_eq!(counted.datagram_bytes_received, ACKNOWLEDGEMENT.len() as u64);
    assert_eq!(client.written(), []);
}

#[test]
fn the_end_of_the_stream_while_connecting_is_an_end_with_nothing_before_it() {
    use ConnectPhase::{Acknowledgement, Hello};
    for (stream, phase) in [
        (&[][..], Hello),
        (&HELLO[..4], Hello),
        (&HELLO, Acknowledgement),
        (&[&HELLO[..], &empty(1)].concat(), Acknowledgement),
    ] {
        let mut client = Driven::client(|_| {});
        client.reads(stream);
        client.reads_the_end();
        let reason = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
        assert_eq!(client.events(), [Event::Closed(reason)]);
        assert_eq!(client.connection.connect_phase(), Some(phase));
    }
}

#[test]
fn a_client_may_close_at_any_moment() {
    for mut client in
        [Driven::client(|_| {}), Driven::greeted_client(|_| {}), Driven::connected_client(|_| {})]
    {
        client.connection.close(NOW);
        let reason = CloseReason::new(Initiator::User, CloseKind::Requested);
        assert_eq!(client.events(), [Event::Closed(reason)]);
        assert_eq!(client.datagram(), None);
        assert!(client.connection.wants_stream_shutdown());
        client.connection.handle_stream_shutdown(NOW);
        assert!(client.connection.wants_stream_read());
        client.reads_the_end();
        assert!(client.connection.is_drained());
    }
}

#[test]
fn a_transport_error_ends_the_connection_at_once() {
    let mut client = Driven::connected_client(|_| {});
    client.connection.send(NOW, RELIABLE, &Message::new(1, vec![0; 5000])).unwrap();
    client.connection.send(NOW, UNRELIABLE, &message(1)).unwrap();
    client.connection.handle_transport_error(NOW, TransportError::Reset);
    assert!(client.connection.is_drained());
    let reason = CloseReason::new(Initiator::Transport, CloseKind::Transport(TransportError::Reset));
    assert_eq!(client.events(), [Event::Closed(reason)]);
    assert_eq!(client.connection.stream_queued(), 0);
    assert_eq!(client.datagram(), None);
    assert_eq!(client.connection.poll_timeout(), None);
}

#[test]
fn text_is_received_in_the_encoding_of_the_connection_on_both_channels() {
    let mut client = Driven::connected_client(|config| config.limits.encoding = Encoding::Utf8);
    let hi = [0, 0, 5, 0, 0, 0, 2, b'H', b'i'];
    client.reads(&[0, 0, 0, 9]);
    client.reads(&hi);
    client.hears(&hi);
    for event in client.events() {
        let Event::Message(received) = event else { panic!("{event:?}") };
        assert_eq!(received.decode::<String>().unwrap(), "Hi");
    }
    assert_eq!(client.connection.statistics().unreliable_received, 1);
}
