//! What the tests of this directory share: a connection with the buffer that its driver would keep.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_proto::wire::Token;
use darkrift_proto::{
    ClientConfig, ClientId, CloseKind, Connection, ConnectionKey, Event, Instant, Listener, Message,
    Received, Routing, SendMode, ServerConfig, TokenSource,
};

pub(crate) const NOW: Instant = Instant::ZERO;
pub(crate) const TOKEN: Token = Token::new([1, 2, 3, 4, 5, 6, 7, 8]);
/// Version 1 and [`TOKEN`].
pub(crate) const HELLO: [u8; 9] = [1, 1, 2, 3, 4, 5, 6, 7, 8];
/// The acknowledgement of [`TOKEN`] in the dialect of version 1.
pub(crate) const ACKNOWLEDGEMENT: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0];
/// Configure, framed, with [`ID`].
pub(crate) const CONFIGURE: [u8; 9] = [0, 0, 0, 5, 0x80, 0, 0, 0, 7];
pub(crate) const ID: ClientId = ClientId::new(7);
pub(crate) const RELIABLE: SendMode = SendMode::Reliable;
pub(crate) const UNRELIABLE: SendMode = SendMode::Unreliable;

pub(crate) fn at(milliseconds: u64) -> Instant {
    NOW + Duration::from_millis(milliseconds)
}

pub(crate) fn peer() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

/// A message on the stream: its length, and then it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(message);
    frame
}

/// An empty message, framed.
pub(crate) fn empty(tag: u16) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    framed(&[0, high, low])
}

pub(crate) fn message(tag: u16) -> Message {
    Message::empty(tag)
}

/// The arrival of an empty message.
pub(crate) fn arrived(tag: u16, mode: SendMode) -> Event {
    Event::Message(Received::new(message(tag), mode))
}

/// A source that says one token, and after it the ones that follow.
pub(crate) struct Tokens(pub(crate) u64);

impl TokenSource for Tokens {
    fn token(&mut self) -> Token {
        let token = Token::new(self.0.to_be_bytes());
        self.0 = self.0.wrapping_add(1);
        token
    }
}

/// A connection with the input buffer that belongs to its driver.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) connection: Connection,
    pub(crate) input: BytesMut,
}

impl Driven {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, input: BytesMut::new() }
    }

    pub(crate) fn client(change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut config = ClientConfig::default();
        change(&mut config);
        Self::new(Connection::client(Arc::new(config), NOW))
    }

    /// A client that has the hello and waits for the acknowledgement.
    pub(crate) fn greeted_client(change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut client = Self::client(change);
        client.reads(&HELLO);
        client
    }

    pub(crate) fn connected_client(change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut client = Self::greeted_client(change);
        assert_eq!(client.datagram().as_deref(), Some(&HELLO[..]));
        client.hears(&ACKNOWLEDGEMENT);
        client.reads(&CONFIGURE);
        assert_eq!(client.events(), [Event::Connected(ID)]);
        client
    }

    /// A server's side whose hello went out, and the listener that made it.
    pub(crate) fn server(change: impl FnOnce(&mut ServerConfig)) -> (Listener, ConnectionKey, Self) {
        let mut config = ServerConfig::default();
        change(&mut config);
        let mut listener = Listener::new(Arc::new(config));
        let mut tokens = Tokens(u64::from_be_bytes(*TOKEN.as_bytes()));
        let (key, connection) = listener.accept(NOW, peer(), &mut tokens).unwrap();
        let mut server = Self::new(connection);
        assert_eq!(server.written(), HELLO);
        (listener, key, server)
    }

    pub(crate) fn paired_server(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let (mut listener, _, mut server) = Self::server(change);
        assert!(matches!(listener.handle_datagram(NOW, peer(), &HELLO), Routing::Paired { .. }));
        server.connection.handle_paired(NOW);
        server
    }

    pub(crate) fn connected_server(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut server = Self::paired_server(change);
        server.connection.configure(NOW, ID);
        assert_eq!(server.written(), CONFIGURE);
        assert_eq!(server.events(), [Event::Connected(ID)]);
        server
    }

    /// Bytes come on the stream.
    pub(crate) fn reads(&mut self, bytes: &[u8]) {
        self.reads_at(NOW, bytes);
    }

    pub(crate) fn reads_at(&mut self, now: Instant, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.connection.handle_stream(now, &mut self.input);
    }

    /// The peer ends its stream.
    pub(crate) fn reads_the_end(&mut self) {
        self.connection.handle_stream_end(NOW, &mut self.input);
    }

    /// A datagram comes.
    pub(crate) fn hears(&mut self, datagram: &[u8]) {
        self.connection.handle_datagram(NOW, Bytes::copy_from_slice(datagram));
    }

    /// Takes everything that waits for the stream.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        let mut output = self.connection.stream_output();
        let count = output.remaining();
        output.copy_to_bytes(count).to_vec()
    }

    pub(crate) fn datagram(&mut self) -> Option<Vec<u8>> {
        let announced = self.connection.has_datagram();
        let datagram = self.connection.poll_datagram();
        assert_eq!(datagram.is_some(), announced);
        datagram.map(|datagram| datagram.to_vec())
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while self.connection.has_event() {
            events.push(self.connection.poll_event().expect("has_event said so"));
        }
        assert_eq!(self.connection.poll_event(), None);
        events
    }

    /// Why it closed, of which the application is told as the last thing.
    pub(crate) fn closed_for(&mut self) -> Option<CloseKind> {
        let told = self.events().into_iter().find_map(|event| match event {
            Event::Closed(reason) => Some(reason),
            _ => None,
        });
        assert_eq!(told.as_ref(), self.connection.close_reason());
        told.map(|reason| reason.kind)
    }
}
