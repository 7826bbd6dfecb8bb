//! Text between `str` and its bytes on the wire. All of it that is ASCII, as most text of games is, goes in loops that
//! the compiler turns into vector instructions; the rest goes character by character.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use super::error::{EncodeError, EncodeErrorKind};
use super::swap::array;
use super::{Encoding, Writer};

/// Writes the length of the text in bytes, then the text.
#[inline]
pub(super) fn encode(writer: &mut Writer, text: &str, encoding: Encoding) -> Result<(), EncodeError> {
    match encoding {
        Encoding::Utf16Le => encode_wide(writer, text, u16::to_le_bytes),
        Encoding::Utf16Be => encode_wide(writer, text, u16::to_be_bytes),
        Encoding::Utf8 => writer.write_bytes(text.as_bytes()),
        Encoding::Ascii if text.is_ascii() => writer.write_bytes(text.as_bytes()),
        Encoding::Ascii | Encoding::Utf32Le => encode_each(writer, text.chars(), encoding),
    }
}

/// [`encode`], with `?` for each UTF-16 unit that the encoding has no bytes for.
pub(super) fn encode_lossy(writer: &mut Writer, text: &str, encoding: Encoding) -> Result<(), EncodeError> {
    if encoding != Encoding::Ascii || text.is_ascii() {
        return encode(writer, text, encoding);
    }
    with_length(writer, |writer| {
        for character in text.chars() {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => writer.write_u8(byte),
                _ => writer.write_raw(&b"??"[..character.len_utf16()]),
            }
        }
        Ok(())
    })
}

/// [`encode`], of characters that are not in one `str`.
pub(super) fn encode_each(
    writer: &mut Writer,
    text: impl Iterator<Item = char>,
    encoding: Encoding,
) -> Result<(), EncodeError> {
    with_length(writer, |writer| {
        for character in text {
            match encoding {
                Encoding::Utf16Le => write_wide(writer, character, u16::to_le_bytes),
                Encoding::Utf16Be => write_wide(writer, character, u16::to_be_bytes),
                Encoding::Utf8 => writer.write_raw(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Encoding::Utf32Le => writer.write_raw(&u32::from(character).to_le_bytes()),
                Encoding::Ascii => match u8::try_from(character) {
                    Ok(byte) if byte.is_ascii() => writer.write_u8(byte),
                    _ => return Err(EncodeError::new(EncodeErrorKind::Unencodable { encoding, character })),
                },
            }
        }
        Ok(())
    })
}

fn write_wide(writer: &mut Writer, character: char, to_bytes: impl Fn(u16) -> [u8; 2]) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        writer.write_raw(&to_bytes(*unit));
    }
}

/// UTF-16 of either byte order.
fn encode_wide(
    writer: &mut Writer,
    text: &str,
    to_bytes: impl Fn(u16) -> [u8; 2],
) -> Result<(), EncodeError> {
    // No character takes more bytes in UTF-16 than twice what it takes in UTF-8.
    let most = text.len().saturating_mul(2);
    writer.make_room(most.saturating_add(4));
    if text.is_ascii() {
        writer.write_count(most)?;
        writer.write_in_place(most, |wide| {
            for (pair, &byte) in wide.chunks_exact_mut(2).zip(text.as_bytes()) {
                pair.copy_from_slice(&to_bytes(byte.into()));
            }
        });
        return Ok(());
    }
    with_length(writer, |writer| {
        for unit in text.encode_utf16() {
            writer.write_raw(&to_bytes(unit));
        }
        Ok(())
    })
}

/// Writes room for the length, then what `write` writes, then the length of that into the room.
fn with_length(
    writer: &mut Writer,
    write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let room = writer.position();
    writer.write_i32(0);
    let start = writer.position();
    write(writer)?;
    let length = writer.position() - start;
    let length = i32::try_from(length).map_err(|_| EncodeError::too_long(length))?;
    writer.patch(room, length.to_be_bytes());
    Ok(())
}

/// The text of these bytes; `None` where they are not valid.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf16Le => decode_wide(bytes, u16::from_le_bytes, None),
        Encoding::Utf16Be => decode_wide(bytes, u16::from_be_bytes, None),
        Encoding::Utf32Le => decode_words(bytes, None),
        Encoding::Utf8 | Encoding::Ascii => decode_in_place(bytes, encoding)?.map(String::from),
    }
}

/// The text of these bytes where they are what a `str` is made of, in UTF-8 and ASCII: `None` in other encodings, and
/// `Some(None)` where they are not valid.
#[inline]
pub(super) fn decode_in_place(bytes: &[u8], encoding: Encoding) -> Option<Option<&str>> {
    match encoding {
        Encoding::Utf8 => Some(str::from_utf8(bytes).ok()),
        Encoding::Ascii => Some(str::from_utf8(bytes).ok().filter(|text| text.is_ascii())),
        Encoding::Utf16Le | Encoding::Utf16Be | Encoding::Utf32Le => None,
    }
}

/// [`decode`], with U+FFFD for whatever is not valid.
pub(super) fn decode_lossy(bytes: &[u8], encoding: Encoding) -> Cow<'_, str> {
    const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
    let text = match encoding {
        Encoding::Utf8 => return String::from_utf8_lossy(bytes),
        Encoding::Utf16Le => decode_wide(bytes, u16::from_le_bytes, Some(REPLACEMENT)),
        Encoding::Utf16Be => decode_wide(bytes, u16::from_be_bytes, Some(REPLACEMENT)),
        Encoding::Utf32Le => decode_words(bytes, Some(REPLACEMENT)),
        Encoding::Ascii => {
            Some(bytes.iter().map(|&byte| if byte.is_ascii() { byte.into() } else { REPLACEMENT }).collect())
        }
    };
    Cow::Owned(text.unwrap_or_default())
}

/// The character of these bytes, where they are one and one UTF-16 unit is enough for it.
pub(super) fn decode_char(bytes: &[u8], encoding: Encoding) -> Option<char> {
    let character = match encoding {
        Encoding::Utf16Le => char::from_u32(u16::from_le_bytes(bytes.try_into().ok()?).into()),
        Encoding::Utf16Be => char::from_u32(u16::from_be_bytes(bytes.try_into().ok()?).into()),
        Encoding::Utf32Le => char::from_u32(u32::from_le_bytes(bytes.try_into().ok()?)),
        Encoding::Ascii if !bytes.is_ascii() => None,
        Encoding::Utf8 | Encoding::Ascii => {
            let mut characters = str::from_utf8(bytes).ok()?.chars();
            characters.next().filter(|_| characters.next().is_none())
        }
    };
    character.filter(|character| character.len_utf16() == 1)
}

/// UTF-16 of either byte order, with `replacement` for a lone surrogate and for an odd byte at the end; `None` where
/// there is no replacement.
fn decode_wide(
    bytes: &[u8],
    from_bytes: impl Fn([u8; 2]) -> u16 + Copy,
    replacement: Option<char>,
) -> Option<String> {
    decode_narrow(bytes, from_bytes).or_else(|| decode_units(bytes, from_bytes, replacement))
}

/// [`decode_wide`], unit by unit.
pub(super) fn decode_units(
    bytes: &[u8],
    from_bytes: impl Fn([u8; 2]) -> u16 + Copy,
    replacement: Option<char>,
) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| from_bytes(array(pair)));
    let mut text = String::with_capacity(units.len());
    for character in char::decode_utf16(units) {
        text.push(character.ok().or(replacement)?);
    }
    if odd {
        text.push(replacement?);
    }
    Some(text)
}

/// UTF-16 that is ASCII; `None` where it is not.
#[inline(always)]
pub(super) fn decode_narrow(bytes: &[u8], from_bytes: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    // Taken for ASCII first and looked at behind, in one pass without a branch.
    #[allow(
        clippy::slow_vector_initialization,
        reason = "zeroed allocation is the slower one for so few bytes"
    )]
    let mut ascii = {
        let mut ascii = Vec::with_capacity(pairs.len());
        ascii.resize(pairs.len(), 0);
        ascii
    };
    let mut all = 0;
    for (byte, pair) in ascii.iter_mut().zip(pairs) {
        let unit = from_bytes(array(pair));
        *byte = unit as u8;
        all |= unit;
    }
    if all >= 0x80 {
        return None;
    }
    String::from_utf8(ascii).ok()
}

/// UTF-32LE, with `replacement` for what is no character and for bytes too few for one at the end.
fn decode_words(bytes: &[u8], replacement: Option<char>) -> Option<String> {
    let mut text = String::with_capacity(bytes.len() / 4);
    for word in bytes.chunks(4) {
        let word = word.try_into().ok().map(u32::from_le_bytes);
        text.push(word.and_then(char::from_u32).or(replacement)?);
    }
    Some(text)
}
