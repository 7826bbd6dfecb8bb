//! Unreliable messages that leave without waiting in a queue.

mod common;

use bytes::BytesMut;
use common::*;
use darkrift_proto::{Connection, EncodeError, Message, MessageKind, SendError, SendMode, ToMessage, Writer};

/// What cannot be encoded, and is noticed behind its first bytes.
struct Broken;

impl ToMessage for Broken {
    fn tag(&self) -> u16 {
        7
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_u32(1);
        Err(EncodeError::custom("no such value"))
    }
}

fn send(connection: &mut Connection, message: &Message) -> BytesMut {
    let mut datagram = BytesMut::new();
    connection.send_datagram(NOW, message, &mut datagram).unwrap();
    datagram
}

#[test]
fn a_message_is_the_datagram_that_the_queue_would_have_given() {
    let messages = [
        Message::empty(0),
        Message::new(300, vec![1, 2, 3]),
        Message::new(5, vec![9; 65_504]),
        Message::empty(6).with_kind(MessageKind::Ping(4)),
    ];
    for message in messages {
        let mut queued = Driven::connected_server(|_| {}).connection;
        queued.send(NOW, SendMode::Unreliable, &message).unwrap();
        let mut past = Driven::connected_server(|_| {}).connection;
        assert_eq!(send(&mut past, &message), queued.poll_datagram().unwrap());
        assert!(!past.has_datagram());
        assert_eq!(past.statistics(), queued.statistics());
    }
}

#[test]
fn a_ping_is_answered_wherever_it_was_written() {
    let mut server = Driven::connected_server(|_| {});
    let ping = Message::empty(6).with_kind(MessageKind::Ping(4));
    assert_eq!(send(&mut server.connection, &ping)[..], [0x40, 0, 6, 0, 4]);
    server.hears(&[0x60, 0, 6, 0, 4]);
    assert!(server.connection.round_trip().is_some());
    assert_eq!(server.connection.strikes(), 0);
}

#[test]
fn a_message_goes_behind_others_that_wait() {
    let mut connection = Driven::connected_server(|_| {}).connection;
    connection.send(NOW, SendMode::Unreliable, &Message::new(1, vec![1])).unwrap();
    assert!(send(&mut connection, &Message::new(2, vec![2])).is_empty());
    assert_eq!(connection.poll_datagram().unwrap()[..], [0, 0, 1, 1]);
    assert_eq!(connection.poll_datagram().unwrap()[..], [0, 0, 2, 2]);
    assert_eq!(send(&mut connection, &Message::new(3, vec![3]))[..], [0, 0, 3, 3]);
}

#[test]
fn nothing_goes_before_the_token() {
    let mut client = Driven::greeted_client(|_| {});
    let mut datagram = BytesMut::new();
    let refused = client.connection.send_datagram(NOW, &Message::empty(1), &mut datagram);
    assert_eq!((refused, datagram.len()), (Err(SendError::NotConnected), 0));
    assert_eq!(client.datagram().unwrap(), HELLO);
}

#[test]
fn a_refused_message_leaves_what_was_there_and_counts_nothing() {
    let mut connection = Driven::connected_server(|_| {}).connection;
    let before = connection.statistics();
    let mut datagram = BytesMut::from(&b"before"[..]);
    let too_long = connection.send_datagram(NOW, &Message::new(1, vec![0; 65_505]), &mut datagram);
    assert_eq!(too_long, Err(SendError::TooLong { length: 65_508, limit: 65_507 }));
    let broken = connection.send_datagram(NOW, &Broken, &mut datagram);
    assert!(matches!(broken, Err(SendError::Encode(_))), "{broken:?}");
    connection.close(NOW);
    let closed = connection.send_datagram(NOW, &Message::empty(1), &mut datagram);
    assert_eq!(closed, Err(SendError::Closed));
    assert_eq!(&datagram[..], b"before");
    assert_eq!(connection.statistics().unreliable_sent, before.unreliable_sent);
    assert_eq!(connection.statistics().datagram_bytes_sent, before.datagram_bytes_sent);
}
