//! What a payload may mean.

use darkrift_tokio::proto::{Encoding, Reader};

use crate::guess::{Guess, guess};
use crate::hex::Hex;
use crate::text::Quoted;

/// The most values of an array that are shown.
const SHOWN: usize = 16;

/// What a payload may mean: its bytes, and whatever single value or array takes all of them.
pub(crate) fn of(payload: &[u8], encoding: Encoding) -> Vec<String> {
    if payload.is_empty() {
        return Vec::new();
    }
    let mut readings = vec![format!("hex={}", Hex(payload))];
    match guess(payload, encoding) {
        Some(Guess::String { text, encoding, rest }) => {
            readings.push(format!("string={} encoding={encoding}", Quoted(&text)));
            if rest > 0 {
                readings.push(format!("rest={}", Hex(&payload[payload.len() - rest..])));
            }
            // That it fits by chance is not to be expected.
            if text.is_ascii() {
                return readings;
            }
        }
        Some(Guess::Text(text)) => readings.push(format!("text={}", Quoted(&text))),
        None => {}
    }
    readings.extend(number(payload));
    readings.extend(array(payload));
    readings
}

/// The numbers that have as many bytes.
fn number(payload: &[u8]) -> Option<String> {
    let reading = match *payload {
        [byte] => format!("u8={byte} i8={}", byte as i8),
        [a, b] => {
            let value = u16::from_be_bytes([a, b]);
            format!("u16={value} i16={}", value as i16)
        }
        [a, b, c, d] => {
            let value = u32::from_be_bytes([a, b, c, d]);
            format!("u32={value} i32={} f32={:?}", value as i32, f32::from_bits(value))
        }
        _ => {
            let value = u64::from_be_bytes(payload.try_into().ok()?);
            format!("u64={value} i64={} f64={:?}", value as i64, f64::from_bits(value))
        }
    };
    Some(reading)
}

/// The array of four-byte numbers, or of bytes, that it is by its count.
fn array(payload: &[u8]) -> Option<String> {
    let mut reader = Reader::new(payload);
    let count = usize::try_from(reader.read_i32().ok()?).ok()?;
    let values = &payload[reader.position()..];
    if count == 0 {
        return None;
    }
    if values.len() == count {
        return Some(format!("bytes={}", Hex(values)));
    }
    let is_array = count.checked_mul(4) == Some(values.len());
    is_array.then(|| {
        let values = || values.chunks_exact(4).map(|value| [value[0], value[1], value[2], value[3]]);
        let integers: Vec<_> = values().take(SHOWN).map(i32::from_be_bytes).collect();
        let floats: Vec<_> = values().take(SHOWN).map(f32::from_be_bytes).collect();
        let more = count.saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!(" ... ({more} more)") };
        format!("i32[]={integers:?}{more} f32[]={floats:?}{more}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(payload: &[u8]) -> Vec<String> {
        of(payload, Encoding::Utf16Le)
    }

    #[test]
    fn what_has_the_length_of_a_number_may_be_one() {
        assert_eq!(readings(&[]), [""; 0]);
        assert_eq!(readings(&[255]), ["hex=ff", "u8=255 i8=-1"]);
        assert_eq!(readings(&[1, 2]), ["hex=01 02", "u16=258 i16=258"]);
        assert_eq!(
            readings(&[0x3f, 0x80, 0, 0]),
            ["hex=3f 80 00 00", "u32=1065353216 i32=1065353216 f32=1.0"]
        );
        assert_eq!(readings(&[0, 0, 0]), ["hex=00 00 00"]);
        let float = readings(&1.5_f64.to_be_bytes());
        assert!(float[1].ends_with("f64=1.5"), "{float:?}");
    }

    #[test]
    fn what_a_count_fits_may_be_an_array() {
        let array = readings(&[0, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 254]);
        assert!(array[1].starts_with("i32[]=[1, -2] f32[]="), "{array:?}");
        assert!(readings(&[0, 0, 0, 2, 7, 8]).contains(&"bytes=07 08".into()));
        let many = readings(&[&[0, 0, 0, 100][..], &[0; 400]].concat());
        assert!(many[1].contains("0] ... (84 more)"), "{many:?}");
        assert_eq!(readings(&[255, 255, 255, 255, 0]), ["hex=ff ff ff ff 00"]);
    }

    #[test]
    fn a_string_is_read_in_either_encoding() {
        let string = readings(b"\0\0\0\x04H\0i\0");
        assert_eq!(string, ["hex=00 00 00 04 48 00 69 00", "string=\"Hi\" encoding=UTF-16LE"]);
    }
}
