//! Messages: their tags, and what is read from which.

use darkrift_derive::Message;
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{
    Decode, EncodedMessage, Message as RawMessage, Received, SendMode, Tagged, ToMessage, Writer,
};

#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = 1)]
struct Choose {
    items: Vec<i32>,
}

mod tags {
    pub(super) const CHOICE: u16 = 2;
    pub(super) const BASE: u32 = 65_000;
}

#[derive(Clone, Copy)]
#[repr(u16)]
enum Tag {
    Join = 3,
    Leave,
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = tags::CHOICE)]
struct Choice {
    item: i32,
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = Tag::Join)]
struct Join;

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = Tag::Leave as u16)]
struct Leave;

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = tags::BASE + 535)]
struct Last;

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 0xFF_u16)]
struct Wrapped<T, const N: usize>([T; N]);

#[test]
fn a_tag_is_a_number_a_constant_an_enum_value_or_what_is_made_of_them() {
    assert_eq!(Choose::TAG, 1);
    assert_eq!(Choice::TAG, 2);
    assert_eq!(Join::TAG, 3);
    assert_eq!(Leave::TAG, 4);
    assert_eq!(Last::TAG, 65_535);
    assert_eq!(Wrapped::<u8, 2>::TAG, 255);
    assert_eq!(Choose::MESSAGE_TAG, Some(1));
}

#[test]
fn a_message_is_sent_with_its_tag() {
    let choose = Choose { items: vec![1, -1] };
    let mut writer = Writer::new();
    choose.encode_payload(&mut writer).unwrap();
    let payload = writer.into_bytes();
    assert_eq!(payload, [0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff][..]);
    assert_eq!(choose.tag(), 1);

    let encoded = EncodedMessage::new(&choose).unwrap();
    assert_eq!(encoded.tag(), 1);
    assert_eq!(encoded.datagram().slice(3..), payload);
}

#[test]
fn a_received_message_is_read_as_the_type_of_its_tag() {
    let message = RawMessage::encode(2, &Choice { item: 5 }).unwrap();
    let received = Received::new(message, SendMode::Reliable);
    assert_eq!(received.decode::<Choice>().unwrap(), Choice { item: 5 });

    let error = received.decode::<Choose>().unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::WrongTag { expected: 1, found: 2, .. }), "{error}");
}

#[test]
fn bytes_left_over_are_given_back_or_refused_as_the_caller_wants() {
    let message = RawMessage::new(2, vec![0, 0, 0, 5, 8, 9]);
    assert_eq!(message.decode::<Choice>().unwrap(), Choice { item: 5 });

    let (choice, rest) = message.decode_with_rest::<Choice>().unwrap();
    assert_eq!((choice, &rest[..]), (Choice { item: 5 }, &[8, 9][..]));

    let error = message.decode_strict::<Choice>().unwrap_err();
    assert_eq!(*error.kind(), DecodeErrorKind::LeftOver(2));
    assert_eq!(error.position(), Some(4));
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 7)]
struct Bundle {
    choose: Choose,
    boxed: Box<Choice>,
}

#[test]
fn a_message_within_a_message_has_no_tag_on_the_wire() {
    let bundle = Bundle { choose: Choose { items: vec![] }, boxed: Box::new(Choice { item: 1 }) };
    let message = RawMessage::encode(7, &bundle).unwrap();
    assert_eq!(message.payload()[..], [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(message.decode_strict::<Bundle>().unwrap(), bundle);
}

#[test]
fn a_boxed_message_is_a_message_too() {
    let boxed = Box::new(Choice { item: 1 });
    assert_eq!(ToMessage::tag(&boxed), 2);
    assert_eq!(Box::<Choice>::MESSAGE_TAG, Some(2));
}

#[test]
fn a_generic_message_is_one_of_each_of_its_types() {
    let message = RawMessage::encode(255, &Wrapped(["a".to_string(), "b".to_string()])).unwrap();
    let read: Wrapped<String, 2> = message.decode_strict().unwrap();
    assert_eq!(read, Wrapped(["a".to_string(), "b".to_string()]));
}
