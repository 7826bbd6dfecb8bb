//! What a message is: equal by what is on the wire, read as a type, and encoded once for many.

use std::hash::{DefaultHasher, Hash, Hasher};

use darkrift_proto::bytes::Bytes;
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{
    Decode, DecodeError, Encode, EncodeError, EncodedMessage, Encoding, Message, MessageKind, Reader,
    Received, SendMode, Tagged, ToMessage, Writer,
};

/// A type that is always sent with the same tag.
#[derive(Debug, PartialEq)]
struct Hit {
    damage: u16,
}

impl Tagged for Hit {
    const TAG: u16 = 300;
}

impl Encode for Hit {
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write(&self.damage)
    }
}

impl Decode for Hit {
    const MESSAGE_TAG: Option<u16> = Some(Self::TAG);

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { damage: reader.read()? })
    }
}

fn received(message: &Message) -> Received {
    Received::new(message.clone(), SendMode::Unreliable)
}

#[test]
fn a_message_is_what_it_was_made_of_and_so_is_a_received_one() {
    let message = Message::new(300, vec![1, 2, 3]).with_kind(MessageKind::Ping(7));
    assert_eq!((message.tag(), message.kind()), (300, MessageKind::Ping(7)));
    assert_eq!(message.payload()[..], [1, 2, 3]);
    let arrived = received(&message);
    assert_eq!((arrived.tag(), arrived.kind()), (300, MessageKind::Ping(7)));
    assert_eq!(arrived.payload()[..], [1, 2, 3]);
    assert_eq!(arrived.send_mode(), SendMode::Unreliable);
    assert_eq!(arrived.message(), &message);
    assert_eq!(AsRef::<Message>::as_ref(&arrived), &message);
    assert_eq!(arrived.into_message(), message);
    assert_eq!(message.into_payload()[..], [1, 2, 3]);
}

#[test]
fn messages_are_equal_when_they_are_the_same_on_the_wire() {
    let message = Message::new(5, &b"abc"[..]);
    let same = message.clone().with_encoding(Encoding::Utf8);
    assert_eq!(message, same);
    assert_eq!(hash(&message), hash(&same));
    for other in [
        Message::new(6, &b"abc"[..]),
        Message::new(5, &b"abd"[..]),
        Message::empty(5),
        message.clone().with_kind(MessageKind::Ping(0)),
        message.clone().with_kind(MessageKind::Acknowledgement(0)),
    ] {
        assert_ne!(message, other);
        assert_ne!(hash(&message), hash(&other));
    }
}

fn hash(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn a_detached_message_is_the_same_and_shares_no_memory() {
    let message = Message::new(5, vec![1, 2, 3]).with_kind(MessageKind::Ping(9));
    let detached = message.clone().detach();
    assert_eq!(detached, message);
    assert_ne!(detached.payload().as_ptr(), message.payload().as_ptr());
}

#[test]
fn bytes_left_over_are_ignored_given_or_refused_as_the_reader_wishes() {
    let message = Message::new(5, vec![0, 7, 8, 9]);
    assert_eq!(message.decode::<u16>().unwrap(), 7);
    let (value, rest) = message.decode_with_rest::<u16>().unwrap();
    assert_eq!((value, &rest[..]), (7, &[8, 9][..]));
    assert_eq!(rest.as_ptr(), message.payload()[2..].as_ptr(), "the rest is not copied");
    for refused in [message.decode_strict::<u16>(), received(&message).decode_strict::<u16>()] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind().clone(), error.position()), (DecodeErrorKind::LeftOver(2), Some(2)));
    }
    assert_eq!(message.decode_strict::<u32>().unwrap(), 0x0007_0809);
    assert_eq!(received(&message).decode_strict::<u32>().unwrap(), 0x0007_0809);
}

#[test]
fn a_type_with_a_tag_is_read_from_messages_of_that_tag_alone() {
    let right = Message::new(Hit::TAG, vec![0, 7]);
    let wrong = Message::new(301, vec![0, 7]);
    let hit = Hit { damage: 7 };
    assert_eq!(right.decode::<Hit>().unwrap(), hit);
    assert_eq!(right.decode_strict::<Hit>().unwrap(), hit);
    assert_eq!(right.decode_with_rest::<Hit>().unwrap(), (hit, Bytes::new()));
    assert_eq!(received(&right).decode::<Box<Hit>>().unwrap().damage, 7);
    for (error, name) in [
        (wrong.decode::<Hit>().unwrap_err(), "Hit"),
        (wrong.decode_strict::<Hit>().unwrap_err(), "Hit"),
        (wrong.decode_with_rest::<Hit>().unwrap_err(), "Hit"),
        (received(&wrong).decode::<Box<Hit>>().unwrap_err(), "Box<Hit>"),
    ] {
        assert!(matches!(error.kind(), DecodeErrorKind::WrongTag { expected: 300, found: 301, .. }));
        assert_eq!(error.position(), None);
        assert_eq!(error.to_string(), format!("tag 301, where {name} has 300"));
    }
}

#[test]
fn text_is_read_in_the_encoding_that_the_message_was_made_with() {
    let utf_16 = Message::encode(5, "Hi").unwrap();
    assert_eq!(utf_16.payload()[..], [0, 0, 0, 4, b'H', 0, b'i', 0]);
    let utf_8 = Message::encode_with(5, "Hi", Encoding::Utf8).unwrap();
    assert_eq!(utf_8.payload()[..], [0, 0, 0, 2, b'H', b'i']);
    for message in [utf_16, utf_8] {
        assert_eq!(message.decode::<String>().unwrap(), "Hi");
        assert_eq!(message.reader().read_string().unwrap(), "Hi");
        assert_eq!(received(&message).decode::<String>().unwrap(), "Hi");
        assert_eq!(received(&message).reader().read_string().unwrap(), "Hi");
    }
}

#[test]
fn an_encoded_message_has_the_bytes_for_both_channels_and_says_what_it_is() {
    for (message, bytes) in [
        (Message::new(300, vec![9]), &[0, 1, 44, 9][..]),
        (Message::new(300, vec![9]).with_kind(MessageKind::Ping(2)), &[0x40, 1, 44, 0, 2, 9]),
        (Message::empty(300).with_kind(MessageKind::Acknowledgement(2)), &[0x60, 1, 44, 0, 2]),
    ] {
        let encoded = EncodedMessage::new(&message).unwrap();
        assert_eq!(encoded.frame()[..4], (bytes.len() as u32).to_be_bytes());
        assert_eq!(encoded.frame()[4..], *bytes);
        assert_eq!(encoded.datagram(), bytes);
        assert_eq!(encoded.datagram().as_ptr(), encoded.frame()[4..].as_ptr(), "one allocation for both");
        assert_eq!(encoded.message_len(), bytes.len());
        assert_eq!((encoded.tag(), encoded.kind()), (300, message.kind()));
    }
}

#[test]
fn a_type_with_a_tag_is_sent_with_it_as_an_ordinary_message() {
    let hit = Hit { damage: 7 };
    assert_eq!((ToMessage::tag(&hit), ToMessage::kind(&hit)), (300, MessageKind::Ordinary));
    assert_eq!(EncodedMessage::new(&hit).unwrap().datagram(), &[0, 1, 44, 0, 7][..]);
}

#[test]
fn a_kept_writer_encodes_message_after_message_into_one_buffer() {
    let mut writer = Writer::new();
    let mut end = None;
    for tag in 0..5_u16 {
        let message = Message::new(tag, vec![1; 100]);
        let encoded = EncodedMessage::with_writer(&mut writer, &message, Encoding::default()).unwrap();
        assert_eq!(encoded, EncodedMessage::new(&message).unwrap());
        let frame = encoded.frame().as_ptr_range();
        assert!(end.is_none_or(|end| end == frame.start), "it lies behind the one before it");
        end = Some(frame.end);
    }
}

#[test]
fn a_kept_writer_keeps_no_room_that_a_long_message_took() {
    let mut writer = Writer::new();
    let long = Message::new(1, vec![1; 1 << 20]);
    EncodedMessage::with_writer(&mut writer, &long, Encoding::default()).unwrap();
    EncodedMessage::with_writer(&mut writer, &Message::empty(2), Encoding::default()).unwrap();
    assert!(writer.into_buffer().capacity() <= 1 << 10);
}

#[test]
fn what_a_kept_writer_had_before_or_refused_is_in_no_message() {
    let mut writer = Writer::new();
    writer.write_u32(0xdead_beef);
    let refused = EncodedMessage::with_writer(&mut writer, &Name("é"), Encoding::Ascii);
    assert!(refused.is_err());
    let encoded = EncodedMessage::with_writer(&mut writer, &Name("e"), Encoding::Ascii).unwrap();
    assert_eq!(encoded.frame()[..], [0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 1, b'e']);
}

struct Name(&'static str);

impl Tagged for Name {
    const TAG: u16 = 1;
}

impl Encode for Name {
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write(self.0)
    }
}
