//! Structs of every shape: the derived bytes are those of the fields, one after another.

use darkrift_derive::{Decode, Encode};
use darkrift_proto::bytes::Bytes;
use darkrift_proto::{Decode, Encode, Reader, Writer};

/// The bytes of a value.
fn bytes_of<T: Encode>(value: &T) -> Bytes {
    let mut writer = Writer::new();
    value.encode(&mut writer).unwrap();
    writer.into_bytes()
}

/// Reads a value and nothing besides.
fn value_of<T: Decode>(bytes: &[u8]) -> T {
    let mut reader = Reader::new(bytes);
    let value = T::decode(&mut reader).unwrap();
    assert_eq!(reader.remaining(), 0, "bytes are left over");
    value
}

/// The bytes that a value and the code by hand both give; and they give the value back.
#[track_caller]
fn assert_same_bytes<T: Encode + Decode + PartialEq + std::fmt::Debug>(
    value: &T,
    by_hand: impl FnOnce(&mut Writer),
) {
    let mut writer = Writer::new();
    by_hand(&mut writer);
    let expected = writer.into_bytes();
    assert_eq!(bytes_of(value), expected);
    assert_eq!(value_of::<T>(&expected), *value);
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Position {
    x: f32,
    y: f32,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Score(u16, i64);

#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Player {
    name: String,
    position: Position,
    score: Score,
    nothing: Nothing,
    trail: Vec<Position>,
    r#type: u8,
}

#[test]
fn a_named_struct_is_its_fields_in_their_order() {
    assert_same_bytes(&Position { x: 1.5, y: -2.0 }, |writer| {
        writer.write_f32(1.5);
        writer.write_f32(-2.0);
    });
}

#[test]
fn a_tuple_struct_is_its_fields_in_their_order() {
    assert_same_bytes(&Score(7, -1), |writer| {
        writer.write_u16(7);
        writer.write_i64(-1);
    });
}

#[test]
fn a_unit_struct_has_no_bytes() {
    assert_same_bytes(&Nothing, |_| {});
}

#[test]
fn structs_nest_without_anything_in_between() {
    let player = Player {
        name: "Ann".into(),
        position: Position { x: 0.5, y: 1.0 },
        score: Score(3, 4),
        nothing: Nothing,
        trail: vec![Position { x: 0.0, y: 0.0 }, Position { x: 0.25, y: 0.5 }],
        r#type: 9,
    };
    assert_same_bytes(&player, |writer| {
        writer.write_string("Ann").unwrap();
        writer.write_f32(0.5);
        writer.write_f32(1.0);
        writer.write_u16(3);
        writer.write_i64(4);
        writer.write_count(2).unwrap();
        for number in [0.0, 0.0, 0.25, 0.5] {
            writer.write_f32(number);
        }
        writer.write_u8(9);
    });
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Pair<A, B = u8> {
    first: A,
    rest: Vec<(A, Option<B>)>,
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Deck<T, const N: usize>
where
    T: PartialEq,
{
    cards: [Pair<T>; N],
    pairs: Vec<Pair<Pair<T, bool>, Score>>,
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Bounded<T: Clone> {
    card: T,
}

#[test]
fn generic_structs_nest_in_each_other() {
    let pair = Pair { first: 5_u16, rest: vec![(6, None), (7, Some(8_u8))] };
    let inner = Pair { first: 1_u16, rest: vec![(2, Some(true))] };
    let deck = Deck {
        cards: [pair.clone(), pair],
        pairs: vec![Pair { first: inner.clone(), rest: vec![(inner, Some(Score(1, 2)))] }],
    };
    assert_same_bytes(&deck, |writer| {
        let write_card = |writer: &mut Writer| {
            writer.write_u16(5);
            writer.write_count(2).unwrap();
            writer.write_u16(6);
            writer.write_bool(false);
            writer.write_u16(7);
            writer.write_bool(true);
            writer.write_u8(8);
        };
        let write_inner = |writer: &mut Writer| {
            writer.write_u16(1);
            writer.write_count(1).unwrap();
            writer.write_u16(2);
            writer.write_bool(true);
            writer.write_bool(true);
        };
        writer.write_count(2).unwrap();
        write_card(writer);
        write_card(writer);
        writer.write_count(1).unwrap();
        write_inner(writer);
        writer.write_count(1).unwrap();
        write_inner(writer);
        writer.write_bool(true);
        writer.write_u16(1);
        writer.write_i64(2);
    });
    assert_same_bytes(&Bounded { card: true }, |writer| writer.write_bool(true));
}

trait Rules {
    type Card;
}

#[derive(Debug, PartialEq)]
struct Whist;

impl Rules for Whist {
    type Card = u8;
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Hand<R: Rules> {
    best: R::Card,
    cards: Vec<<R as Rules>::Card>,
}

#[test]
fn an_associated_type_is_bound_itself_and_not_the_type_it_belongs_to() {
    assert_same_bytes(&Hand::<Whist> { best: 3, cards: vec![1, 3] }, |writer| {
        writer.write_u8(3);
        writer.write_bytes(&[1, 3]).unwrap();
    });
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Tree {
    label: u8,
    branches: Vec<Tree>,
    next: Option<Box<Tree>>,
}

#[test]
fn a_struct_may_hold_itself() {
    let leaf = |label| Tree { label, branches: vec![], next: None };
    let tree = Tree { label: 1, branches: vec![leaf(2), leaf(3)], next: Some(Box::new(leaf(4))) };
    assert_same_bytes(&tree, |writer| {
        writer.write_u8(1);
        writer.write_count(2).unwrap();
        for label in [2, 3] {
            writer.write_u8(label);
            writer.write_count(0).unwrap();
            writer.write_bool(false);
        }
        writer.write_bool(true);
        writer.write_u8(4);
        writer.write_count(0).unwrap();
        writer.write_bool(false);
    });
}

#[derive(Encode)]
struct Say<'a> {
    from: &'a str,
    words: &'a [&'a str],
}

#[test]
fn a_struct_that_borrows_can_be_written() {
    let mut writer = Writer::new();
    writer.write_string("Ann").unwrap();
    writer.write_count(2).unwrap();
    writer.write_string("Hi").unwrap();
    writer.write_string("Bo").unwrap();
    assert_eq!(bytes_of(&Say { from: "Ann", words: &["Hi", "Bo"] }), writer.into_bytes());
}

#[test]
fn the_fewest_bytes_of_a_struct_are_those_of_its_fields() {
    assert_eq!(Position::MIN_BYTES, 8);
    assert_eq!(Score::MIN_BYTES, 10);
    assert_eq!(Nothing::MIN_BYTES, 0);
    // A length, two numbers, a score, a count, a byte.
    assert_eq!(Player::MIN_BYTES, 4 + 8 + 10 + 4 + 1);
    assert_eq!(Tree::MIN_BYTES, 1 + 4 + 1);
}

#[derive(Encode)]
struct Shared<T> {
    value: T,
    #[darkrift(skip)]
    seen: Vec<u8>,
}

#[derive(Encode, Decode)]
struct Rest(u8, #[darkrift(raw)] Bytes);

/// What it says of its length is true.
#[track_caller]
fn assert_knows_its_length<T: Encode>(value: &T) {
    assert_eq!(value.encoded_len(), Some(bytes_of(value).len()));
}

#[test]
fn a_struct_knows_its_length_where_each_of_its_fields_does() {
    assert_knows_its_length(&Position { x: 0.0, y: 0.0 });
    assert_knows_its_length(&Score(1, 2));
    assert_knows_its_length(&Nothing);
    let shared = Shared { value: [1_u32, 2], seen: vec![3] };
    assert_knows_its_length(&shared);
    assert_eq!(shared.seen.len(), 1, "not on the wire, and not counted");
    assert_knows_its_length(&Rest(1, Bytes::from_static(b"rest")));
    assert_eq!(Shared { value: "text", seen: Vec::new() }.encoded_len(), None);
}

/// Names that generated code could stumble over, were it not written with care.
mod hygiene {
    use super::assert_same_bytes;

    #[allow(dead_code)]
    type Result<T> = Vec<T>;
    #[allow(dead_code)]
    struct Option;
    #[allow(non_snake_case, dead_code)]
    fn Ok() {}
    #[allow(non_snake_case, dead_code)]
    fn Err() {}
    #[allow(dead_code)]
    const TAG: u8 = 1;

    #[derive(Debug, PartialEq, darkrift_derive::Message)]
    #[darkrift(tag = 1, encoding = "utf8")]
    struct Writer {
        writer: u8,
        reader: u8,
        error: u8,
        result: u8,
        outer: u8,
        #[darkrift(encoding = "ascii")]
        bytes: std::string::String,
        max_len: u8,
        found: u8,
    }

    #[derive(Debug, PartialEq, darkrift_derive::Encode, darkrift_derive::Decode)]
    #[repr(u8)]
    enum Reader {
        Ok,
        Err,
        Self_,
    }

    #[test]
    fn names_of_the_users_are_not_in_the_way() {
        assert_same_bytes(
            &Writer {
                writer: 1,
                reader: 2,
                error: 3,
                result: 4,
                outer: 5,
                bytes: "A".into(),
                max_len: 6,
                found: 7,
            },
            |writer| writer.write_raw(&[1, 2, 3, 4, 5, 0, 0, 0, 1, b'A', 6, 7]),
        );
        assert_same_bytes(&Reader::Err, |writer| writer.write_u8(1));
        assert_same_bytes(&Reader::Self_, |writer| writer.write_u8(2));
        assert_same_bytes(&Reader::Ok, |writer| writer.write_u8(0));
    }
}
