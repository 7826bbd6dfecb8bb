//! The encodings of text, by the names that the derives have for them.

use std::str::FromStr;

use darkrift_tokio::proto::Encoding;

const NAMES: [(&str, Encoding); 5] = [
    ("utf16le", Encoding::Utf16Le),
    ("utf8", Encoding::Utf8),
    ("utf16be", Encoding::Utf16Be),
    ("utf32le", Encoding::Utf32Le),
    ("ascii", Encoding::Ascii),
];

/// An encoding from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EncodingName(pub(crate) Encoding);

/// A text that names no encoding.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an encoding: there are utf16le (DarkRift's), utf8 (DarkRiftPy's), utf16be, utf32le and ascii")]
pub(crate) struct EncodingError;

impl FromStr for EncodingName {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let found = NAMES.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, encoding)| Self(encoding)).ok_or(EncodingError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_has_a_name() {
        assert_eq!("utf16le".parse(), Ok(EncodingName(Encoding::default())));
        assert_eq!("utf8".parse(), Ok(EncodingName(Encoding::Utf8)));
        assert_eq!("UTF-8".parse::<EncodingName>(), Err(EncodingError));
    }
}
