//! Values as they are typed: `"Ada" u8 2 f32 0.5 -1 hex 00 ff`.

use std::str::FromStr;

use darkrift_tokio::proto::bytes::Bytes;
use darkrift_tokio::proto::{Encode, EncodeError, Encoding, Writer};

use crate::hex::{self, HexError};

/// Values that cannot be encoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// A string has no end.
    #[error("a string has no closing quote")]
    Unclosed,
    /// A backslash stands before something that it has no meaning for.
    #[error("a string has a backslash before something else than n, r, t, \", \\ or u{{1f600}}")]
    Escape,
    /// Something stands behind a string without a blank.
    #[error("a blank is missing behind a string")]
    Joined,
    /// A value has no type.
    #[error("{0:?} is neither a string in quotes nor a type, and no type stands before it")]
    Untyped(String),
    /// A value is none of its type.
    #[error("{word:?} is no {of}")]
    NotOf {
        /// What was typed.
        word: String,
        /// The type.
        of: &'static str,
    },
    /// A type has no values.
    #[error("no value stands behind {0}")]
    Missing(&'static str),
    /// The bytes are none.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// The connection's encoding has no bytes for a string.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Encodes values one behind another, as DarkRift's writer would.
///
/// # Errors
/// When something is no value.
pub(crate) fn encode(mut text: &str, encoding: Encoding) -> Result<Bytes, ValueError> {
    let mut writer = Writer::new().with_encoding(encoding);
    let mut current: Option<(&'static str, Write)> = None;
    let mut is_used = true;
    loop {
        text = text.trim_start();
        if let Some(quoted) = text.strip_prefix('"') {
            let (string, rest) = string(quoted)?;
            if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
                return Err(ValueError::Joined);
            }
            writer.write_string(&string)?;
            text = rest;
            continue;
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let next = TYPES.iter().find(|(name, _)| *name == word).copied();
        // What a type stands before is known here: another type, or the end.
        match (current, next) {
            (Some((name, _)), Some(_)) if !is_used => return Err(ValueError::Missing(name)),
            (Some((name, _)), _) if !is_used && word.is_empty() => return Err(ValueError::Missing(name)),
            (_, None) if word.is_empty() => return Ok(writer.into_bytes()),
            (_, Some(_)) => (current, is_used) = (next, false),
            (Some((_, write)), None) => {
                write(&mut writer, word)?;
                is_used = true;
            }
            (None, None) => return Err(ValueError::Untyped(word.chars().take(40).collect())),
        }
        text = rest;
    }
}

/// Writes one value.
type Write = fn(&mut Writer, &str) -> Result<(), ValueError>;

const TYPES: [(&str, Write); 12] = [
    ("u8", |writer, word| number::<u8>(writer, word, "u8")),
    ("i8", |writer, word| number::<i8>(writer, word, "i8")),
    ("u16", |writer, word| number::<u16>(writer, word, "u16")),
    ("i16", |writer, word| number::<i16>(writer, word, "i16")),
    ("u32", |writer, word| number::<u32>(writer, word, "u32")),
    ("i32", |writer, word| number::<i32>(writer, word, "i32")),
    ("u64", |writer, word| number::<u64>(writer, word, "u64")),
    ("i64", |writer, word| number::<i64>(writer, word, "i64")),
    ("f32", |writer, word| number::<f32>(writer, word, "f32")),
    ("f64", |writer, word| number::<f64>(writer, word, "f64")),
    ("bool", |writer, word| number::<bool>(writer, word, "bool")),
    ("hex", |writer, word| {
        writer.write_raw(&hex::parse(word)?);
        Ok(())
    }),
];

fn number<T: FromStr + Encode>(writer: &mut Writer, word: &str, of: &'static str) -> Result<(), ValueError> {
    let value: T =
        word.parse().map_err(|_| ValueError::NotOf { word: word.chars().take(40).collect(), of })?;
    Ok(writer.write(&value)?)
}

/// The string behind an opening quote, and what follows its closing one.
fn string(text: &str) -> Result<(String, &str), ValueError> {
    let mut string = String::new();
    let mut rest = text;
    loop {
        let special = rest.find(['"', '\\']).ok_or(ValueError::Unclosed)?;
        string.push_str(&rest[..special]);
        let behind = &rest[special + 1..];
        if rest.as_bytes()[special] == b'"' {
            return Ok((string, behind));
        }
        let (character, behind) = escaped(behind)?;
        string.push(character);
        rest = behind;
    }
}

/// The character that is meant behind a backslash, and what follows.
fn escaped(text: &str) -> Result<(char, &str), ValueError> {
    let mut characters = text.chars();
    let character = match characters.next().ok_or(ValueError::Unclosed)? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '"' => '"',
        '\\' => '\\',
        'u' => {
            let (digits, rest) = characters
                .as_str()
                .strip_prefix('{')
                .and_then(|rest| rest.split_once('}'))
                .ok_or(ValueError::Escape)?;
            let code = u32::from_str_radix(digits, 16).ok();
            return Ok((code.and_then(char::from_u32).ok_or(ValueError::Escape)?, rest));
        }
        _ => return Err(ValueError::Escape),
    };
    Ok((character, characters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Result<Vec<u8>, ValueError> {
        encode(text, Encoding::Utf8).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn values_stand_one_behind_another() {
        assert_eq!(typed(""), Ok(vec![]));
        assert_eq!(typed("\"Hi\""), Ok(b"\0\0\0\x02Hi".to_vec()));
        assert_eq!(typed("hex 00 01 ff"), Ok(vec![0, 1, 255]));
        assert_eq!(typed("hex 0001ff"), Ok(vec![0, 1, 255]));
        assert_eq!(typed("i32 1 -2"), Ok(vec![0, 0, 0, 1, 255, 255, 255, 254]));
        assert_eq!(typed("bool true false u16 258 i8 -1"), Ok(vec![1, 0, 1, 2, 255]));
        assert_eq!(typed("hex be ef f32 1.5 f64 0"), Ok([&[0xbe, 0xef, 0x3f, 0xc0][..], &[0; 10]].concat()));
        assert_eq!(typed("u8 1 \"A\" 2 \"B\""), Ok(b"\x01\0\0\0\x01A\x02\0\0\0\x01B".to_vec()));
    }

    #[test]
    fn a_string_may_have_any_character() {
        assert_eq!(typed(r#""a\"\\\n\r\t\u{e9} b""#), Ok(b"\0\0\0\x0aa\"\\\n\r\t\xc3\xa9 b".to_vec()));
        for (text, error) in [
            ("\"a", ValueError::Unclosed),
            ("\"a\\", ValueError::Unclosed),
            (r#""\x""#, ValueError::Escape),
            (r#""\u{d800}""#, ValueError::Escape),
            (r#""\u{41""#, ValueError::Escape),
            ("\"a\"b", ValueError::Joined),
        ] {
            assert_eq!(typed(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_named() {
        for (text, error) in [
            ("Hello", "\"Hello\" is neither a string in quotes nor a type, and no type stands before it"),
            ("u8 256", "\"256\" is no u8"),
            ("i32 1.5", "\"1.5\" is no i32"),
            ("bool yes", "\"yes\" is no bool"),
            ("u8", "no value stands behind u8"),
            ("u8 i8 1", "no value stands behind u8"),
            (
                "hex 0",
                "\"0\" has an odd number of digits: bytes are two digits each, such as 00 01 ff or 0001ff",
            ),
        ] {
            assert_eq!(typed(text).unwrap_err().to_string(), error);
        }
        assert!(encode("\"é\"", Encoding::Ascii).is_err());
    }
}
