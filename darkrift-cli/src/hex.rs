//! Bytes as hexadecimal digits, as they are typed and as they are shown.

use std::fmt;

/// A text that is no bytes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HexError {
    /// It has something else than digits.
    #[error("{0:?} is not hexadecimal: bytes are two digits each, such as 00 01 ff or 0001ff")]
    NoDigits(String),
    /// A digit is left over.
    #[error("{0:?} has an odd number of digits: bytes are two digits each, such as 00 01 ff or 0001ff")]
    Odd(String),
}

/// Reads bytes, two digits each, with or without what is usual between them: `0001ff`, `00 01 ff`, `00:01:ff`,
/// `00-01-FF`, `0x00, 0x01, 0xff`.
///
/// # Errors
/// When there is anything else.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, HexError> {
    let is_between = |c: char| c.is_whitespace() || ",:-".contains(c);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for run in text.split(is_between).filter(|run| !run.is_empty()) {
        let digits = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X")).unwrap_or(run);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(HexError::NoDigits(run.chars().take(40).collect()));
        }
        if digits.len() % 2 == 1 {
            return Err(HexError::Odd(run.chars().take(40).collect()));
        }
        let value = |digit: u8| char::from(digit).to_digit(16).map_or(0, |value| value as u8);
        bytes.extend(digits.as_bytes().chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])));
    }
    Ok(bytes)
}

/// The most bytes that are shown.
const SHOWN: usize = 64;

/// Bytes as they are shown: two digits each, and of many the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{byte:02x}", if place == 0 { "" } else { " " })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " ... ({more} more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_other_tools_write_them() {
        for text in ["0001ff", "00 01 ff", "00:01:ff", "00-01-FF", "0x00, 0x01, 0xff", " 0x0001ff "] {
            assert_eq!(parse(text), Ok(vec![0, 1, 0xff]), "{text}");
        }
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn what_is_no_bytes_is_refused() {
        assert_eq!(parse("00 0"), Err(HexError::Odd("0".into())));
        assert_eq!(parse("00 zz"), Err(HexError::NoDigits("zz".into())));
        assert_eq!(parse("0x"), Err(HexError::NoDigits("0x".into())));
        assert!(parse("é0").is_err());
    }

    #[test]
    fn of_many_bytes_the_first_are_shown() {
        assert_eq!(Hex(&[]).to_string(), "");
        assert_eq!(Hex(&[0, 1, 255]).to_string(), "00 01 ff");
        let many = Hex(&[7; 1000]).to_string();
        assert!(many.starts_with("07 07 ") && many.ends_with("07 ... (936 more)"), "{many}");
    }
}
