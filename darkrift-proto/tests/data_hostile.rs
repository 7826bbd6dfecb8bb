//! What a peer may send and the types never would: every such payload ends in an error that says what and where, and
//! none makes room for more than it holds.

use darkrift_proto::bytes::Bytes;
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{Decode, DecodeError, Encode, Encoding, Reader, Writer};

const ENCODINGS: [Encoding; 5] =
    [Encoding::Utf16Le, Encoding::Utf8, Encoding::Utf16Be, Encoding::Utf32Le, Encoding::Ascii];

fn decode<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    Reader::new(bytes).read()
}

fn refusal<T: Decode>(bytes: &[u8]) -> (DecodeErrorKind, Option<usize>) {
    match decode::<T>(bytes) {
        Ok(_) => panic!("{bytes:?} was read"),
        Err(error) => (error.kind().clone(), error.position()),
    }
}

fn bytes_of<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.write(value).unwrap();
    writer.into_bytes().to_vec()
}

fn is_refused_at_every_shorter_length<T: Encode + Decode>(value: &T) {
    let bytes = bytes_of(value);
    for length in 0..bytes.len() {
        let (kind, _) = refusal::<T>(&bytes[..length]);
        assert!(matches!(kind, DecodeErrorKind::UnexpectedEnd { needed, left } if needed > left), "{kind:?}");
    }
}

#[test]
fn every_value_is_refused_when_its_end_is_missing() {
    is_refused_at_every_shorter_length(&(
        1u8, -2i8, 3u16, -4i16, 5u32, -6i32, 7u64, -8i64, 9f32, 10f64, true, 'x',
    ));
    is_refused_at_every_shorter_length(&(
        String::from("Hello"),
        vec![1i32, 2, 3],
        vec![true; 9],
        vec!['a', 'b'],
    ));
    is_refused_at_every_shorter_length(&(
        vec![String::from("a"), String::new()],
        vec![7u8; 5],
        Bytes::from("raw"),
    ));
    is_refused_at_every_shorter_length(&(
        [1u16; 3],
        [true; 9],
        ['a'; 2],
        [String::from("s"), String::from("t")],
    ));
    is_refused_at_every_shorter_length(&(Some(1u8), Some(Box::new(2u64)), vec![Some(String::from("x"))]));
}

#[test]
fn the_error_says_how_much_was_needed_where_and_how_much_was_left() {
    let kind = DecodeErrorKind::UnexpectedEnd { needed: 12, left: 3 };
    assert_eq!(refusal::<String>(b"\0\0\0\x0cabc"), (kind, Some(4)));
    assert_eq!(
        decode::<String>(b"\0\0\0\x0cabc").unwrap_err().to_string(),
        "12 bytes needed at byte 4, 3 left"
    );
}

#[test]
fn a_negative_count_is_refused_by_every_array() {
    fn is_refused<T: Decode>() {
        for count in [-1, i32::MIN] {
            let kind = DecodeErrorKind::NegativeLength(count);
            assert_eq!(refusal::<T>(&[count.to_be_bytes(); 2].concat()), (kind, Some(0)));
        }
    }
    is_refused::<String>();
    is_refused::<Vec<u8>>();
    is_refused::<Bytes>();
    is_refused::<Vec<i64>>();
    is_refused::<Vec<bool>>();
    is_refused::<Vec<char>>();
    is_refused::<Vec<String>>();
    is_refused::<Vec<()>>();
    is_refused::<[u8; 4]>();
    is_refused::<[bool; 4]>();
    is_refused::<[String; 1]>();
}

#[test]
fn a_count_past_the_end_is_refused_by_every_array() {
    fn is_refused<T: Decode>() {
        for count in [9, 1 << 24, i32::MAX] {
            let (kind, position) = refusal::<T>(&bytes_of(&(count, 0u8)));
            assert!(matches!(kind, DecodeErrorKind::UnexpectedEnd { left: 1, .. }), "{kind:?}");
            assert_eq!(position, Some(4));
        }
    }
    is_refused::<String>();
    is_refused::<Vec<u8>>();
    is_refused::<Bytes>();
    is_refused::<Vec<i64>>();
    is_refused::<Vec<bool>>();
    is_refused::<Vec<char>>();
    is_refused::<Vec<String>>();
    is_refused::<Vec<Option<u8>>>();
    is_refused::<Vec<()>>();
}

#[test]
fn a_count_is_refused_where_even_the_shortest_values_would_not_fit() {
    fn is_refused<T: Decode>(shortest: usize) {
        let (needed, left) = (2 * shortest, 2 * shortest - 1);
        let kind = DecodeErrorKind::UnexpectedEnd { needed, left };
        assert_eq!(refusal::<Vec<T>>(&[&[0, 0, 0, 2][..], &vec![0; left]].concat()), (kind, Some(4)));
    }
    is_refused::<(u16, u32)>(6);
    is_refused::<(char,)>(5);
    is_refused::<(bool, String)>(5);
    is_refused::<Bytes>(4);
    is_refused::<Vec<u64>>(4);
    is_refused::<[u64; 9]>(4);
    is_refused::<Box<f64>>(8);
    is_refused::<Option<u64>>(1);
}

#[test]
fn an_array_of_a_fixed_size_takes_no_other_count() {
    let kind = || DecodeErrorKind::WrongCount { expected: 3, found: 2 };
    assert_eq!(refusal::<[u16; 3]>(&bytes_of(&[1u16, 2])), (kind(), Some(0)));
    assert_eq!(refusal::<[u8; 3]>(&bytes_of(&[1u8, 2])), (kind(), Some(0)));
    assert_eq!(refusal::<[bool; 3]>(&bytes_of(&[true; 2])), (kind(), Some(0)));
    assert_eq!(refusal::<[char; 3]>(&bytes_of(&['a'; 2])), (kind(), Some(0)));
    assert_eq!(refusal::<[String; 3]>(&bytes_of(&["a", "b"])), (kind(), Some(0)));
}

#[test]
fn values_without_bytes_cannot_be_counted_past_the_bytes_there_are() {
    assert_eq!(decode::<Vec<()>>(&bytes_of(&(2, 0u16))).unwrap().len(), 2);
    let kind = DecodeErrorKind::UnexpectedEnd { needed: i32::MAX as usize, left: 0 };
    assert_eq!(refusal::<Vec<()>>(&bytes_of(&i32::MAX)), (kind, Some(4)));
}

#[test]
fn arrays_of_arrays_cannot_hold_more_values_without_bytes_than_there_are_bytes() {
    // A quarter of a million bytes, in which each array could say that it has as many values as bytes are left.
    let outer = 1 << 15;
    let mut bytes = bytes_of(&outer);
    for index in 0..outer {
        bytes.extend_from_slice(&bytes_of(&(4 * (outer - index - 1))));
    }
    let (kind, _) = refusal::<Vec<Vec<()>>>(&bytes);
    assert_eq!(kind, DecodeErrorKind::TooManyEmpty { limit: bytes.len() });

    let mut reader = Reader::new(&bytes[4..]);
    let mut read = 0;
    let error = loop {
        match reader.read_vec::<()>() {
            Ok(values) => read += values.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), DecodeErrorKind::TooManyEmpty { .. }), "one array at a time, too");
    assert!(read <= bytes.len());
}

#[test]
fn values_without_bytes_that_are_few_are_read_from_arrays_of_arrays() {
    let mut bytes = bytes_of(&vec![3, 2, 1]);
    bytes.extend_from_slice(&[0; 3]);
    let values: Vec<Vec<()>> = decode(&bytes[..]).unwrap();
    assert_eq!(values.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
}

/// Says nothing of its shortest form, and takes a byte all the same.
#[derive(Debug)]
struct Unmeasured;

impl Decode for Unmeasured {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_u8().map(|_| Self)
    }
}

#[test]
fn values_that_take_bytes_are_not_counted_as_those_that_take_none() {
    // Three rounds over the same bytes: more values than bytes.
    let bytes = [&bytes_of(&1000)[..], &[0; 1000]].concat();
    let mut reader = Reader::new(&bytes);
    for _ in 0..3 {
        reader.set_position(0).unwrap();
        assert_eq!(reader.read_vec::<Unmeasured>().unwrap().len(), 1000);
    }
}

/// Contains itself in both ways that a type can.
#[derive(Debug)]
struct Tree {
    first: Option<Box<Tree>>,
    others: Vec<Tree>,
}

impl Decode for Tree {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { first: reader.read()?, others: reader.read()? })
    }
}

#[test]
fn values_nested_without_end_are_refused_before_the_stack_overflows() {
    let deep_boxes = vec![1; 1 << 20];
    let deep_arrays = [0, 0, 0, 0, 1].repeat(1 << 20);
    let kind = DecodeErrorKind::NestedTooDeep { limit: 128 };
    assert_eq!(refusal::<Tree>(&deep_boxes), (kind.clone(), Some(129)));
    assert_eq!(refusal::<Tree>(&deep_arrays), (kind, Some(5 * 129)));
}

/// Large enough to fill a stack before it is nested as deep as small types may be.
struct Large {
    first: Option<Box<Large>>,
    others: Vec<Large>,
    _room: [u64; 1024],
}

impl Decode for Large {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { first: reader.read()?, others: reader.read()?, _room: [0; 1024] })
    }
}

#[test]
fn large_values_are_nested_only_as_deep_as_the_stack_of_a_thread_holds() {
    let deep_boxes = vec![1; 1 << 16];
    let deep_arrays = [0, 0, 0, 0, 1].repeat(1 << 16);
    let kind = DecodeErrorKind::NestedTooLarge { limit: 64 << 10 };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let refused = move || [deep_boxes, deep_arrays].map(|bytes| decode::<Large>(&bytes).err().unwrap());
    for error in thread.spawn(refused).unwrap().join().unwrap() {
        assert_eq!(*error.kind(), kind);
    }

    let four_deep = [vec![1; 4], vec![0; 5 + 4 * 4]].concat();
    assert!(decode::<Large>(&four_deep).unwrap().others.is_empty());
    let in_arrays = [[0, 0, 0, 0, 1].repeat(4), vec![0; 5]].concat();
    assert!(decode::<Large>(&in_arrays).unwrap().first.is_none());
}

#[test]
fn a_single_value_may_be_as_large_as_its_type_is() {
    let bytes = bytes_of(&[7_u8; 200_000]);
    assert_eq!(decode::<Box<[u8; 200_000]>>(&bytes).unwrap()[199_999], 7);
    let boxed: Vec<Box<[u8; 200_000]>> = decode(&[&[0, 0, 0, 1], &bytes[..]].concat()).unwrap();
    assert_eq!(boxed.len(), 1);
}

#[test]
fn values_next_to_each_other_do_not_count_as_nested() {
    let tree: Tree = decode(&[&[0, 0, 0, 3, 232][..], &[0; 5000]].concat()).unwrap();
    assert_eq!(tree.others.len(), 1000);
    assert!(tree.first.is_none());
}

#[test]
fn text_that_is_not_valid_is_an_error_and_the_lossy_read_replaces_it() {
    let cases: [(Encoding, &[u8], &str); 12] = [
        (Encoding::Utf16Le, &[b'a', 0, 0x3d, 0xd8], "a\u{fffd}"),
        (Encoding::Utf16Le, &[0x3d, 0xd8, b'a', 0], "\u{fffd}a"),
        (Encoding::Utf16Le, &[0x0a, 0xdc, b'a', 0], "\u{fffd}a"),
        (Encoding::Utf16Le, &[b'a', 0, b'b'], "a\u{fffd}"),
        (Encoding::Utf16Be, &[0xd8, 0x3d, 0, b'a'], "\u{fffd}a"),
        (Encoding::Utf16Be, &[0], "\u{fffd}"),
        (Encoding::Utf8, b"a\xffb", "a\u{fffd}b"),
        (Encoding::Utf8, b"a\xe2\x82", "a\u{fffd}"),
        (Encoding::Utf32Le, &[0, 0, 0x11, 0, b'a', 0, 0, 0], "\u{fffd}a"),
        (Encoding::Utf32Le, &[0, 0xd8, 0, 0], "\u{fffd}"),
        (Encoding::Utf32Le, &[b'a', 0, 0, 0, b'b', 0], "a\u{fffd}"),
        (Encoding::Ascii, b"a\x80b", "a\u{fffd}b"),
    ];
    for (encoding, text, replaced) in cases {
        let bytes = bytes_of(&text.to_vec());
        let error = Reader::new(&bytes).read_string_with(encoding).unwrap_err();
        assert_eq!(
            (error.kind().clone(), error.position()),
            (DecodeErrorKind::InvalidText(encoding), Some(4)),
            "{text:?}"
        );
        assert!(Reader::new(&bytes).read_str_with(encoding).is_err(), "{text:?}");
        assert!(Reader::new(&bytes).with_encoding(encoding).read_chars().is_err(), "{text:?}");
        assert_eq!(Reader::new(&bytes).read_string_lossy_with(encoding).unwrap(), replaced);
    }
}

#[test]
fn a_char_is_exactly_one_unit_that_is_no_surrogate() {
    for encoding in ENCODINGS {
        for text in ["", "ab", "😀"] {
            let mut writer = Writer::new();
            writer.write_string_lossy_with(text, encoding).unwrap();
            let bytes = writer.into_bytes();
            let error = Reader::new(&bytes).with_encoding(encoding).read_char().unwrap_err();
            assert_eq!(*error.kind(), DecodeErrorKind::InvalidChar, "{text} in {encoding}");
        }
    }
    assert_eq!(refusal::<char>(&[0, 0, 0, 2, 0x3d, 0xd8]), (DecodeErrorKind::InvalidChar, Some(4)));
    for no_ascii in [&[0, 0, 0, 1, 0x80][..], "\0\0\0\u{2}é".as_bytes()] {
        let error = Reader::new(no_ascii).with_encoding(Encoding::Ascii).read_char().unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::InvalidChar);
    }
    assert_eq!(Reader::new(b"\0\0\0\x01a").with_encoding(Encoding::Ascii).read_char().unwrap(), 'a');
}

#[test]
fn anything_but_1_is_false() {
    for byte in 0..=u8::MAX {
        assert_eq!(decode::<bool>(&[byte]).unwrap(), byte == 1);
    }
}

#[test]
fn bits_that_pad_an_array_of_bools_are_ignored() {
    assert_eq!(decode::<Vec<bool>>(&[0, 0, 0, 2, 0xff]).unwrap(), [true, true]);
    assert_eq!(decode::<[bool; 2]>(&[0, 0, 0, 2, 0xff]).unwrap(), [true, true]);
}
