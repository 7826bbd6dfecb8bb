//! What holds whatever comes: random input, random cuts, random operations.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use common::*;
use darkrift_proto::wire::{Frames, Hello};
use darkrift_proto::{
    CloseReason, Connection, ConnectionKey, EncodedMessage, Event, Instant, Listener, Message, Role, Routing,
    SendMode, ServerConfig, TransportError,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A stretch of stream: mostly frames, some of them bad, and noise.
fn stretch() -> impl Strategy<Value = Vec<u8>> {
    let user = (any::<u16>(), vec(any::<u8>(), 0..40)).prop_map(|(tag, payload)| {
        let [high, low] = tag.to_be_bytes();
        framed(&[&[0, high, low][..], &payload].concat())
    });
    prop_oneof![
        20 => user,
        4 => vec(any::<u8>(), 0..12).prop_map(|message| framed(&message)),
        3 => (any::<bool>(), 0..4_u16).prop_map(|(ping, code)| {
            let [high, low] = code.to_be_bytes();
            framed(&[if ping { 0x40 } else { 0x60 }, 0, 1, high, low])
        }),
        2 => Just(CONFIGURE.to_vec()),
        1 => vec(any::<u8>(), 0..9),
    ]
}

fn datagram() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        Just(HELLO.to_vec()),
        Just(ACKNOWLEDGEMENT.to_vec()),
        (0..4_u8).prop_map(|code| vec![0x60, 0, 1, 0, code]),
        Just(vec![0, 0, 5]),
    ]
}

fn mode() -> impl Strategy<Value = SendMode> {
    prop_oneof![Just(RELIABLE), Just(UNRELIABLE)]
}

/// Everything that can be done to a connection.
#[derive(Clone, Debug)]
enum Operation {
    Stream(Vec<u8>),
    StreamEnd,
    StreamShutdown,
    TransportError,
    Datagram(Vec<u8>),
    Paired,
    Configure,
    Timeout,
    Send(SendMode, usize),
    SendEncoded(SendMode, usize),
    Ping(SendMode),
    Acknowledge(SendMode, u16),
    Forgive(u32),
    Close,
    TakeEvents(usize),
    Write(usize),
    TakeDatagrams(usize),
    TakeLoneDatagram(usize),
    SendDatagram(usize),
    Wait(u64),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let length = prop_oneof![8 => 0..50_usize, 1 => 0..3000_usize, 1 => Just(70_000_usize)];
    prop_oneof![
        20 => stretch().prop_map(Stream),
        1 => Just(StreamEnd),
        1 => Just(StreamShutdown),
        1 => Just(TransportError),
        10 => datagram().prop_map(Datagram),
        4 => Just(Paired),
        4 => Just(Configure),
        4 => Just(Timeout),
        8 => (mode(), length.clone()).prop_map(|(mode, length)| Send(mode, length)),
        8 => (mode(), length.clone()).prop_map(|(mode, length)| SendEncoded(mode, length)),
        4 => length.prop_map(SendDatagram),
        2 => mode().prop_map(Ping),
        2 => (mode(), any::<u16>()).prop_map(|(mode, code)| Acknowledge(mode, code)),
        1 => (0..10_u32).prop_map(Forgive),
        1 => Just(Close),
        10 => (0..20_usize).prop_map(TakeEvents),
        6 => (0..5000_usize).prop_map(Write),
        6 => (0..9_usize).prop_map(TakeDatagrams),
        3 => (0..300_usize).prop_map(TakeLoneDatagram),
        4 => (0..3000_u64).prop_map(Wait),
    ]
}

const UNDELIVERED: usize = 8;
const RELIABLE_QUEUE: usize = 2000;

/// A connection of either role with small limits, and what has been seen of it.
struct Observed {
    driven: Driven,
    now: Instant,
    events: Vec<Event>,
}

impl Observed {
    fn new(role: Role, hello: bool) -> Self {
        let driven = match role {
            Role::Client => {
                let mut client = Driven::client(|config| {
                    config.max_frame = 1000;
                    config.limits.undelivered = UNDELIVERED;
                    config.limits.reliable_queue = RELIABLE_QUEUE;
                    config.limits.idle_timeout = Some(Duration::from_secs(5));
                });
                if hello {
                    client.reads(&HELLO);
                }
                client
            }
            Role::Server => {
                let change = |config: &mut ServerConfig| {
                    config.max_frame = 1000;
                    config.max_strikes = 40;
                    config.limits.undelivered = UNDELIVERED;
                    config.limits.reliable_queue = RELIABLE_QUEUE;
                    config.limits.idle_timeout = Some(Duration::from_secs(5));
                };
                Driven::server(change).2
            }
        };
        Self { driven, now: NOW, events: Vec::new() }
    }

    fn connection(&mut self) -> &mut Connection {
        &mut self.driven.connection
    }

    fn does(&mut self, operation: &Operation) {
        let now = self.now;
        let message = |length: usize| Message::new(1, vec![9; length]);
        match operation {
            Operation::Stream(bytes) => {
                self.driven.reads_at(now, bytes);
                assert!(self.driven.input.is_empty() || !self.driven.connection.is_closed());
            }
            Operation::StreamEnd => self.driven.connection.handle_stream_end(now, &mut self.driven.input),
            Operation::StreamShutdown => self.connection().handle_stream_shutdown(now),
            Operation::TransportError => self.connection().handle_transport_error(now, TransportError::Reset),
            Operation::Datagram(datagram) => {
                self.connection().handle_datagram(now, datagram.clone().into());
            }
            Operation::Paired => self.connection().handle_paired(now),
            Operation::Configure => self.connection().configure(now, ID),
            Operation::Timeout => {
                self.connection().handle_timeout(now);
                let next = self.connection().poll_timeout();
                assert!(next.is_none_or(|next| next > now), "a timer that fired is done with");
            }
            Operation::Send(mode, length) => {
                let _ = self.connection().send(now, *mode, &message(*length));
            }
            Operation::SendEncoded(mode, length) => {
                let encoded = EncodedMessage::new(&message(*length)).unwrap();
                let _ = self.connection().send_encoded(now, *mode, &encoded);
            }
            Operation::Ping(mode) => {
                let _ = self.connection().ping(now, *mode, &message(0));
            }
            Operation::Acknowledge(mode, code) => {
                let _ = self.connection().acknowledge(now, *mode, *code, &message(0));
            }
            Operation::Forgive(weight) => self.connection().forgive_strikes(*weight),
            Operation::Close => self.connection().close(now),
            Operation::TakeEvents(count) => self.take_events(*count),
            Operation::Write(count) => {
                let mut output = self.connection().stream_output();
                assert_eq!(output.has_remaining(), !output.chunk().is_empty());
                let count = output.remaining().min(*count);
                output.advance(count);
            }
            Operation::TakeDatagrams(most) => {
                let announced = self.connection().has_datagram();
                let run = self.connection().poll_datagrams(*most);
                assert_eq!(run.is_some(), announced);
                assert!(run.is_none_or(|run| run.segment > 0 && run.contents.len() <= 65_507));
            }
            Operation::SendDatagram(length) => {
                let waited = self.connection().has_datagram();
                let mut datagram = BytesMut::from(&b"before"[..]);
                let message = Message::new(9, vec![9; *length]);
                let result = self.driven.connection.send_datagram(self.now, &message, &mut datagram);
                let appended = if result.is_ok() && !waited { 3 + length } else { 0 };
                assert_eq!((datagram.len(), &datagram[..6]), (6 + appended, &b"before"[..]));
                assert_eq!(self.connection().has_datagram(), waited);
            }
            Operation::TakeLoneDatagram(room) => {
                let announced = self.connection().has_datagram();
                let mut buffer = vec![0; *room];
                let length = self.connection().poll_lone_datagram(&mut buffer);
                assert!(length.is_none_or(|length| announced && length > 0));
                assert!(length.is_none() || !self.connection().has_datagram());
            }
            Operation::Wait(milliseconds) => self.now = self.now + Duration::from_millis(*milliseconds),
        }
        self.keeps_its_bounds();
    }

    fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            let announced = self.connection().has_event();
            let event = self.connection().poll_event();
            assert_eq!(event.is_some(), announced);
            self.events.extend(event);
        }
    }

    fn keeps_its_bounds(&mut self) {
        let closed = self.connection().is_closed();
        assert_eq!(self.connection().close_reason().is_some(), closed);
        // A message may be larger than the queue; hello and Configure go out whatever waits.
        assert!(self.connection().stream_queued() <= RELIABLE_QUEUE + 70_007 + 18);
    }

    /// Lets the connection end, and checks the life that was seen of it.
    fn ends(mut self) {
        self.connection().close(NOW);
        let mut timers = 0;
        while let Some(next) = self.connection().poll_timeout() {
            self.connection().handle_timeout(next);
            timers += 1;
            assert!(timers < 10, "timers without end");
        }
        assert!(self.connection().is_drained());
        assert!(!self.connection().has_datagram());
        self.take_events(10_000);
        let first = |event: &Event| matches!(event, Event::Connected(_));
        let last = |event: &Event| matches!(event, Event::Closed(_));
        assert_eq!(self.events.iter().filter(|event| last(event)).count(), 1);
        assert!(self.events.last().is_some_and(last));
        assert!(self.events.iter().skip(1).all(|event| !first(event)));
        assert!(self.events.len() == 1 || first(&self.events[0]));
    }
}

/// What a driver observes that reads pieces of these lengths, again and again, and takes all events after each.
fn observed(role: Role, stream: &[u8], cuts: &[usize]) -> (Vec<Event>, Option<CloseReason>, Vec<u8>) {
    let mut driven = match role {
        Role::Client => Driven::greeted_client(|config| config.max_frame = 1000),
        Role::Server => Driven::connected_server(|config| {
            config.max_frame = 1000;
            config.max_strikes = 40;
        }),
    };
    let (mut events, mut rest) = (Vec::new(), stream);
    for &cut in cuts.iter().cycle() {
        let (piece, later) = rest.split_at(cut.min(rest.len()));
        driven.reads(piece);
        events.extend(driven.events());
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    driven.reads_the_end();
    events.extend(driven.events());
    let reason = driven.connection.close_reason().cloned();
    (events, reason, driven.written())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_the_stream_is_cut_changes_nothing(
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
        stretches in vec(stretch(), 0..30),
        cuts in vec(1..200_usize, 1..10),
    ) {
        let stream = stretches.concat();
        let whole = observed(role, &stream, &[usize::MAX]);
        prop_assert_eq!(&observed(role, &stream, &cuts), &whole);
        prop_assert_eq!(&observed(role, &stream, &[1]), &whole);
    }

    #[test]
    fn no_operations_break_a_connection(
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
        hello in any::<bool>(),
        operations in vec(operation(), 0..100),
    ) {
        let mut observed = Observed::new(role, hello);
        for operation in &operations {
            observed.does(operation);
        }
        observed.ends();
    }

    #[test]
    fn no_more_events_wait_than_the_limits_say(stretches in vec(stretch(), 0..60), datagrams in vec(datagram(), 0..50)) {
        let mut server = Observed::new(Role::Server, true);
        server.does(&Operation::Paired);
        server.does(&Operation::Configure);
        for (index, stretch) in stretches.into_iter().enumerate() {
            if server.connection().wants_stream_read() {
                server.does(&Operation::Stream(stretch));
            }
            if let Some(datagram) = datagrams.get(index) {
                server.does(&Operation::Datagram(datagram.clone()));
            }
        }
        server.take_events(10_000);
        // Both channels' events, Connected, Closed, and a strike that came with its message.
        prop_assert!(server.events.len() <= 2 * UNDELIVERED + 3);
    }

    #[test]
    fn what_one_side_sends_the_other_receives(
        messages in vec((any::<u16>(), vec(any::<u8>(), 0..300), any::<bool>()), 0..100),
        write in 1..500_usize,
    ) {
        let mut client = Driven::connected_client(|_| {});
        let mut server = Driven::connected_server(|_| {});
        let mut received = Vec::new();
        let mut sent = Vec::new();
        for (tag, payload, encoded) in messages {
            let message = Message::new(tag, payload);
            if encoded {
                let encoded = EncodedMessage::new(&message).unwrap();
                client.connection.send_encoded(NOW, RELIABLE, &encoded).unwrap();
            } else {
                client.connection.send(NOW, RELIABLE, &message).unwrap();
            }
            sent.push(message);
            let mut output = client.connection.stream_output();
            let written = output.remaining().min(write);
            let bytes = output.copy_to_bytes(written);
            server.reads(&bytes);
            received.extend(server.events());
        }
        server.reads(&client.written());
        received.extend(server.events());
        let received: Vec<_> = received.into_iter().map(|event| match event {
            Event::Message(received) => received.into_message(),
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn frames_agree_with_reading_one_at_a_time(stream in vec(stretch(), 0..20).prop_map(|stretches| stretches.concat())) {
        let mut rest = &stream[..];
        let mut frames = Frames::new(&stream, 30);
        while let Ok(Some(message)) = darkrift_proto::wire::frame(rest, 30) {
            prop_assert_eq!(frames.next(), Some(message));
            rest = &rest[4 + message.len()..];
        }
        prop_assert_eq!(frames.next(), None);
        prop_assert_eq!(frames.rest(), rest);
    }

    #[test]
    fn a_door_keeps_count_whatever_comes(steps in vec((0..6_u8, 0..6_u8, 0..3_u16, 0..40_u64), 0..200)) {
        let mut config = ServerConfig::default();
        (config.max_pending, config.max_pending_per_address, config.max_clients) = (6, 3, 5);
        let mut listener = Listener::new(Arc::new(config));
        let mut tokens = Tokens(0);
        let mut pending: Vec<ConnectionKey> = Vec::new();
        let mut paired: Vec<ConnectionKey> = Vec::new();
        let mut refused: Vec<ConnectionKey> = Vec::new();
        let mut leaving: Vec<ConnectionKey> = Vec::new();
        for (kind, host, port, number) in steps {
            let address = SocketAddr::from(([192, 0, 2, host], port));
            match kind {
                0 => pending.extend(listener.accept(NOW, address, &mut tokens).map(|(key, _)| key).ok()),
                1 | 2 => {
                    let mut all = pending.iter().chain(&paired).chain(&refused).copied().collect::<Vec<_>>();
                    if !all.is_empty() {
                        let key = all.swap_remove(number as usize % all.len());
                        pending.retain(|&other| other != key);
                        paired.retain(|&other| other != key);
                        refused.retain(|&other| other != key);
                        if kind == 1 {
                            listener.release(key);
                        } else {
                            listener.refuse(key);
                            refused.push(key);
                        }
                    }
                }
                3 => {
                    let all = paired.iter().chain(&refused).collect::<Vec<_>>();
                    if !all.is_empty() {
                        let key = *all[number as usize % all.len()];
                        listener.leave(key);
                        leaving.push(key);
                    }
                }
                _ => {
                    let hello = Hello::new(1, darkrift_proto::wire::Token::new(number.to_be_bytes())).to_bytes();
                    match listener.handle_datagram(NOW, address, &Bytes::copy_from_slice(&hello)) {
                        Routing::Paired { key, evicted, .. } => {
                            prop_assert!(pending.contains(&key));
                            pending.retain(|&other| other != key);
                            paired.push(key);
                            prop_assert_eq!(listener.datagram_address(key), Some(address));
                            if let Some(ghost) = evicted {
                                prop_assert!(paired.contains(&ghost));
                                listener.release(ghost);
                                paired.retain(|&other| other != ghost);
                            }
                            prop_assert_eq!(listener.handle_datagram(NOW, address, &[0, 0, 1]), Routing::Deliver(key));
                        }
                        Routing::Full(key) => prop_assert!(pending.contains(&key) && paired.len() >= 5),
                        Routing::Deliver(key) => prop_assert!(paired.contains(&key)),
                        _ => {}
                    }
                }
            }
            let counted = (listener.pending(), listener.paired());
            prop_assert_eq!(counted, (pending.len() + refused.len(), paired.len()));
            prop_assert!(paired.iter().filter(|key| !leaving.contains(key)).count() <= 5);
        }
    }
}
