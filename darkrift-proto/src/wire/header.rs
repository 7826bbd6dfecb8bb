//! The message header: flags, tag, and the ping code where there is one (`docs/protocol.md`, Message).

use bytes::BytesMut;

use crate::count::Count;
use crate::message::MessageKind;

const COMMAND: u8 = 0x80;
const PING: u8 = 0x40;
const ACKNOWLEDGEMENT: u8 = 0x20;

/// Flags and tag.
pub(crate) const ORDINARY_BYTES: usize = 3;
/// Flags, tag and ping code.
const LONG_BYTES: usize = 5;

/// What stands before a message's payload: 3 bytes, or 5 with a ping code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    kind: HeaderKind,
    tag: u16,
}

/// The tag of a message that is the game's and no ping; `None` for any other.
#[inline]
pub(crate) const fn ordinary_tag(message: &[u8]) -> Option<u16> {
    match message {
        &[flags, high, low, ..] if flags & (COMMAND | PING) == 0 => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the command bit is set or it is not")]
pub enum HeaderKind {
    /// The game's.
    User(MessageKind),
    /// The library's own; the tag is the command's code.
    Command,
}

impl Header {
    /// The header of a game's message.
    pub const fn user(tag: u16, kind: MessageKind) -> Self {
        Self { kind: HeaderKind::User(kind), tag }
    }

    /// The header of the command with this code.
    pub const fn command(code: u16) -> Self {
        Self { kind: HeaderKind::Command, tag: code }
    }

    /// Whose message it is.
    pub const fn kind(self) -> HeaderKind {
        self.kind
    }

    /// The user's tag, or the command's code.
    pub const fn tag(self) -> u16 {
        self.tag
    }

    /// How many bytes it takes: 3 or 5.
    pub const fn encoded_len(self) -> usize {
        match self.kind {
            HeaderKind::User(MessageKind::Ordinary) | HeaderKind::Command => ORDINARY_BYTES,
            HeaderKind::User(_) => LONG_BYTES,
        }
    }

    /// Appends the header to `buffer`.
    #[inline]
    pub fn write(self, buffer: &mut BytesMut) {
        let (flags, code) = match self.kind {
            HeaderKind::Command => (COMMAND, 0),
            HeaderKind::User(MessageKind::Ordinary) => (0, 0),
            HeaderKind::User(MessageKind::Ping(code)) => (PING, code),
            HeaderKind::User(MessageKind::Acknowledgement(code)) => (PING | ACKNOWLEDGEMENT, code),
        };
        let [tag_high, tag_low] = self.tag.to_be_bytes();
        // Two appends of a constant length are faster than one of either length.
        if flags & PING == 0 {
            buffer.extend_from_slice(&[flags, tag_high, tag_low]);
        } else {
            let [code_high, code_low] = code.to_be_bytes();
            buffer.extend_from_slice(&[flags, tag_high, tag_low, code_high, code_low]);
        }
    }

    /// Reads the header at the front of `message`, and says how many bytes it took; the rest is the payload.
    ///
    /// Bits without a meaning are ignored, 0x20 without 0x40 among them. The ping code of a command, which no peer
    /// sends, is passed over.
    ///
    /// # Errors
    /// When `message` is shorter than its header.
    #[inline]
    pub fn read(message: &[u8]) -> Result<(Self, usize), HeaderError> {
        let &[flags, tag_high, tag_low, ref rest @ ..] = message else {
            return Err(HeaderError { length: message.len(), needed: ORDINARY_BYTES });
        };
        let tag = u16::from_be_bytes([tag_high, tag_low]);
        if flags & (COMMAND | PING) == 0 {
            return Ok((Self::user(tag, MessageKind::Ordinary), ORDINARY_BYTES));
        }
        if flags & PING == 0 {
            return Ok((Self::command(tag), ORDINARY_BYTES));
        }
        let &[code_high, code_low, ..] = rest else {
            return Err(HeaderError { length: message.len(), needed: LONG_BYTES });
        };
        let code = u16::from_be_bytes([code_high, code_low]);
        let header = if flags & COMMAND != 0 {
            Self::command(tag)
        } else if flags & ACKNOWLEDGEMENT != 0 {
            Self::user(tag, MessageKind::Acknowledgement(code))
        } else {
            Self::user(tag, MessageKind::Ping(code))
        };
        Ok((header, LONG_BYTES))
    }
}

/// A message shorter than its own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {}, shorter than its header of {needed}", Count::bytes(*length))]
#[non_exhaustive]
pub struct HeaderError {
    /// The message's length, in bytes.
    pub length: usize,
    /// What its header takes, in bytes: 3 or 5.
    pub needed: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Header, &[u8]); 4] = [
        (Header::user(5, MessageKind::Ordinary), &[0x00, 0, 5]),
        (Header::user(0x7fff, MessageKind::Ping(0xabcd)), &[0x40, 0x7f, 0xff, 0xab, 0xcd]),
        (Header::user(9, MessageKind::Acknowledgement(0)), &[0x60, 0, 9, 0, 0]),
        (Header::command(0), &[0x80, 0, 0]),
    ];

    #[test]
    fn each_kind_writes_its_bytes_and_reads_them_back() {
        for (header, bytes) in ALL {
            let mut buffer = BytesMut::new();
            header.write(&mut buffer);
            assert_eq!(&buffer[..], bytes);
            assert_eq!(header.encoded_len(), bytes.len());
            buffer.extend_from_slice(b"payload");
            assert_eq!(Header::read(&buffer), Ok((header, bytes.len())));
        }
    }

    #[test]
    fn a_message_cut_anywhere_within_its_header_is_too_short() {
        for (_, bytes) in ALL {
            for length in 0..bytes.len() {
                let error = Header::read(&bytes[..length]).unwrap_err();
                assert_eq!(error.length, length);
                assert_eq!(error.needed, if length < ORDINARY_BYTES { ORDINARY_BYTES } else { LONG_BYTES });
            }
        }
    }

    #[test]
    fn bits_without_a_meaning_are_ignored() {
        assert_eq!(Header::read(&[0x3f, 0, 5]), Ok((Header::user(5, MessageKind::Ordinary), 3)));
        assert_eq!(Header::read(&[0x9f, 0, 1]), Ok((Header::command(1), 3)));
        assert_eq!(Header::read(&[0x5f, 0, 5, 0, 1]), Ok((Header::user(5, MessageKind::Ping(1)), 5)));
    }

    #[test]
    fn a_command_with_a_ping_code_is_a_command_all_the_same() {
        assert_eq!(Header::read(&[0xc0, 0, 1, 0, 7, 3]), Ok((Header::command(1), 5)));
        assert!(Header::read(&[0xe0, 0, 1, 0]).is_err());
    }
}
