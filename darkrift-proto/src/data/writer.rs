//! Values to bytes.

use bytes::{Bytes, BytesMut};

use super::error::{EncodeError, EncodeErrorKind};
use super::swap::{BLOCK, swap};
use super::{Encode, Encoding, text};

/// The least room made at once, so that small fields written one by one do not grow the buffer one by one.
const MIN_GROWTH: usize = 64;

/// Writes values one after another (`docs/protocol.md`, Values).
///
/// It owns its buffer. Writes append; after [`set_position`](Self::set_position) they overwrite what is there, and
/// append again once they reach the end.
///
/// ```
/// use darkrift_proto::Writer;
///
/// let mut writer = Writer::new();
/// writer.write_u16(7);
/// writer.write_string("Hi")?;
/// assert_eq!(writer.into_bytes()[..], [0, 7, 0, 0, 0, 4, b'H', 0, b'i', 0]);
/// # Ok::<(), darkrift_proto::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    buffer: BytesMut,
    /// Where in the buffer position 0 is.
    start: usize,
    /// Where in the buffer the next write goes, when that is not the end.
    overwrite: Option<usize>,
    encoding: Encoding,
}

/// Room that [`Writer::reserve`] left, to be filled in once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the room stays zeros until it is filled"]
pub struct Reservation {
    position: usize,
    length: usize,
}

impl Writer {
    /// A writer of an empty buffer, with the default encoding (UTF-16LE). Nothing is allocated before the first
    /// write.
    #[inline]
    pub fn new() -> Self {
        Self::append_to(BytesMut::new(), Encoding::default())
    }

    /// A writer of an empty buffer that has room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::append_to(BytesMut::with_capacity(capacity), Encoding::default())
    }

    /// A writer that appends behind what is in `buffer`. Its position 0 is where it began.
    #[inline]
    pub fn append_to(buffer: BytesMut, encoding: Encoding) -> Self {
        Self { start: buffer.len(), buffer, overwrite: None, encoding }
    }

    /// Begins anew behind what is there: position 0 is here from now on.
    #[inline]
    pub(crate) fn begin(&mut self, encoding: Encoding) {
        self.start = self.buffer.len();
        self.overwrite = None;
        self.encoding = encoding;
    }

    /// Where in its buffer position 0 is.
    #[inline]
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// The buffer that it writes to, with what was there before.
    #[inline]
    pub(crate) const fn buffer(&self) -> &BytesMut {
        &self.buffer
    }

    /// The buffer that it writes to. [`begin`](Self::begin) again before writing more.
    #[inline]
    pub(crate) const fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The same writer with another encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Sets the encoding of the text to come.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// The encoding of text that is written without naming another.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Bytes written, whatever the position.
    pub fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next write goes, in bytes from where this writer began.
    pub fn position(&self) -> usize {
        self.overwrite.unwrap_or(self.buffer.len()) - self.start
    }

    /// Goes to a position that has been written before; writes then overwrite what is there.
    ///
    /// # Errors
    /// When `position` is past [`len`](Self::len).
    pub fn set_position(&mut self, position: usize) -> Result<(), EncodeError> {
        let length = self.len();
        if position > length {
            return Err(EncodeError::new(EncodeErrorKind::PositionPastEnd { position, length }));
        }
        self.overwrite = (position < length).then_some(self.start + position);
        Ok(())
    }

    /// Leaves room for `length` bytes, zeros until [`fill`](Self::fill) writes them.
    pub fn reserve(&mut self, length: usize) -> Reservation {
        let position = self.position();
        let end = self.start + position + length;
        let zeros_from = self.buffer.len().min(end);
        self.buffer[self.start + position..zeros_from].fill(0);
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        self.overwrite = (end < self.buffer.len()).then_some(end);
        Reservation { position, length }
    }

    /// Fills reserved room with a value of exactly its length. The position stays where it is.
    ///
    /// # Errors
    /// When the value has another length, the room is not this writer's, or the value itself cannot be written.
    /// The room is then unchanged.
    pub fn fill<T: Encode + ?Sized>(&mut self, room: Reservation, value: &T) -> Result<(), EncodeError> {
        let (end, overwrite) = (self.buffer.len(), self.overwrite.take());
        // Written behind the end and moved, so that a value too long overwrites nothing.
        let result = value.encode(self).and_then(|()| self.move_into(&room, end));
        self.buffer.truncate(end);
        self.overwrite = overwrite;
        result
    }

    fn move_into(&mut self, room: &Reservation, from: usize) -> Result<(), EncodeError> {
        let found = self.buffer.len() - from;
        if found != room.length {
            return Err(EncodeError::new(EncodeErrorKind::WrongSize { reserved: room.length, found }));
        }
        let to = self.start + room.position;
        if to + room.length > from {
            let length = from - self.start;
            return Err(EncodeError::new(EncodeErrorKind::PositionPastEnd {
                position: room.position,
                length,
            }));
        }
        self.buffer.copy_within(from.., to);
        Ok(())
    }

    /// The bytes written. For a writer that appended, these include what was there before.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        self.buffer.freeze()
    }

    /// The buffer. For a writer that appended, this is the buffer it was given, and what it wrote behind.
    #[inline]
    pub fn into_buffer(self) -> BytesMut {
        self.buffer
    }

    /// Writes a value of any type that can be.
    ///
    /// # Errors
    /// What the value's [`Encode`] refuses.
    #[inline]
    pub fn write<T: Encode + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.encode(self)
    }

    /// Writes bytes as they are, without a length.
    #[inline]
    pub fn write_raw(&mut self, bytes: &[u8]) {
        let room = self.buffer.capacity() - self.buffer.len();
        if (room < bytes.len()) | self.overwrite.is_some() {
            self.write_raw_slowly(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// [`write_raw`](Self::write_raw), of as many bytes as the compiler knows: a number's, or a block of numbers.
    #[inline]
    fn write_array<const N: usize>(&mut self, bytes: [u8; N]) {
        if (self.buffer.capacity() - self.buffer.len() < N) | self.overwrite.is_some() {
            self.write_array_slowly(bytes);
        } else {
            self.buffer.extend_from_slice(&bytes);
        }
    }

    /// [`write_raw_slowly`](Self::write_raw_slowly), of bytes that come by value.
    #[cold]
    fn write_array_slowly<const N: usize>(&mut self, bytes: [u8; N]) {
        self.write_raw_slowly(&bytes);
    }

    #[cold]
    fn write_raw_slowly(&mut self, bytes: &[u8]) {
        let Some(at) = self.overwrite else {
            self.make_room(bytes.len());
            self.buffer.extend_from_slice(bytes);
            return;
        };
        let within = bytes.len().min(self.buffer.len() - at);
        self.buffer[at..at + within].copy_from_slice(&bytes[..within]);
        self.buffer.extend_from_slice(&bytes[within..]);
        self.overwrite = (at + within < self.buffer.len() && within == bytes.len()).then_some(at + within);
    }

    /// Writes `length` bytes that `fill` makes in place of zeros.
    #[inline]
    pub(super) fn write_in_place(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) {
        let from = self.buffer.len();
        self.buffer.resize(from + length, 0);
        fill(&mut self.buffer[from..]);
        if self.overwrite.is_some() {
            let bytes = self.buffer[from..].to_vec();
            self.buffer.truncate(from);
            self.write_raw(&bytes);
        }
    }

    /// Makes room for `additional` bytes to come, so that writing them does not grow the buffer step by step.
    #[inline]
    pub(super) fn make_room(&mut self, additional: usize) {
        if self.buffer.capacity() - self.buffer.len() < additional {
            self.grow(additional.max(MIN_GROWTH));
        }
    }

    #[cold]
    fn grow(&mut self, additional: usize) {
        if self.buffer.capacity() == 0 {
            self.buffer = BytesMut::with_capacity(additional);
        } else {
            self.buffer.reserve(additional);
        }
    }

    /// The count or length that was written at `position`.
    pub(super) fn count_at(&self, position: usize) -> usize {
        let bytes = self.buffer[self.start + position..].first_chunk().copied();
        bytes.map_or(0, u32::from_be_bytes) as usize
    }

    /// Overwrites bytes that have been written at `position`.
    #[inline]
    pub(super) fn patch(&mut self, position: usize, bytes: [u8; 4]) {
        let at = self.start + position;
        self.buffer[at..at + bytes.len()].copy_from_slice(&bytes);
    }

    /// Writes a bool: one byte, 1 or 0.
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.write_u8(u8::from(value));
    }

    /// Writes the count of an array, or the length of text: an `i32`.
    ///
    /// # Errors
    /// When `i32` cannot say it.
    #[inline]
    pub fn write_count(&mut self, count: usize) -> Result<(), EncodeError> {
        let Ok(count) = i32::try_from(count) else { return Err(EncodeError::too_long(count)) };
        self.write_i32(count);
        Ok(())
    }

    /// Writes an array of bytes: their count, then the bytes.
    ///
    /// # Errors
    /// When there are more than `i32` can say.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.make_room(bytes.len().saturating_add(4));
        self.write_count(bytes.len())?;
        self.write_raw(bytes);
        Ok(())
    }

    /// Writes an array of bools: their count, then a bit each, eight a byte, the first in the highest bit.
    ///
    /// # Errors
    /// When there are more than `i32` can say.
    pub fn write_bools(&mut self, values: &[bool]) -> Result<(), EncodeError> {
        self.write_count(values.len())?;
        self.make_room(values.len().div_ceil(8));
        for eight in values.chunks(8) {
            let bits =
                eight.iter().zip((0..8).rev()).fold(0, |bits, (&bit, shift)| bits | u8::from(bit) << shift);
            self.write_u8(bits);
        }
        Ok(())
    }

    /// Writes text: its length in bytes, then the text in this writer's encoding.
    ///
    /// # Errors
    /// When the encoding has no bytes for it, or there are more than `i32` can say.
    pub fn write_string(&mut self, text: &str) -> Result<(), EncodeError> {
        text::encode(self, text, self.encoding)
    }

    /// Writes text in an encoding named for this call.
    ///
    /// # Errors
    /// As [`write_string`](Self::write_string).
    pub fn write_string_with(&mut self, text: &str, encoding: Encoding) -> Result<(), EncodeError> {
        text::encode(self, text, encoding)
    }

    /// Writes text, with a `?` for each UTF-16 unit that the encoding has no bytes for, as .NET does. Only ASCII has
    /// any such.
    ///
    /// # Errors
    /// When there are more bytes than `i32` can say.
    pub fn write_string_lossy(&mut self, text: &str) -> Result<(), EncodeError> {
        self.write_string_lossy_with(text, self.encoding)
    }

    /// [`write_string_lossy`](Self::write_string_lossy) in an encoding named for this call.
    ///
    /// # Errors
    /// As [`write_string_lossy`](Self::write_string_lossy).
    pub fn write_string_lossy_with(&mut self, text: &str, encoding: Encoding) -> Result<(), EncodeError> {
        text::encode_lossy(self, text, encoding)
    }

    /// Writes a char as the format has it: text of one UTF-16 unit.
    ///
    /// # Errors
    /// When it takes two UTF-16 units, which no C# `char` holds (write a string instead), or the encoding has no bytes
    /// for it.
    pub fn write_char(&mut self, value: char) -> Result<(), EncodeError> {
        if value.len_utf16() != 1 {
            return Err(EncodeError::new(EncodeErrorKind::InvalidChar(value)));
        }
        self.write_chars(&[value])
    }

    /// Writes an array of chars: as text.
    ///
    /// # Errors
    /// As [`write_string`](Self::write_string).
    pub fn write_chars(&mut self, values: &[char]) -> Result<(), EncodeError> {
        text::encode_each(self, values.iter().copied(), self.encoding)
    }

    /// Writes an array of numbers: their count, then `N` bytes each.
    #[inline]
    pub(super) fn write_numbers<T: Copy, const N: usize>(
        &mut self,
        values: &[T],
        to_be_bytes: impl Fn(T) -> [u8; N],
        to_le_bytes: impl Fn(T) -> [u8; N],
    ) -> Result<(), EncodeError> {
        self.make_room(size_of_val(values).saturating_add(4));
        self.write_count(values.len())?;
        let blocks = values.chunks_exact(BLOCK / N);
        let rest = blocks.remainder();
        for values in blocks {
            let (mut little, mut big) = ([0; BLOCK], [0; BLOCK]);
            for (bytes, value) in little.chunks_exact_mut(N).zip(values) {
                bytes.copy_from_slice(&to_le_bytes(*value));
            }
            swap::<N>(&little, &mut big);
            self.write_array(big);
        }
        self.write_in_place(size_of_val(rest), |bytes| {
            for (bytes, value) in bytes.chunks_exact_mut(N).zip(rest) {
                bytes.copy_from_slice(&to_be_bytes(*value));
            }
        });
        Ok(())
    }
}

macro_rules! write_numbers {
    ($($type:ty, $write:ident;)*) => {
        impl Writer {
            $(
                #[doc = concat!("Writes an `", stringify!($type), "`, big-endian.")]
                #[inline]
                pub fn $write(&mut self, value: $type) {
                    self.write_array(value.to_be_bytes());
                }
            )*
        }
    };
}

write_numbers! {
    u8, write_u8;
    i8, write_i8;
    u16, write_u16;
    i16, write_i16;
    u32, write_u32;
    i32, write_i32;
    u64, write_u64;
    i64, write_i64;
    f32, write_f32;
    f64, write_f64;
}
