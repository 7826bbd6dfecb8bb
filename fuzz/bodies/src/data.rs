//! Values: readers, writers, text, and what the derive writes.

use std::fmt::Debug;

use bytes::Bytes;
use darkrift_derive::{Decode, Encode, Message, MessageSet};
use darkrift_proto::{Decode, Encode, Message, MessageSet};
use darkrift_proto::{Encoding, Reader, Writer};

use crate::input::Input;

const ENCODINGS: [Encoding; 5] =
    [Encoding::Utf16Le, Encoding::Utf8, Encoding::Utf16Be, Encoding::Utf32Le, Encoding::Ascii];

fn encoding(input: &mut Input<'_>) -> Encoding {
    ENCODINGS[usize::from(input.choice(5))]
}

/// Any reads of any bytes: an error or a value, and never past the end. What was allocated is bounded by what there is.
pub fn reader(data: &[u8]) {
    let mut input = Input::new(data);
    let operations = input.bytes();
    let payload = Bytes::copy_from_slice(input.rest());
    let mut reader = Reader::from_bytes(&payload);
    let mut operations = Input::new(operations);
    while !operations.is_empty() {
        let before = reader.position();
        let failed = read_one(&mut operations, &mut reader);
        assert!(reader.position() <= payload.len());
        assert_eq!(reader.remaining(), payload.len() - reader.position());
        if failed {
            // Where it is then is not said; go back, and on with the next.
            reader.set_position(before).expect("it was there before");
        }
    }
}

fn read_one(operations: &mut Input<'_>, reader: &mut Reader<'_>) -> bool {
    let left = reader.remaining();
    match operations.choice(25) {
        0 => reader.read_u8().is_err(),
        1 => reader.read_i16().is_err(),
        2 => reader.read_u32().is_err(),
        3 => reader.read_i64().is_err(),
        4 => reader.read_f32().is_err(),
        5 => reader.read_f64().is_err(),
        6 => reader.read_bool().is_err(),
        7 => reader.read_bools().map(|bools| assert!(bools.len() <= 8 * left)).is_err(),
        8 => reader.read_string().map(|text| assert!(text.len() <= 3 * left)).is_err(),
        9 => reader.read_str_with(encoding(operations)).is_err(),
        10 => reader.read_string_lossy_with(encoding(operations)).is_err(),
        11 => reader.read_char().is_err(),
        12 => reader.read_chars().is_err(),
        13 => reader.read_bytes().map(|bytes| assert!(bytes.len() <= left)).is_err(),
        14 => reader.read_vec::<u16>().map(|values| assert!(values.len() <= left / 2)).is_err(),
        15 => reader.read_vec::<f64>().is_err(),
        16 => reader.read_vec::<String>().map(|values| assert!(values.len() <= left / 4)).is_err(),
        17 => {
            if let Ok(values) = reader.clone().read_vec::<Vec<()>>() {
                assert!(values.iter().map(Vec::len).sum::<usize>() <= reader.len());
            }
            reader.read_vec::<Vec<bool>>().is_err()
        }
        18 => reader.read::<[u32; 3]>().is_err(),
        19 => reader.read::<(u8, Option<i32>, String)>().is_err(),
        20 => reader.read_raw(usize::from(operations.number())).is_err(),
        21 => reader.set_position(usize::from(operations.number())).is_err(),
        23 => {
            let least = usize::from(operations.byte());
            reader.read_count(least).map(|count| assert!(count * least.max(1) <= left)).is_err()
        }
        22 => reader.check_count(usize::from(operations.byte())).is_err(),
        _ => {
            reader.set_encoding(encoding(operations));
            false
        }
    }
}

/// Any bytes as text in every encoding: what is read strictly is written back to the same bytes, and read loosely to the
/// same text; and UTF-8 and UTF-16 are what the standard library says.
pub fn text(data: &[u8]) {
    let mut payload = (data.len() as u32).to_be_bytes().to_vec();
    payload.extend_from_slice(data);
    for encoding in ENCODINGS {
        let strict = Reader::new(&payload).read_string_with(encoding);
        let lossy =
            Reader::new(&payload).read_string_lossy_with(encoding).expect("a loose read takes any bytes");
        if let Ok(text) = &strict {
            assert_eq!(*text, lossy);
            let mut writer = Writer::new();
            writer.write_string_with(text, encoding).expect("it was read in this encoding");
            assert_eq!(writer.into_bytes(), payload);
        }
        match encoding {
            Encoding::Utf8 => {
                assert_eq!(strict.ok().as_deref(), std::str::from_utf8(data).ok());
                assert_eq!(lossy, String::from_utf8_lossy(data));
            }
            Encoding::Utf16Le => utf_16(data, strict.ok(), u16::from_le_bytes),
            Encoding::Utf16Be => utf_16(data, strict.ok(), u16::from_be_bytes),
            _ => {}
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        for encoding in ENCODINGS {
            let mut writer = Writer::new();
            if writer.write_string_with(text, encoding).is_ok() {
                let bytes = writer.into_bytes();
                let read = Reader::new(&bytes).read_string_with(encoding);
                assert_eq!(read.as_deref(), Ok(text));
            } else {
                assert_eq!(encoding, Encoding::Ascii);
            }
        }
    }
}

fn utf_16(data: &[u8], read: Option<String>, unit: fn([u8; 2]) -> u16) {
    let units: Vec<u16> = data.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    let expected = String::from_utf16(&units).ok().filter(|_| data.len() % 2 == 0);
    assert_eq!(read, expected);
}

#[derive(Clone, Debug, Encode, Decode)]
struct Position {
    x: f32,
    y: f32,
}

#[derive(Clone, Copy, Debug, Encode, Decode)]
#[repr(u8)]
enum Kind {
    Wait = 1,
    Say,
    Go = 200,
}

#[derive(Clone, Debug, Encode, Decode)]
struct Deed {
    kind: Kind,
    says: String,
    to: Position,
}

#[derive(Clone, Debug, Message)]
#[darkrift(tag = 1)]
struct Joined {
    id: u16,
    name: String,
    friends: Vec<String>,
    ready: Option<bool>,
}

#[derive(Clone, Debug, Message)]
#[darkrift(tag = 2)]
struct Acted {
    deeds: Vec<Deed>,
    flags: Vec<bool>,
    data: Vec<u8>,
    box_of: Box<(u64, i8, char)>,
    numbers: [i32; 2],
}

#[derive(Clone, Debug, MessageSet)]
enum Any {
    Joined(Joined),
    Acted(Acted),
}

/// Any payload as derived messages: an error, or a value that is written and read back to the same.
pub fn derived(data: &[u8]) {
    let mut input = Input::new(data);
    let message = Message::new(u16::from(input.choice(4)), input.rest().to_vec());
    let decoded = Any::from_message(&message);
    assert!(decoded.is_err() || Any::TAGS.contains(&message.tag()));
    match decoded {
        Ok(Any::Joined(joined)) => comes_back(&joined),
        Ok(Any::Acted(acted)) => comes_back(&acted),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = message.decode_strict::<Joined>();
    let _ = message.decode_with_rest::<Acted>();
}

fn comes_back<T: Encode + Decode + Debug>(value: &T) {
    let mut writer = Writer::new();
    value.encode(&mut writer).expect("what was read can be written");
    let bytes = writer.into_bytes();
    let mut reader = Reader::from_bytes(&bytes);
    let again = T::decode(&mut reader).expect("what was written can be read");
    assert_eq!(reader.remaining(), 0);
    // Floats may be NaN, which is not equal to itself but looks the same.
    assert_eq!(format!("{again:?}"), format!("{value:?}"));
}

/// Values of every type, made from any bytes: written and read back to the same; and a writer that goes to and fro gives
/// what a vector does.
pub fn values(data: &[u8]) {
    let mut input = Input::new(data);
    let text = String::from_utf8_lossy(input.bytes()).into_owned();
    let bytes = input.bytes().to_vec();
    let number = input.long();
    comes_back(&(number, number as i64, number as u32, number as i16, number as u8, number % 2 == 1));
    comes_back(&(f64::from_bits(number), f32::from_bits(number as u32)));
    comes_back(&(text.clone(), vec![text.clone(), text], bytes.clone()));
    comes_back(&bytes.iter().map(|byte| byte % 2 == 1).collect::<Vec<bool>>());
    comes_back(&bytes.iter().map(|&byte| number.wrapping_mul(byte.into())).collect::<Vec<u64>>());
    comes_back(&bytes.iter().map(|&byte| i16::from(byte)).collect::<Vec<i16>>());
    comes_back(&bytes.iter().map(|&byte| (byte, Some(f32::from(byte)))).collect::<Vec<_>>());
    comes_back(&[Some(number), None]);
    written(&mut input);
}

fn written(input: &mut Input<'_>) {
    let (mut writer, mut vector, mut at) = (Writer::new(), Vec::new(), 0);
    while !input.is_empty() {
        match input.choice(3) {
            0 => {
                let bytes = input.bytes();
                writer.write_raw(bytes);
                let within = bytes.len().min(vector.len() - at);
                vector.splice(at..at + within, bytes.iter().copied());
                at += bytes.len();
            }
            1 => {
                let position = usize::from(input.byte());
                assert_eq!(writer.set_position(position).is_ok(), position <= vector.len());
                at = if position <= vector.len() { position } else { at };
            }
            _ => {
                let room = writer.reserve(4);
                let number = input.number();
                let end = at + 4;
                vector.resize(vector.len().max(end), 0);
                vector[at..end].copy_from_slice(&u32::from(number).to_be_bytes());
                at = end;
                writer.fill(room, &u32::from(number)).expect("the room is of this length");
            }
        }
        assert_eq!((writer.position(), writer.len()), (at, vector.len()));
    }
    assert_eq!(writer.into_bytes(), vector);
}
