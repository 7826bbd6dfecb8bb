//! DarkRiftPy's user-defined messages: the bytes that DarkRiftPy 0.1.0 gave for a `Message` of every type it has.

use darkrift_derive::{Decode, Encode, Message};
use darkrift_proto::{Decode, DecodeError, Encode, EncodeError, Message as RawMessage, Reader, Writer};

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 21, encoding = "utf8")]
struct Values {
    text: String,
    data: Vec<u8>,
    flag: bool,
    single: f32,
    wide: f64,
    a: i8,
    b: u8,
    c: i16,
    d: u16,
    e: i32,
    f: u32,
    g: i64,
    h: u64,
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 22, encoding = "utf8")]
struct Lists {
    texts: Vec<String>,
    singles: Vec<f32>,
    doubles: Vec<f64>,
    a: Vec<i8>,
    b: Vec<u8>,
    c: Vec<i16>,
    d: Vec<u16>,
    e: Vec<i32>,
    f: Vec<u32>,
    g: Vec<i64>,
    h: Vec<u64>,
}

fn assert_recorded<T: Encode + Decode + PartialEq + std::fmt::Debug>(tag: u16, value: &T, hex: &str) {
    let recorded: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let message = RawMessage::encode(tag, value).unwrap();
    assert_eq!(message.payload()[..], recorded);
    assert_eq!(message.decode_strict::<T>().unwrap(), *value);
}

#[test]
fn a_message_of_every_type_has_its_bytes() {
    let values = Values {
        text: "Hello".into(),
        data: vec![0, 255],
        flag: true,
        single: 1.5,
        wide: -2.25,
        a: -128,
        b: 255,
        c: -2,
        d: 65_535,
        e: -3,
        f: u32::MAX,
        g: -4,
        h: u64::MAX,
    };
    let recorded = "0000000548656c6c6f0000000200ff013fc00000c00200000000000080fffffefffffffffffd\
                    fffffffffffffffffffffffcffffffffffffffff";
    assert_recorded(21, &values, recorded);
}

#[test]
fn a_message_of_every_list_has_its_bytes() {
    let lists = Lists {
        texts: vec!["a".into(), String::new(), "bc".into()],
        singles: vec![1.5, -1.0],
        doubles: vec![2.5],
        a: vec![-1, 127],
        b: vec![0, 255],
        c: vec![-1, 258],
        d: vec![258, 65_535],
        e: vec![i32::MIN, 1],
        f: vec![7],
        g: vec![-1, 5],
        h: vec![1, u64::MAX],
    };
    let recorded = "00000003000000016100000000000000026263000000023fc00000bf800000000000014004000000000000\
                    00000002ff7f0000000200ff00000002ffff0102000000020102ffff0000000280000000000000010000000100000007\
                    00000002ffffffffffffffff0000000000000005000000020000000000000001ffffffffffffffff";
    assert_recorded(22, &lists, recorded);
}

/// DarkRiftPy's `char` is one byte, and not the format's text of one unit.
mod letter {
    use super::{DecodeError, EncodeError, Reader, Writer};

    pub(super) fn encode(letter: &char, writer: &mut Writer) -> Result<(), EncodeError> {
        let byte = u8::try_from(*letter).map_err(|_| EncodeError::custom("no char of one byte"))?;
        writer.write_u8(byte);
        Ok(())
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<char, DecodeError> {
        reader.read_u8().map(char::from)
    }
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Letter {
    #[darkrift(with = letter)]
    letter: char,
    after: u8,
}

#[test]
fn a_char_of_one_byte_is_read_with_functions_of_ones_own() {
    assert_recorded(23, &Letter { letter: 'A', after: 1 }, "4101");
}
