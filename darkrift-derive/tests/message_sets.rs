//! Sets of messages: from a tag to a variant and back.

use darkrift_derive::{Message, MessageSet};
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{
    DecodeError, Encode, Message as RawMessage, MessageKind, MessageSet, Received, SendMode, ToMessage,
    Writer,
};

#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = 1)]
struct Choose {
    items: Vec<i32>,
}

const CHOICE: u16 = 2;

#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = CHOICE)]
struct Choice {
    item: i32,
}

#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = 40_000)]
struct World {
    names: Vec<String>,
}

#[derive(Debug, PartialEq, MessageSet)]
enum Closed {
    Choose(Choose),
    World(Box<World>),
    Choice(Choice),
}

#[derive(Debug, PartialEq, MessageSet)]
enum Open {
    Choose(Choose),
    #[darkrift(other)]
    Other(RawMessage),
    Choice(Choice),
}

#[derive(Debug, PartialEq, MessageSet)]
#[darkrift(strict)]
enum Strict {
    Choice(Choice),
}

#[derive(Debug, PartialEq, MessageSet)]
enum Anything {
    #[darkrift(other)]
    Other(RawMessage),
}

fn message_of<M: ToMessage>(message: &M) -> RawMessage {
    let mut writer = Writer::new();
    message.encode_payload(&mut writer).unwrap();
    RawMessage::new(message.tag(), writer.into_bytes()).with_kind(message.kind())
}

#[test]
fn a_set_lists_its_tags_in_the_order_of_its_variants() {
    assert_eq!(Closed::TAGS, [1, 40_000, 2]);
    assert_eq!(Open::TAGS, [1, 2]);
    assert_eq!(Anything::TAGS, [0_u16; 0]);
}

#[test]
fn a_message_becomes_the_variant_of_its_tag() {
    let choose = Choose { items: vec![3] };
    assert_eq!(Closed::from_message(&message_of(&choose)).unwrap(), Closed::Choose(choose.clone()));
    assert_eq!(Open::from_message(&message_of(&choose)).unwrap(), Open::Choose(choose));
    let world = World { names: vec!["Ann".into()] };
    assert_eq!(Closed::from_message(&message_of(&world)).unwrap(), Closed::World(Box::new(world)));
    let choice = Choice { item: 9 };
    assert_eq!(Open::from_message(&message_of(&choice)).unwrap(), Open::Choice(choice));
}

#[test]
fn an_unknown_tag_is_an_error_that_names_it_and_the_set() {
    let error = Closed::from_message(&RawMessage::empty(7)).unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::UnknownTag { found: 7, .. }), "{error:?}");
    assert_eq!(error.to_string(), "Closed has no message with the tag 7");
}

#[test]
fn an_unknown_tag_goes_to_the_other_variant_whole() {
    let message = RawMessage::new(7, vec![1, 2, 3]).with_kind(MessageKind::Ping(5));
    let Open::Other(kept) = Open::from_message(&message).unwrap() else { panic!("tag 7 is no variant's") };
    assert_eq!(kept, message);
    assert_eq!(kept.payload().as_ptr(), message.payload().as_ptr(), "the payload was copied");
    assert_eq!(Anything::from_message(&message).unwrap(), Anything::Other(message));
}

#[test]
fn a_set_encodes_as_the_message_in_it() {
    let choice = Choice { item: 9 };
    assert_eq!(message_of(&Closed::Choice(choice.clone())), message_of(&choice));
    let world = World { names: vec!["Ann".into()] };
    assert_eq!(message_of(&Closed::World(Box::new(world.clone()))), message_of(&world));

    let other = RawMessage::new(7, vec![1]).with_kind(MessageKind::Acknowledgement(5));
    assert_eq!(message_of(&Open::Other(other.clone())), other);
}

#[test]
fn a_payload_that_is_not_its_types_is_an_error_that_names_the_field() {
    let error = Open::from_message(&RawMessage::new(2, vec![0, 1])).unwrap_err();
    assert_eq!(error.to_string(), "Choice.item: 4 bytes needed at byte 0, 2 left");
}

#[test]
fn only_a_strict_set_refuses_bytes_left_over() {
    let mut writer = Writer::new();
    Choice { item: 1 }.encode(&mut writer).unwrap();
    writer.write_u8(0);
    let message = RawMessage::new(2, writer.into_bytes());
    assert_eq!(Closed::from_message(&message).unwrap(), Closed::Choice(Choice { item: 1 }));

    let error = Strict::from_message(&message).unwrap_err();
    assert_eq!(*error.kind(), DecodeErrorKind::LeftOver(1));
}

/// What a set has for a message as it came.
fn received<S: MessageSet>(message: RawMessage) -> Result<Option<S>, DecodeError> {
    Received::new(message, SendMode::Reliable).decode_set()
}

#[test]
fn a_message_that_came_is_read_as_one_of_a_set() {
    let choice = Choice { item: 9 };
    assert_eq!(received(message_of(&choice)).unwrap(), Some(Closed::Choice(choice.clone())));
    assert_eq!(
        received::<Closed>(RawMessage::empty(7)).unwrap_err(),
        DecodeError::unknown_tag_of::<Closed>(7)
    );
    // Whatever its kind is, if it is whole.
    for kind in [MessageKind::Ping(5), MessageKind::Acknowledgement(5)] {
        let message = message_of(&choice).with_kind(kind);
        assert_eq!(received(message).unwrap(), Some(Closed::Choice(choice.clone())));
        let stranger = RawMessage::new(7, vec![1]).with_kind(kind);
        assert_eq!(received::<Closed>(stranger).unwrap_err(), DecodeError::unknown_tag_of::<Closed>(7));
    }
}

#[test]
fn what_only_measures_the_round_trip_is_neither_one_of_a_set_nor_an_error() {
    let (ping, acknowledgement) = (MessageKind::Ping(5), MessageKind::Acknowledgement(5));
    // Of no tag of the set, and of one whose messages have a payload.
    for tag in [7, CHOICE] {
        for kind in [ping, acknowledgement] {
            assert_eq!(received::<Closed>(RawMessage::empty(tag).with_kind(kind)), Ok(None));
        }
    }
    let bare = |kind| RawMessage::empty(7).with_kind(kind);
    assert_eq!(received(bare(ping)), Ok(Some(Anything::Other(bare(ping)))), "the set has a place for it");
    assert_eq!(received::<Anything>(bare(acknowledgement)), Ok(None));
}
