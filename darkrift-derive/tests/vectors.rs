//! Every value that the original and DarkRiftPy were recorded writing, as a field of a derived struct.

use std::fmt::Debug;

use darkrift_derive::{Decode, Encode};
use darkrift_proto::bytes::Bytes;
use darkrift_proto::{Decode, Encode, Reader, Writer};
use serde_json::Value;

const RECORDED: [&str; 2] = [
    include_str!("../../darkrift-proto/tests/data/values-darkrift2.json"),
    include_str!("../../darkrift-proto/tests/data/values-darkriftpy-0.1.0.json"),
];

/// A struct for each encoding, with a byte before the value and one behind it.
macro_rules! fields {
    ($($name:ident: $encoding:literal;)*) => {$(
        #[derive(Debug, Encode, Decode)]
        #[darkrift(encoding = $encoding)]
        struct $name<T> {
            before: u8,
            value: T,
            after: u8,
        }

        impl<T: Encode + Decode + Debug> $name<T> {
            #[track_caller]
            fn check(value: T, recorded: &[u8]) {
                let bytes = [&[0xaa], recorded, &[0x55]].concat();
                let holder = Self { before: 0xaa, value, after: 0x55 };
                let mut writer = Writer::new();
                holder.encode(&mut writer).unwrap();
                assert_eq!(writer.into_bytes(), bytes, "{holder:?}");

                let mut reader = Reader::new(&bytes);
                let read = Self::decode(&mut reader).unwrap();
                assert_eq!(reader.remaining(), 0);
                // As text, in which NaN equals itself and -0 is not 0.
                assert_eq!(format!("{read:?}"), format!("{holder:?}"));
            }
        }
    )*};
}

fields! {
    Utf16Le: "utf16le";
    Utf8: "utf8";
    Utf16Be: "utf16be";
    Utf32Le: "utf32le";
    Ascii: "ascii";
}

/// The value by itself, and in everything that holds a value.
#[track_caller]
fn check<T: Encode + Decode + Debug + Clone>(encoding: &str, value: T, recorded: &[u8]) {
    check_in(encoding, value.clone(), recorded);
    check_in(encoding, Box::new(value.clone()), recorded);
    check_in(encoding, Some(value.clone()), &[&[1], recorded].concat());
    check_in(encoding, None::<T>, &[0]);
    check_in(encoding, (value.clone(), 7_u16, value), &[recorded, &[0, 7], recorded].concat());
}

/// The same for a value whose arrays are a count and the values.
#[track_caller]
fn check_element<T: Encode + Decode + Debug + Clone>(encoding: &str, value: T, recorded: &[u8]) {
    check(encoding, value.clone(), recorded);
    let two = [&[0, 0, 0, 2], recorded, recorded].concat();
    check_in(encoding, vec![value.clone(), value.clone()], &two);
    check_in(encoding, [value.clone(), value], &two);
}

#[track_caller]
fn check_in<T: Encode + Decode + Debug>(encoding: &str, value: T, recorded: &[u8]) {
    match encoding {
        "utf-16le" => Utf16Le::check(value, recorded),
        "utf-8" => Utf8::check(value, recorded),
        "utf-16be" => Utf16Be::check(value, recorded),
        "utf-32le" => Utf32Le::check(value, recorded),
        "ascii" => Ascii::check(value, recorded),
        unknown => panic!("the encoding {unknown}"),
    }
}

/// A number, which JSON may hold as text. The original's NaN has its sign bit set.
fn number<T: std::str::FromStr<Err: Debug>>(value: &Value) -> T {
    match value {
        Value::String(text) => text.replace("NaN", "-NaN").parse().unwrap(),
        number => number.to_string().parse().unwrap(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_string()
}

fn array<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(item).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn check_row(row: &Value) {
    let encoding = row["encoding"].as_str().unwrap();
    let recorded = bytes_of(row["hex"].as_str().unwrap());
    let value = &row["value"];
    macro_rules! numbers {
        ($($name:literal, $array:literal, $type:ty;)*) => {
            match row["type"].as_str().unwrap() {
                $($name => check_element::<$type>(encoding, number(value), &recorded),
                $array => check::<Vec<$type>>(encoding, array(value, number), &recorded),)*
                "bool" => check(encoding, value.as_bool().unwrap(), &recorded),
                "[bool]" => check(encoding, array(value, |bit| bit.as_bool().unwrap()), &recorded),
                "char" => check(encoding, text(value).chars().next().unwrap(), &recorded),
                "[char]" => check(encoding, text(value).chars().collect::<Vec<char>>(), &recorded),
                "string" => check_element(encoding, text(value), &recorded),
                "[string]" => check(encoding, array(value, text), &recorded),
                unknown => panic!("the type {unknown}"),
            }
        };
    }
    numbers! {
        "u8", "[u8]", u8;
        "i8", "[i8]", i8;
        "u16", "[u16]", u16;
        "i16", "[i16]", i16;
        "u32", "[u32]", u32;
        "i32", "[i32]", i32;
        "u64", "[u64]", u64;
        "i64", "[i64]", i64;
        "f32", "[f32]", f32;
        "f64", "[f64]", f64;
    }
    if row["type"] == "[u8]" {
        check(encoding, Bytes::from(array(value, number::<u8>)), &recorded);
    }
}

#[test]
fn a_field_has_the_bytes_that_were_recorded_and_they_give_it_back() {
    let mut rows = 0;
    // Half a surrogate pair is no Rust text, and no JSON that serde reads.
    for line in RECORDED.iter().flat_map(|file| file.lines()).filter(|line| !line.contains("lone-surrogate"))
    {
        if let Some(row) = line.trim().trim_end_matches(',').strip_prefix('{') {
            check_row(&serde_json::from_str(&format!("{{{row}")).unwrap());
            rows += 1;
        }
    }
    assert_eq!(rows, 136 + 33);
}

#[test]
fn an_array_of_fixed_size_of_bools_or_chars_has_the_forms_arrays_form() {
    check_in("utf-16le", [true, false, false, true, false, false, true], &bytes_of("0000000792"));
    check_in("utf-8", ['h', 'é', '€'], &bytes_of("0000000668c3a9e282ac"));
}
