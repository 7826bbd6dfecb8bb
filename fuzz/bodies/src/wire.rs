//! Frames and messages.

use bytes::BytesMut;
use darkrift_proto::wire::{
    Acknowledgement, Command, FRAME_LENGTH_BYTES, Frames, Header, HeaderKind, Hello, Token, frame,
};
use darkrift_proto::{EncodedMessage, Message, MessageKind};

use crate::input::Input;
use crate::reference::{self, Front};

/// The frames of any stream are those that the plainest reading gives.
pub fn frames(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = [1, 3, 100, 65_534, usize::MAX][usize::from(input.choice(5))];
    let stream = input.rest();
    let mut frames = Frames::new(stream, limit);
    let mut position = 0;
    loop {
        let expected = reference::front(stream, position, limit);
        match (frame(&stream[position..], limit), &expected) {
            (Ok(Some(message)), Front::Whole(whole)) => assert_eq!(message, whole),
            (Ok(None), Front::Part) | (Err(_), Front::Refused) => {}
            (got, expected) => panic!("{got:?} where {expected:?} is"),
        }
        match (frames.next(), expected) {
            (Some(message), Front::Whole(whole)) => {
                assert_eq!(message, whole);
                position += FRAME_LENGTH_BYTES + whole.len();
                assert_eq!(frames.rest(), &stream[position..]);
            }
            (None, Front::Part | Front::Refused) => break,
            (got, expected) => panic!("{got:?} where {expected:?} is"),
        }
    }
    assert_eq!(frames.next(), None);
}

/// Any bytes as a message, a command, a hello and an acknowledgement: read as the plainest reading has it, and written
/// back to what was read.
pub fn messages(data: &[u8]) {
    header(data);
    if let Some(hello) = Hello::read(data) {
        assert_eq!(hello.to_bytes()[..], *data);
    }
    assert_eq!(Hello::read(data).is_some(), data.len() == 9);
    let token: [u8; 8] = data.first_chunk().copied().unwrap_or_default();
    match Acknowledgement::read(data, Token::new(token)) {
        Some(acknowledgement) => assert_eq!(acknowledgement.to_bytes(), data),
        None => assert!(data.len() > 1 || data == [data[0]] && data[0] != 0),
    }
    let mut input = Input::new(data);
    let kind = match input.choice(3) {
        0 => MessageKind::Ordinary,
        1 => MessageKind::Ping(input.number()),
        _ => MessageKind::Acknowledgement(input.number()),
    };
    let message = Message::new(input.number(), input.rest().to_vec()).with_kind(kind);
    let encoded = EncodedMessage::new(&message).expect("raw bytes are always encodable");
    let plain = reference::message(&encoded.datagram()).expect("what is written is whole");
    assert_eq!((plain.tag, &plain.payload[..]), (message.tag(), &message.payload()[..]));
    assert_eq!(plain.ping, ping(kind));
    assert!(!plain.command);
    let Front::Whole(framed) = reference::front(encoded.frame(), 0, usize::MAX) else { panic!("no frame") };
    assert_eq!(framed, encoded.datagram());
}

fn header(data: &[u8]) {
    let (read, plain) = (Header::read(data), reference::message(data));
    assert_eq!(read.is_ok(), plain.is_some());
    let (Ok((header, length)), Some(plain)) = (read, plain) else { return };
    assert_eq!(data[length..], plain.payload);
    assert_eq!(header.tag(), plain.tag);
    match header.kind() {
        HeaderKind::Command => {
            assert!(plain.command);
            if let Some(command) = Command::read(header.tag(), &plain.payload) {
                assert_eq!(command.code(), header.tag());
                let mut written = BytesMut::new();
                command.write(&mut written);
                let (again, header_len) = Header::read(&written).expect("what is written is whole");
                assert_eq!(Command::read(again.tag(), &written[header_len..]), Some(command));
            }
        }
        HeaderKind::User(kind) => {
            assert!(!plain.command);
            assert_eq!(ping(kind), plain.ping);
            let mut written = BytesMut::new();
            header.write(&mut written);
            assert_eq!(written.len(), header.encoded_len());
            assert_eq!(Header::read(&written), Ok((header, written.len())));
        }
    }
}

fn ping(kind: MessageKind) -> Option<(bool, u16)> {
    match kind {
        MessageKind::Ordinary => None,
        MessageKind::Ping(code) => Some((false, code)),
        MessageKind::Acknowledgement(code) => Some((true, code)),
    }
}
