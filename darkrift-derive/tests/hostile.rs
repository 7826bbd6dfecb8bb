//! Payloads that are cut short, too long, or made to do harm.

use darkrift_derive::{Decode, Encode, Message, MessageSet};
use darkrift_proto::bytes::Bytes;
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{Decode, DecodeError, Encode, Message as RawMessage, MessageSet, Reader, Writer};

#[derive(Debug, PartialEq, Encode, Decode)]
#[repr(u16)]
enum Team {
    Red,
    Blue,
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Item {
    id: u32,
    name: String,
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 1)]
struct Everything {
    byte: u8,
    big: i64,
    float: f64,
    flag: bool,
    letter: char,
    text: String,
    #[darkrift(encoding = "utf8")]
    utf8: String,
    numbers: Vec<i32>,
    flags: Vec<bool>,
    letters: Vec<char>,
    texts: Vec<String>,
    fixed: [u16; 3],
    bytes: Bytes,
    maybe: Option<u32>,
    boxed: Box<Item>,
    items: Vec<Item>,
    team: Team,
    pair: (u8, i16),
}

fn everything() -> Everything {
    let item = |id| Item { id, name: "sword".into() };
    Everything {
        byte: 1,
        big: -2,
        float: 2.5,
        flag: true,
        letter: 'é',
        text: "text".into(),
        utf8: "tëxt".into(),
        numbers: vec![1, -1],
        flags: vec![true; 9],
        letters: vec!['a', 'b'],
        texts: vec!["a".into(), "b".into()],
        fixed: [1, 2, 3],
        bytes: Bytes::from_static(b"bytes"),
        maybe: Some(7),
        boxed: Box::new(item(8)),
        items: vec![item(9), item(10)],
        team: Team::Blue,
        pair: (3, -3),
    }
}

/// Each field with its bytes, written by hand.
fn fields() -> Vec<(&'static str, Bytes)> {
    let value = everything();
    let field = |name, write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        write(&mut writer);
        (name, writer.into_bytes())
    };
    let write_item = |writer: &mut Writer, item: &Item| {
        writer.write_u32(item.id);
        writer.write_string(&item.name).unwrap();
    };
    vec![
        field("byte", &|writer| writer.write_u8(1)),
        field("big", &|writer| writer.write_i64(-2)),
        field("float", &|writer| writer.write_f64(2.5)),
        field("flag", &|writer| writer.write_bool(true)),
        field("letter", &|writer| writer.write_char('é').unwrap()),
        field("text", &|writer| writer.write_string("text").unwrap()),
        field("utf8", &|writer| writer.write_raw(&[0, 0, 0, 5, b't', 0xc3, 0xab, b'x', b't'])),
        field("numbers", &|writer| value.numbers.encode(writer).unwrap()),
        field("flags", &|writer| writer.write_bools(&value.flags).unwrap()),
        field("letters", &|writer| writer.write_chars(&value.letters).unwrap()),
        field("texts", &|writer| value.texts.encode(writer).unwrap()),
        field("fixed", &|writer| value.fixed.encode(writer).unwrap()),
        field("bytes", &|writer| writer.write_bytes(&value.bytes).unwrap()),
        field("maybe", &|writer| {
            writer.write_bool(true);
            writer.write_u32(7);
        }),
        field("boxed", &|writer| write_item(writer, &value.boxed)),
        field("items", &|writer| {
            writer.write_count(2).unwrap();
            value.items.iter().for_each(|item| write_item(writer, item));
        }),
        field("team", &|writer| writer.write_u16(1)),
        field("pair", &|writer| {
            writer.write_u8(3);
            writer.write_i16(-3);
        }),
    ]
}

fn payload() -> Vec<u8> {
    fields().into_iter().flat_map(|(_, bytes)| bytes).collect()
}

fn decode(payload: &[u8]) -> Result<Everything, DecodeError> {
    RawMessage::new(1, payload.to_vec()).decode_strict()
}

#[test]
fn the_payload_is_the_fields_by_hand() {
    assert_eq!(RawMessage::encode(1, &everything()).unwrap().payload()[..], payload());
    assert_eq!(decode(&payload()).unwrap(), everything());
}

#[test]
fn a_payload_cut_anywhere_names_the_struct_and_the_field_and_what_was_missing() {
    let payload = payload();
    let mut end = 0;
    for (field, bytes) in fields() {
        for length in end..end + bytes.len() {
            let error = decode(&payload[..length]).unwrap_err();
            assert_eq!(error.path().next(), Some(("Everything", field)), "cut at {length}: {error}");
            let DecodeErrorKind::UnexpectedEnd { needed, left } = error.kind() else {
                panic!("cut at {length}: {error}")
            };
            assert!(needed > left, "cut at {length}: {error}");
            assert_eq!(error.position().unwrap() + left, length, "cut at {length}: {error}");
            assert!(error.to_string().starts_with(&format!("Everything.{field}: ")), "{error}");
        }
        end += bytes.len();
    }
    assert_eq!(end, payload.len());
}

#[test]
fn an_error_within_a_field_names_the_way_there() {
    let payload = payload();
    let mut short = payload[..payload.len() - 5].to_vec();
    short.truncate(short.len() - 1);
    let error = decode(&short).unwrap_err();
    assert!(error.path().eq([("Everything", "items"), ("Item", "name")]), "{error}");
    assert_eq!(*error.kind(), DecodeErrorKind::UnexpectedEnd { needed: 10, left: 9 });
}

#[test]
fn bytes_behind_the_last_field_are_refused_only_by_the_strict_form() {
    let long = [payload(), vec![0, 1, 2]].concat();
    let error = decode(&long).unwrap_err();
    assert_eq!(*error.kind(), DecodeErrorKind::LeftOver(3));
    assert_eq!(error.position(), Some(long.len() - 3));
    let (value, rest) = RawMessage::new(1, long).decode_with_rest::<Everything>().unwrap();
    assert_eq!((value, &rest[..]), (everything(), &[0, 1, 2][..]));
}

#[test]
fn a_length_that_is_negative_or_huge_is_refused_before_room_is_made_for_it() {
    let mut start = 0;
    let payload = payload();
    for (field, bytes) in fields() {
        let begins_with_length =
            ["letter", "text", "utf8", "numbers", "flags", "letters", "texts", "fixed", "bytes", "items"];
        if begins_with_length.contains(&field) {
            for length in [-1, i32::MIN, i32::MAX, 1 << 30, 1 << 20] {
                let mut hostile = payload.clone();
                hostile[start..start + 4].copy_from_slice(&length.to_be_bytes());
                let message = RawMessage::new(1, hostile);
                let mut result = None;
                let allocated = allocation_counter::measure(|| result = Some(message.decode::<Everything>()));
                let error = result.unwrap().unwrap_err();
                assert_eq!(error.path().next(), Some(("Everything", field)), "{length}: {error}");
                assert!(allocated.bytes_max < 4096, "{field}, {length}: {} bytes", allocated.bytes_max);
                if length < 0 {
                    assert_eq!(*error.kind(), DecodeErrorKind::NegativeLength(length));
                }
            }
        }
        start += bytes.len();
    }
}

#[derive(Debug, Encode, Decode)]
struct Nothing;

#[derive(Debug, Encode, Decode)]
struct Crowd {
    nothings: Vec<Nothing>,
}

#[test]
fn a_count_of_values_without_bytes_cannot_keep_the_reader_busy() {
    let error = Crowd::decode(&mut Reader::new(&i32::MAX.to_be_bytes())).unwrap_err();
    assert_eq!(error.path().next(), Some(("Crowd", "nothings")));
    assert!(matches!(error.kind(), DecodeErrorKind::UnexpectedEnd { .. }), "{error}");
}

#[derive(Debug, Encode, Decode)]
struct Tree {
    branches: Vec<Tree>,
}

#[derive(Debug, Encode, Decode)]
struct Chain {
    next: Option<Box<Chain>>,
}

#[test]
fn values_nested_without_end_are_refused_and_do_not_overflow_the_stack() {
    let depth = 1_000_000;
    let tree: Vec<u8> = [0, 0, 0, 1].repeat(depth);
    let error = Tree::decode(&mut Reader::new(&tree)).unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::NestedTooDeep { limit: 128 }), "{error}");
    assert_eq!(error.path().next(), Some(("Tree", "branches")));

    let error = Chain::decode(&mut Reader::new(&vec![1; depth])).unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::NestedTooDeep { limit: 128 }), "{error}");
    assert_eq!(error.path().next(), Some(("Chain", "next")));
    assert_eq!(error.path().count(), 129);
    let (first, last) = ("Chain.next: ".repeat(3), "Chain.next: ".repeat(3));
    let text = format!("{first}… {last}values nested more than 128 deep at byte 129");
    assert_eq!(error.to_string(), text);
}

#[derive(Debug, MessageSet)]
enum Game {
    Everything(Box<Everything>),
    Blob(Blob),
}

#[derive(Debug, Message)]
#[darkrift(tag = 2)]
struct Blob {
    #[darkrift(max_len = 4)]
    items: Vec<Item>,
    #[darkrift(raw, max_len = 16)]
    rest: Vec<u8>,
}

/// A generator that gives the same numbers each time (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[test]
fn no_payload_makes_a_set_panic_and_what_it_reads_it_can_write() {
    let mut numbers = Numbers(0x5eed);
    let payload = payload();
    let mut read = 0;
    for _ in 0..50_000 {
        let mut bytes = if numbers.below(2) == 0 {
            payload.clone()
        } else {
            (0..numbers.below(64)).map(|_| numbers.next() as u8 & numbers.next() as u8).collect()
        };
        for _ in 0..numbers.below(4) {
            if let Some(byte) = (!bytes.is_empty()).then(|| numbers.below(bytes.len())) {
                bytes[byte] = numbers.next() as u8;
            }
        }
        let message = RawMessage::new(1 + numbers.below(2) as u16, bytes);
        match Game::from_message(&message) {
            Ok(Game::Everything(value)) => {
                read += 1;
                assert!(RawMessage::encode(1, &value).is_ok());
            }
            Ok(Game::Blob(value)) => {
                read += 1;
                assert!(value.items.len() <= 4 && value.rest.len() <= 16);
                assert!(RawMessage::encode(2, &value).is_ok());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(read > 1_000, "only {read} payloads were readable: the test tests nothing");
}

#[derive(Debug, Default, Encode, Decode)]
struct Cell {
    #[darkrift(skip)]
    dirty: bool,
}

#[test]
fn structs_without_bytes_in_arrays_of_arrays_are_no_more_than_there_are_bytes() {
    // As many arrays as fit into the longest frame of a client, each of as many cells as bytes are left.
    let arrays = 65_500 / 4 - 1;
    let mut writer = Writer::new();
    writer.write_i32(arrays);
    (0..arrays).rev().for_each(|left| writer.write_i32(4 * left));
    let bytes = writer.into_bytes();
    let error = Reader::new(&bytes).read::<Vec<Vec<Cell>>>().unwrap_err();
    assert_eq!(*error.kind(), DecodeErrorKind::TooManyEmpty { limit: bytes.len() });

    let cells: Vec<Vec<Cell>> = Reader::new(&[0, 0, 0, 1, 0, 0, 0, 2, 9, 9]).read().unwrap();
    assert_eq!(cells[0].len(), 2);
    assert!(cells[0].iter().all(|cell| !cell.dirty));
}

#[derive(Debug, Encode, Decode)]
struct LargeNode {
    room: Option<[u64; 1024]>,
    child: Option<Box<LargeNode>>,
}

/// What the node's parts have in common with it is on the stack at the same time, once for each.
#[derive(Debug, Encode, Decode)]
struct DeepNode {
    parts: (Outer, u8),
    children: Vec<DeepNode>,
}

#[derive(Debug, Encode, Decode)]
struct Outer {
    inner: Inner,
}

#[derive(Debug, Encode, Decode)]
struct Inner {
    names: Option<[String; 341]>,
}

#[test]
fn large_structs_within_each_other_do_not_overflow_the_stack_of_a_thread() {
    let in_a_thread = |read: fn() -> DecodeError| {
        std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap()
    };
    let kind = DecodeErrorKind::NestedTooLarge { limit: Reader::MAX_NESTED_BYTES };
    let boxes = || Reader::new(&[0, 1].repeat(500)).read::<LargeNode>().unwrap_err();
    assert_eq!(*in_a_thread(boxes).kind(), kind);
    let arrays = || Reader::new(&[0, 0, 0, 0, 0, 1].repeat(500)).read::<DeepNode>().unwrap_err();
    assert_eq!(*in_a_thread(arrays).kind(), kind);
    let three_deep = [0, 1, 0, 1, 0, 0];
    assert!(Reader::new(&three_deep).read::<LargeNode>().unwrap().child.unwrap().child.is_some());
}
