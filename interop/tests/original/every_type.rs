//! The message of every type, as `Common.cs` has it.

use bytes::Bytes;
use darkrift::{Decode, Encode, Message};

/// `EveryType` there, field by field.
#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = 12)]
pub(crate) struct EveryType {
    flag: bool,
    u8: u8,
    i8: i8,
    i16: i16,
    u16: u16,
    i32: i32,
    u32: u32,
    i64: i64,
    u64: u64,
    single: f32,
    double: f64,
    letter: char,
    ascii: String,
    nothing: String,
    others: String,
    #[darkrift(encoding = "utf8")]
    utf8: String,
    bytes: Bytes,
    no_bytes: Vec<u8>,
    flags: Vec<bool>,
    no_flags: Vec<bool>,
    letters: Vec<char>,
    i8s: Vec<i8>,
    i16s: Vec<i16>,
    u16s: Vec<u16>,
    i32s: Vec<i32>,
    u32s: Vec<u32>,
    i64s: Vec<i64>,
    u64s: Vec<u64>,
    singles: Vec<f32>,
    doubles: Vec<f64>,
    texts: Vec<String>,
    nested: Nested,
    many_nested: Vec<Nested>,
    #[darkrift(raw)]
    raw: Bytes,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Nested {
    number: u16,
    name: String,
}

/// `Example()` there.
pub(crate) fn example() -> EveryType {
    EveryType {
        flag: true,
        u8: u8::MAX,
        i8: i8::MIN,
        i16: i16::MIN,
        u16: u16::MAX,
        i32: i32::MIN,
        u32: u32::MAX,
        i64: i64::MIN,
        u64: u64::MAX,
        single: -1.5,
        double: 0.1,
        letter: 'é',
        ascii: "Hello".into(),
        nothing: String::new(),
        others: "naïve 世界 😀".into(),
        utf8: "€ in UTF-8".into(),
        bytes: Bytes::from_static(&[0, 255, 128]),
        no_bytes: Vec::new(),
        flags: vec![true, false, true, true, false, false, true, false, true],
        no_flags: Vec::new(),
        letters: vec!['a', '€'],
        i8s: vec![-1, 127],
        i16s: vec![-1, 258],
        u16s: vec![258, 65_535],
        i32s: vec![-1, i32::MAX],
        u32s: vec![0, u32::MAX],
        i64s: vec![-1, i64::MAX],
        u64s: vec![1, u64::MAX],
        singles: vec![1.5, -0.25],
        doubles: vec![0.1, -1e300],
        texts: vec!["one".into(), String::new(), "😀".into()],
        nested: Nested { number: 7, name: "seven".into() },
        many_nested: vec![
            Nested { number: 8, name: "eight".into() },
            Nested { number: 0, name: String::new() },
        ],
        raw: Bytes::from_static(&[1, 2, 3]),
    }
}
