//! A connection under arbitrary operations, in either role; and the same stream in one piece and in many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_proto::wire::Token;
use darkrift_proto::{
    ClientConfig, ClientId, CloseKind, Connection, EncodedMessage, Event, Instant, Limits, Listener, Message,
    MessageKind, SendError, SendMode, ServerConfig, TokenSource, TransportError,
};

use crate::input::Input;
use crate::reference::{self, Front, Plain};

const UNDELIVERED: usize = 8;
const UNDELIVERED_UNRELIABLE_BYTES: usize = 60;
const RELIABLE_QUEUE: usize = 2000;
const SERVER_MAX_FRAME: usize = 300;
const CLIENT_MAX_FRAME: usize = 5000;
/// The most that is queued besides: a hello and a Configure.
const COMMANDS: usize = 18;
/// The longest message that is sent here.
const LONGEST: usize = 3000;

/// The recorded token of the sessions, so that their acknowledgements mean something.
const TOKEN: [u8; 8] = [0x18, 0xd9, 0x5a, 0xb9, 0x61, 0x31, 0xc7, 0x42];

struct OneToken;

impl TokenSource for OneToken {
    fn token(&mut self) -> Token {
        Token::new(TOKEN)
    }
}

fn limits(limits: &mut Limits, small: bool) {
    limits.idle_timeout = Some(Duration::from_secs(60));
    if small {
        limits.undelivered = UNDELIVERED;
        limits.undelivered_bytes = 500;
        limits.undelivered_unreliable_bytes = UNDELIVERED_UNRELIABLE_BYTES;
        limits.reliable_queue = RELIABLE_QUEUE;
        limits.unreliable_queue = 1000;
    }
}

/// A connection as its driver keeps it, and all that has been seen of it.
struct Driven {
    connection: Connection,
    client: bool,
    /// The most that its stream queue may hold.
    bound: usize,
    /// The most bytes of unreliable messages that may wait.
    loose_bound: usize,
    input: BytesMut,
    now: Instant,
    /// Everything that came on the stream while the connection was open.
    stream: Vec<u8>,
    reliable: Vec<Plain>,
    events: Vec<Event>,
    stream_ended: bool,
}

impl Driven {
    fn new(client: bool, small: bool) -> Self {
        let connection = if client {
            let mut config = ClientConfig::default();
            config.max_frame = CLIENT_MAX_FRAME;
            limits(&mut config.limits, small);
            Connection::client(Arc::new(config), Instant::ZERO)
        } else {
            let mut config = ServerConfig::default();
            config.max_frame = SERVER_MAX_FRAME;
            config.max_strikes = 12;
            limits(&mut config.limits, small);
            let from = SocketAddr::from(([10, 0, 0, 1], 1000));
            let mut listener = Listener::new(Arc::new(config));
            listener.accept(Instant::ZERO, from, &mut OneToken).expect("the door is open").1
        };
        Self {
            connection,
            client,
            bound: if small { RELIABLE_QUEUE.max(LONGEST + 9) } else { 1 << 20 } + COMMANDS,
            loose_bound: if small { UNDELIVERED_UNRELIABLE_BYTES } else { 384 << 10 },
            input: BytesMut::new(),
            now: Instant::ZERO,
            stream: Vec::new(),
            reliable: Vec::new(),
            events: Vec::new(),
            stream_ended: false,
        }
    }

    fn reads(&mut self, bytes: &[u8]) {
        if self.stream_ended {
            return;
        }
        if !self.connection.is_closed() {
            self.stream.extend_from_slice(bytes);
        }
        self.input.extend_from_slice(bytes);
        self.connection.handle_stream(self.now, &mut self.input);
    }

    /// Takes one event, which must be in its place.
    fn take_event(&mut self) -> bool {
        let there_is_one = self.connection.has_event();
        let event = self.connection.poll_event();
        assert_eq!(event.is_some(), there_is_one);
        let Some(event) = event else { return false };
        let (first, over) = (self.events.is_empty(), matches!(self.events.last(), Some(Event::Closed(_))));
        assert!(!over, "{event:?} after the close");
        match &event {
            Event::Connected(_) => assert!(first, "connected late, or twice"),
            Event::Closed(reason) => assert_eq!(Some(reason), self.connection.close_reason()),
            Event::Message(received) => {
                assert!(!first, "a message before connected");
                if received.send_mode() == SendMode::Reliable {
                    let ping = match received.kind() {
                        MessageKind::Ordinary => None,
                        MessageKind::Ping(code) => Some((false, code)),
                        MessageKind::Acknowledgement(code) => Some((true, code)),
                    };
                    let payload = received.payload().to_vec();
                    self.reliable.push(Plain { command: false, ping, tag: received.tag(), payload });
                }
            }
            _ => assert!(!first),
        }
        self.events.push(event);
        true
    }

    /// Takes all events; of the unreliable ones no more waited than may.
    fn take_events(&mut self) {
        let before = self.events.len();
        while self.take_event() {}
        let loose = self.events[before..].iter().filter_map(|event| match event {
            Event::Message(received) if received.send_mode() == SendMode::Unreliable => {
                Some(received.payload().len())
            }
            _ => None,
        });
        let lengths: Vec<usize> = loose.collect();
        assert!(lengths.len() <= 1 || lengths.iter().sum::<usize>() <= self.loose_bound, "{lengths:?}");
    }

    /// What the stream says, in the plainest reading, as far as it is well-formed; and whether it goes on after that.
    fn expected(&self) -> (Vec<Plain>, Front) {
        let limit = if self.client { CLIENT_MAX_FRAME } else { SERVER_MAX_FRAME };
        let (mut messages, mut position) = (Vec::new(), if self.client { 9 } else { 0 });
        if self.stream.len() < position {
            return (messages, Front::Part);
        }
        loop {
            match reference::front(&self.stream, position, limit) {
                Front::Whole(whole) => {
                    position += 4 + whole.len();
                    match reference::message(&whole) {
                        Some(message) if !message.command => messages.push(message),
                        Some(_) => {}
                        None if self.client => return (messages, Front::Refused),
                        None => {}
                    }
                }
                front => return (messages, front),
            }
        }
    }

    fn check(&self) {
        let queued = self.connection.stream_queued();
        assert!(queued <= self.bound, "{queued} bytes queued");
        if self.connection.is_closed() {
            assert!(self.connection.close_reason().is_some());
        }
        let (expected, _) = self.expected();
        assert!(expected.starts_with(&self.reliable), "{:?} was delivered of {expected:?}", self.reliable);
    }

    /// Takes everything and closes: it drains, within its linger time.
    fn end(mut self) -> Vec<Event> {
        for _ in 0..1000 {
            while self.take_event() {}
            if !self.connection.wants_stream_read() || self.input.is_empty() {
                break;
            }
            let left = self.input.len();
            self.connection.handle_stream(self.now, &mut self.input);
            if self.input.len() == left && !self.connection.has_event() {
                break;
            }
        }
        let connected = matches!(self.events.first(), Some(Event::Connected(_)));
        if connected && !self.connection.is_closed() {
            let (expected, front) = self.expected();
            assert_eq!(self.reliable, expected, "reliable messages were lost");
            assert_eq!(front, Front::Part, "a bad frame was taken for a good one");
        }
        self.check();
        self.connection.close(self.now);
        self.now = self.now + Duration::from_secs(3);
        self.connection.handle_timeout(self.now);
        assert!(self.connection.is_drained(), "it did not drain");
        assert_eq!(self.connection.poll_timeout(), None);
        assert_eq!(self.connection.stream_queued(), 0);
        assert!(self.connection.poll_datagram().is_none());
        while self.take_event() {}
        assert!(matches!(self.events.last(), Some(Event::Closed(_))), "no close was told");
        self.events
    }
}

fn mode(input: &mut Input<'_>) -> SendMode {
    if input.choice(2) == 0 { SendMode::Reliable } else { SendMode::Unreliable }
}

fn message(input: &mut Input<'_>) -> Message {
    let length = usize::from(input.number()) % LONGEST;
    Message::new(input.number(), vec![7; length])
}

/// Sends an unreliable message past the queue, or behind what waits in it.
fn sends_datagram(connection: &mut Connection, now: Instant, message: &Message) -> Result<(), SendError> {
    let (waited, mut datagram) = (connection.datagrams_queued(), BytesMut::new());
    let result = connection.send_datagram(now, message, &mut datagram);
    if result.is_err() || connection.has_datagram() {
        assert!(datagram.is_empty(), "a datagram overtook others, or was refused and left");
    } else {
        assert_eq!((waited, datagram.len()), (0, 3 + message.payload().len()));
    }
    result
}

/// Any operations, in any order, in either role.
pub fn connection(data: &[u8]) {
    let mut input = Input::new(data);
    let role = input.byte();
    let mut driven = Driven::new(role & 1 == 0, role & 2 == 0);
    while !input.is_empty() {
        operate(&mut driven, &mut input);
        driven.check();
    }
    driven.end();
}

fn operate(driven: &mut Driven, input: &mut Input<'_>) {
    let now = driven.now;
    let connection = &mut driven.connection;
    match input.choice(20) {
        0 => driven.reads(input.bytes()),
        1 => connection.handle_datagram(now, Bytes::copy_from_slice(input.bytes())),
        2 => connection.handle_paired(now),
        3 => connection.configure(now, ClientId::new(input.number())),
        4 => {
            driven.take_events();
            driven.reads(&[]);
        }
        5 => {
            driven.take_event();
        }
        6 => {
            let count = usize::from(input.number()).min(connection.stream_queued());
            connection.stream_output().advance(count);
        }
        7 => {
            let most = usize::from(input.byte());
            let mut lone = [0; u8::MAX as usize];
            if let Some(length) = connection.poll_lone_datagram(&mut lone[..most]) {
                assert!(length > 0 && !connection.has_datagram());
            } else if let Some(run) = connection.poll_datagrams(most) {
                assert!(run.segment > 0 && run.contents.len().div_ceil(run.segment) <= most.max(1));
            }
        }
        8 => {
            let message = message(input);
            let (open, queued) = (!connection.is_closed(), connection.stream_queued());
            let mode = mode(input);
            // By the one way or the other, which asks the input for nothing.
            let result = if mode == SendMode::Unreliable && message.tag() % 2 == 0 {
                sends_datagram(connection, now, &message)
            } else {
                connection.send(now, mode, &message)
            };
            assert!(open || result.is_err());
            assert!(result.is_ok() || connection.stream_queued() == queued);
        }
        9 => {
            let encoded = EncodedMessage::new(&message(input)).expect("raw bytes are always encodable");
            let _ = connection.send_encoded(now, mode(input), &encoded);
        }
        10 => {
            let _ = connection.ping(now, mode(input), &Message::empty(input.number()));
        }
        11 => {
            let code = input.number();
            let _ = connection.acknowledge(now, mode(input), code, &Message::empty(1));
        }
        12 => {
            driven.now = now + Duration::from_millis(u64::from(input.number()));
            let mut fired = 0;
            while driven.connection.poll_timeout().is_some_and(|at| at <= driven.now) {
                driven.connection.handle_timeout(driven.now);
                fired += 1;
                assert!(fired < 8, "a timeout that is always due");
            }
        }
        13 => connection.handle_timeout(Instant::from_nanos(u64::from(input.number()))),
        14 if input.byte() == 0 => connection.close(now),
        15 if input.byte() == 0 => {
            connection.handle_stream_end(now, &mut driven.input);
            driven.stream_ended = true;
        }
        16 if input.byte() == 0 => connection.handle_transport_error(now, TransportError::Reset),
        17 => connection.handle_stream_shutdown(now),
        18 => connection.forgive_strikes(u32::from(input.byte())),
        _ => {
            let _ = (connection.statistics(), connection.round_trip(), connection.stream_read_hint());
        }
    }
}

/// The same stream in one piece and in many gives the same events.
pub fn chunks(data: &[u8]) {
    let mut input = Input::new(data);
    let client = input.choice(2) == 0;
    let cuts = input.bytes();
    let stream = input.rest();
    let run = |pieces: Vec<&[u8]>| {
        let mut driven = Driven::new(client, false);
        driven.connection.handle_paired(driven.now);
        driven.connection.configure(driven.now, ClientId::new(7));
        for piece in pieces {
            driven.reads(piece);
            while driven.take_event() {}
            driven.check();
        }
        let connected_before_the_end = driven.connection.id();
        driven.connection.handle_stream_end(driven.now, &mut driven.input);
        assert!(driven.input.is_empty(), "bytes are left behind the end");
        let counted = driven.connection.statistics();
        (driven.end(), connected_before_the_end, counted)
    };
    let mut pieces = Vec::new();
    let (mut rest, mut cut) = (stream, cuts.iter().cycle());
    while !rest.is_empty() {
        let length = (1 + usize::from(cut.next().copied().unwrap_or(0))).min(rest.len());
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    let (whole, cut) = (run(vec![stream]), run(pieces));
    assert_eq!(whole, cut);
    if let Some(Event::Closed(reason)) = whole.0.last() {
        assert!(reason.kind != CloseKind::Requested, "the end was not noticed");
    }
}
