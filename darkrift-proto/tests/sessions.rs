//! The recorded sessions of live peers, replayed against both sides of a connection: what we say must be what they
//! said, byte for byte, however the stream is cut.

mod common;

use std::sync::Arc;

use common::{Driven, NOW, Tokens, peer};
use darkrift_proto::wire::{Frames, HELLO_BYTES, Header, HeaderKind, Hello, Token};
use darkrift_proto::{
    ClientId, ClientIds, CloseKind, ConnectionKey, Dialect, Event, Listener, Message, MessageKind, Received,
    Routing, SendMode, ServerConfig, State,
};
use serde_json::Value;

const LIMIT: usize = 65_534;

/// One step of a recording: who said what, where.
#[derive(Clone)]
struct Step {
    from_client: bool,
    reliable: bool,
    bytes: Vec<u8>,
}

impl Step {
    /// The end of a stream is recorded as nothing written to it.
    fn is_end(&self) -> bool {
        self.reliable && self.bytes.is_empty()
    }

    fn mode(&self) -> SendMode {
        if self.reliable { SendMode::Reliable } else { SendMode::Unreliable }
    }

    fn message(&self) -> Message {
        let bytes =
            if self.reliable { Frames::new(&self.bytes, LIMIT).next().unwrap() } else { &self.bytes[..] };
        let (header, header_len) = Header::read(bytes).unwrap();
        let HeaderKind::User(kind) = header.kind() else { panic!("a command where a message should be") };
        Message::new(header.tag(), bytes[header_len..].to_vec()).with_kind(kind)
    }
}

struct Session {
    dialect: Dialect,
    hello: Hello,
    steps: Vec<Step>,
}

impl Session {
    fn load(name: &str, dialect: Dialect) -> Self {
        let path = format!("{}/tests/data/session-{name}.json", env!("CARGO_MANIFEST_DIR"));
        let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let steps: Vec<Step> = json["steps"].as_array().unwrap().iter().map(step).collect();
        let hello = Hello::read(&steps[0].bytes).unwrap();
        Self { dialect, hello, steps }
    }

    fn all() -> [Self; 3] {
        [
            Self::load("darkrift2-v1", Dialect::V1),
            Self::load("darkrift2-v0", Dialect::V0),
            Self::load("darkriftpy-0.1.0", Dialect::Legacy),
        ]
    }

    /// The whole of one side's stream.
    fn stream(&self, from_client: bool) -> Vec<u8> {
        self.steps
            .iter()
            .filter(|step| step.from_client == from_client && step.reliable)
            .flat_map(|step| step.bytes.clone())
            .collect()
    }

    /// One side's game messages of one channel, after the handshake.
    fn messages(&self, from_client: bool, reliable: bool) -> Vec<Message> {
        self.steps[4..]
            .iter()
            .filter(|step| step.from_client == from_client && step.reliable == reliable && !step.is_end())
            .map(Step::message)
            .collect()
    }

    /// The same with the hello that our own server says in this dialect: its version byte (DarkRiftPy's is random),
    /// and a token whose first byte has the two highest bits clear.
    fn said_by_our_server(mut self) -> Self {
        let mut token = *self.hello.token().as_bytes();
        token[0] &= 0x3f;
        self.hello = Hello::new(self.dialect.version(), Token::new(token));
        self.steps[0].bytes = self.hello.to_bytes().to_vec();
        self.steps[1].bytes = self.hello.to_bytes().to_vec();
        if let Some(acknowledged) = self.steps[2].bytes.first_chunk_mut() {
            *acknowledged = token;
        }
        self
    }
}

fn step(json: &Value) -> Step {
    let hex = json["hex"].as_str().unwrap();
    Step {
        from_client: json["from"] == "client",
        reliable: json["channel"] == "tcp",
        bytes: (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect(),
    }
}

/// Gives a peer one step of the other side, its stream in pieces of `piece` bytes.
fn receive(driven: &mut Driven, step: &Step, piece: usize) {
    if step.is_end() {
        driven.reads_the_end();
    } else if step.reliable {
        step.bytes.chunks(piece).for_each(|piece| driven.reads(piece));
    } else {
        driven.hears(&step.bytes);
    }
}

/// What a peer says next on this channel, which is all that it has to say there.
fn says(driven: &mut Driven, reliable: bool) -> Vec<u8> {
    if reliable { driven.written() } else { driven.datagram().expect("a datagram") }
}

fn shut_down(driven: &mut Driven) {
    assert!(driven.connection.wants_stream_shutdown());
    driven.connection.handle_stream_shutdown(NOW);
}

fn server(session: &Session) -> (Listener, ConnectionKey, Driven) {
    let mut config = ServerConfig::default();
    config.dialect = session.dialect;
    let mut listener = Listener::new(Arc::new(config));
    let mut tokens = Tokens(u64::from_be_bytes(*session.hello.token().as_bytes()));
    let (key, connection) = listener.accept(NOW, peer(), &mut tokens).unwrap();
    (listener, key, Driven::new(connection))
}

fn message_event(step: &Step) -> Event {
    Event::Message(Received::new(step.message(), step.mode()))
}

/// Plays the client's part, with the server's stream in pieces of `piece` bytes.
fn replay_as_client(session: &Session, piece: usize) {
    let mut client = Driven::client(|_| {});
    for (index, step) in session.steps.iter().enumerate() {
        if !step.from_client {
            receive(&mut client, step, piece);
            match index {
                0 => assert_eq!(client.connection.state(), State::AwaitingAcknowledgement),
                2 => assert_eq!(client.connection.dialect(), Some(session.dialect)),
                3 => {
                    let id = ClientId::new(u16::from_be_bytes([step.bytes[7], step.bytes[8]]));
                    assert_eq!(client.events(), [Event::Connected(id)]);
                }
                _ if step.is_end() => assert!(client.connection.is_drained()),
                _ => assert_eq!(client.events(), [message_event(step)]),
            }
            continue;
        }
        if step.is_end() {
            client.connection.close(NOW);
            shut_down(&mut client);
            continue;
        }
        if index > 1 {
            client.connection.send(NOW, step.mode(), &step.message()).unwrap();
        }
        assert_eq!(says(&mut client, step.reliable), step.bytes);
        assert!(!client.connection.has_datagram());
        assert_eq!(client.connection.stream_queued(), 0);
    }
    let pings = session.messages(true, true).into_iter().chain(session.messages(true, false));
    let pings = pings.filter(|message| matches!(message.kind(), MessageKind::Ping(_))).count();
    assert_eq!(client.connection.round_trip().map_or(0, |round_trip| round_trip.samples), pings);
}

/// Plays the server's part, with the client's stream in pieces of `piece` bytes.
fn replay_as_server(session: &Session, piece: usize) {
    let (mut listener, key, mut server) = server(session);
    let mut ids = ClientIds::new();
    if session.dialect == Dialect::Legacy {
        ids.allocate(); // DarkRiftPy's first id is 1.
    }
    assert_eq!(says(&mut server, true), session.steps[0].bytes);
    match listener.handle_datagram(NOW, peer(), &session.steps[1].bytes) {
        Routing::Paired { key: paired, answer, evicted: None } => {
            assert_eq!(paired, key);
            assert_eq!(answer, session.steps[2].bytes);
        }
        routing => panic!("{routing:?}"),
    }
    server.connection.handle_paired(NOW);
    server.connection.configure(NOW, ids.allocate().unwrap());
    assert_eq!(says(&mut server, true), session.steps[3].bytes);
    assert!(matches!(server.events()[..], [Event::Connected(_)]));

    for step in &session.steps[4..] {
        if !step.from_client {
            if step.is_end() {
                shut_down(&mut server);
                assert!(server.connection.is_drained());
            } else {
                assert_eq!(says(&mut server, step.reliable), step.bytes);
                assert!(!server.connection.has_datagram());
            }
            continue;
        }
        if !step.reliable {
            assert_eq!(listener.handle_datagram(NOW, peer(), &step.bytes), Routing::Deliver(key));
        }
        receive(&mut server, step, piece);
        if step.is_end() {
            assert!(
                matches!(&server.events()[..], [Event::Closed(reason)] if reason.kind == CloseKind::EndOfStream)
            );
            continue;
        }
        assert_eq!(server.events(), [message_event(step)]);
        if step.message().kind() == MessageKind::Ordinary {
            // DarkRiftPy's echo answers every message reliably.
            let mode = if session.dialect == Dialect::Legacy { SendMode::Reliable } else { step.mode() };
            server.connection.send(NOW, mode, &step.message()).unwrap();
        }
    }
}

fn tags_and_payloads(events: &[Event]) -> Vec<Message> {
    let message = |event: &Event| match event {
        Event::Message(received) => Some(received.message().clone()),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

#[test]
fn a_client_says_what_the_recorded_clients_said() {
    for session in Session::all() {
        replay_as_client(&session, usize::MAX);
    }
}

#[test]
fn a_client_says_the_same_when_the_stream_comes_byte_by_byte() {
    for session in Session::all() {
        replay_as_client(&session, 1);
    }
}

#[test]
fn a_server_says_what_the_recorded_servers_said() {
    for session in Session::all() {
        replay_as_server(&session.said_by_our_server(), usize::MAX);
    }
}

#[test]
fn a_server_says_the_same_when_the_stream_comes_byte_by_byte() {
    for session in Session::all() {
        replay_as_server(&session.said_by_our_server(), 1);
    }
}

#[test]
fn a_client_gets_the_same_messages_from_a_stream_that_comes_all_at_once() {
    for session in Session::all() {
        let mut client = Driven::client(|_| {});
        client.reads(&session.stream(false));
        client.reads_the_end();
        let events = client.events();
        assert!(matches!(events.first(), Some(Event::Connected(_))));
        assert!(matches!(events.last(), Some(Event::Closed(_))));
        assert_eq!(tags_and_payloads(&events), session.messages(false, true));
    }
}

#[test]
fn a_server_gets_the_same_messages_from_a_stream_that_came_all_at_once_before_the_token() {
    for session in Session::all().map(Session::said_by_our_server) {
        let (_, _, mut server) = server(&session);
        let stream = session.stream(true);
        server.reads(&stream);
        assert_eq!(server.input.len(), stream.len());
        assert_eq!(server.events(), []);
        server.connection.handle_paired(NOW);
        server.connection.handle_stream(NOW, &mut server.input);
        assert_eq!(server.events(), [], "nothing comes before the client is announced");
        server.connection.configure(NOW, ClientId::new(0));
        server.reads_the_end();
        let events = server.events();
        assert!(matches!(events.first(), Some(Event::Connected(_))));
        assert!(matches!(events.last(), Some(Event::Closed(_))));
        assert_eq!(tags_and_payloads(&events), session.messages(true, true));
        // Hello, the acknowledgements of the pings, and Configure.
        let said = says(&mut server, true);
        assert_eq!(said[..HELLO_BYTES], session.steps[0].bytes);
    }
}
