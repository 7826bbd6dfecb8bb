//! The encodings that text can have on the wire.

use core::fmt;

/// How text is encoded. It is a property of the reader and of the writer and never on the wire, so both sides
/// must agree on it (`docs/protocol.md`, Values).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-16, little-endian: what DarkRift's readers and writers use unless told otherwise.
    #[default]
    Utf16Le,
    /// UTF-8: what DarkRiftPy uses.
    Utf8,
    /// UTF-16, big-endian.
    Utf16Be,
    /// UTF-32, little-endian.
    Utf32Le,
    /// ASCII: one byte a character, none above 127.
    Ascii,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf16Le => "UTF-16LE",
            Self::Utf8 => "UTF-8",
            Self::Utf16Be => "UTF-16BE",
            Self::Utf32Le => "UTF-32LE",
            Self::Ascii => "ASCII",
        })
    }
}
