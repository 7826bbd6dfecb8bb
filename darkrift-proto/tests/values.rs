//! What the original and DarkRiftPy wrote, value by value: encoding gives their bytes, and decoding theirs gives the
//! value back.

use std::collections::BTreeMap;
use std::fmt::Debug;

use darkrift_proto::bytes::Bytes;
use darkrift_proto::{Decode, Encode, Encoding, Message, Reader, Writer};
use serde_json::value::RawValue;

/// Rows keep their values as JSON text: two hold lone surrogates, which no Rust string can.
type Row = BTreeMap<String, Box<RawValue>>;

#[test]
fn every_value_of_the_original_is_written_and_read_as_it_does() {
    check_all(include_str!("data/values-darkrift2.json"), 140);
}

#[test]
fn every_value_of_darkriftpy_is_written_and_read_as_it_does() {
    check_all(include_str!("data/values-darkriftpy-0.1.0.json"), 33);
}

fn check_all(json: &str, count: usize) {
    let rows: Vec<Row> = serde_json::from_str(json).unwrap();
    assert_eq!(rows.len(), count);
    for row in rows {
        check(&Case::new(&row));
    }
}

struct Case<'a> {
    kind: String,
    encoding: Encoding,
    value: &'a str,
    bytes: Vec<u8>,
}

impl<'a> Case<'a> {
    fn new(row: &'a Row) -> Self {
        let text = |key: &str| serde_json::from_str::<String>(row[key].get()).unwrap();
        let hex = text("hex");
        Self {
            kind: text("type"),
            encoding: match text("encoding").as_str() {
                "utf-16le" => Encoding::Utf16Le,
                "utf-16be" => Encoding::Utf16Be,
                "utf-32le" => Encoding::Utf32Le,
                "utf-8" => Encoding::Utf8,
                "ascii" => Encoding::Ascii,
                other => panic!("an encoding of another name: {other}"),
            },
            value: row["value"].get(),
            bytes: (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect(),
        }
    }

    fn text(&self) -> String {
        serde_json::from_str(self.value).unwrap()
    }

    /// A number: as such, or as a string where JSON's would lose it.
    fn number<T: std::str::FromStr<Err: Debug>>(&self) -> T {
        self.value.trim_matches('"').parse().unwrap()
    }

    fn numbers<T: std::str::FromStr<Err: Debug>>(&self) -> Vec<T> {
        let values: Vec<Box<RawValue>> = serde_json::from_str(self.value).unwrap();
        values.iter().map(|value| value.get().trim_matches('"').parse().unwrap()).collect()
    }

    fn is<T: Encode + Decode + PartialEq + Debug>(&self, value: T) {
        self.encodes(&value);
        assert_eq!(self.decode::<T>(), value, "{} {}", self.kind, self.value);
    }

    fn encodes<T: Encode + ?Sized>(&self, value: &T) {
        let mut writer = Writer::new().with_encoding(self.encoding);
        writer.write(value).unwrap();
        assert_eq!(writer.into_bytes(), self.bytes, "{} {}", self.kind, self.value);
    }

    fn decode<T: Decode>(&self) -> T {
        let mut reader = Reader::new(&self.bytes).with_encoding(self.encoding);
        let value = reader.read().unwrap_or_else(|error| panic!("{} {}: {error}", self.kind, self.value));
        assert_eq!(reader.remaining(), 0, "{} {}", self.kind, self.value);
        value
    }
}

fn check(case: &Case<'_>) {
    match case.kind.as_str() {
        "u8" => case.is::<u8>(case.number()),
        "i8" => case.is::<i8>(case.number()),
        "u16" => case.is::<u16>(case.number()),
        "i16" => case.is::<i16>(case.number()),
        "u32" => case.is::<u32>(case.number()),
        "i32" => case.is::<i32>(case.number()),
        "u64" => case.is::<u64>(case.number()),
        "i64" => case.is::<i64>(case.number()),
        // C#'s NaN has other bits than Rust's, and NaN equals nothing: what counts is that the bits stay.
        "f32" if case.value == "\"NaN\"" => {
            assert!(case.decode::<f32>().is_nan());
            case.encodes(&case.decode::<f32>());
        }
        "f64" if case.value == "\"NaN\"" => {
            assert!(case.decode::<f64>().is_nan());
            case.encodes(&case.decode::<f64>());
        }
        "f32" => case.is::<f32>(case.number()),
        "f64" => case.is::<f64>(case.number()),
        "bool" => case.is::<bool>(case.number()),
        "char" => case.is(case.text().parse::<char>().unwrap()),
        "string" => {
            case.is(case.text());
            let mut reader = Reader::new(&case.bytes);
            assert_eq!(reader.read_str_with(case.encoding).unwrap(), case.text());
            let mut reader = Reader::new(&case.bytes);
            assert_eq!(reader.read_string_lossy_with(case.encoding).unwrap(), case.text());
        }
        "string-lone-surrogate" => case.is(String::from_utf16_lossy(&json_units(case.value))),
        "[u8]" => case.is::<Vec<u8>>(case.numbers()),
        "[i8]" => case.is::<Vec<i8>>(case.numbers()),
        "[u16]" => case.is::<Vec<u16>>(case.numbers()),
        "[i16]" => case.is::<Vec<i16>>(case.numbers()),
        "[u32]" => case.is::<Vec<u32>>(case.numbers()),
        "[i32]" => case.is::<Vec<i32>>(case.numbers()),
        "[u64]" => case.is::<Vec<u64>>(case.numbers()),
        "[i64]" => case.is::<Vec<i64>>(case.numbers()),
        "[f32]" => case.is::<Vec<f32>>(case.numbers()),
        "[f64]" => case.is::<Vec<f64>>(case.numbers()),
        "[bool]" => case.is::<Vec<bool>>(case.numbers()),
        "[char]" => case.is(case.text().chars().collect::<Vec<_>>()),
        "[string]" => case.is::<Vec<String>>(serde_json::from_str(case.value).unwrap()),
        other => panic!("a value of another type: {other}"),
    }
}

/// The UTF-16 units of a JSON string, surrogates with no partner included.
fn json_units(json: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = json.trim_matches('"');
    while let Some(first) = rest.chars().next() {
        let escape = rest.strip_prefix("\\u");
        units.push(escape.map_or(first as u16, |digits| u16::from_str_radix(&digits[..4], 16).unwrap()));
        rest = escape.map_or(&rest[first.len_utf8()..], |digits| &digits[4..]);
    }
    units
}

#[test]
fn negative_zero_stays_negative() {
    let mut writer = Writer::new();
    writer.write_f64(-0.0);
    assert!(Reader::new(&writer.into_bytes()).read_f64().unwrap().is_sign_negative());
}

#[test]
fn a_value_knows_how_many_bytes_it_will_be_wherever_no_text_is_in_it() {
    fn check<T: Encode + ?Sized>(value: &T) {
        let mut writer = Writer::new();
        value.encode(&mut writer).unwrap();
        assert_eq!(value.encoded_len(), Some(writer.len()), "{}", std::any::type_name::<T>());
    }
    check(&());
    check(&true);
    check(&(1_u8, 2_i8, 3_u16, 4_i16, 5_u32, 6_i32, 7_u64, 8_i64, 9_f32, 10_f64));
    check(&Box::new(1_u16));
    check(&&1_u32);
    check(&[1.0_f32; 3]);
    check(&[0_u8; 5][..]);
    check(&vec![(1_u8, true); 300]);
    check(&[[1_u16; 2]; 3]);
    check(&vec![true; 9]);
    check(&vec![vec![1_i64], vec![], vec![2, 3]]);
    check(&vec![Some(1_u16), None]);
    check(&Bytes::from_static(b"bytes"));
    check(&Vec::<String>::new());
}

#[test]
fn a_value_with_text_in_it_does_not_know_its_length() {
    assert_eq!("text".encoded_len(), None);
    assert_eq!("text".to_string().encoded_len(), None);
    assert_eq!('c'.encoded_len(), None);
    assert_eq!(['c'].encoded_len(), None);
    assert_eq!((1_u8, vec!["text"]).encoded_len(), None);
    assert_eq!(Some("text").encoded_len(), None);
}

#[test]
fn more_values_than_a_count_can_say_have_no_length() {
    // More than `i32::MAX`, and no bytes.
    let many = [(); usize::MAX];
    assert_eq!(many.encoded_len(), None);
    assert!(Message::encode(1, &many).is_err());
}

#[test]
fn values_of_several_types_are_written_by_reference_to_the_trait() {
    let values: [Box<dyn Encode>; 2] = [Box::new(1_u8), Box::new(2_u16)];
    let mut writer = Writer::new();
    values.iter().try_for_each(|value| writer.write(value)).unwrap();
    assert_eq!(writer.into_bytes()[..], [1, 0, 2]);
}
