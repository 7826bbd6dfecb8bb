//! Bytes to values.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind};
use super::swap::{BLOCK, array, swap};
use super::{Decode, Encoding, text};

/// Reads values one after another (`docs/protocol.md`, Values).
///
/// Every length and count is checked against the bytes that are left before anything is allocated for it. After an
/// error the position is unspecified.
///
/// ```
/// use darkrift_proto::Reader;
///
/// let mut reader = Reader::new(&[0, 7, 0, 0, 0, 4, b'H', 0, b'i', 0]);
/// assert_eq!(reader.read_u16()?, 7);
/// assert_eq!(reader.read_string()?, "Hi");
/// assert_eq!(reader.remaining(), 0);
/// # Ok::<(), darkrift_proto::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
    /// What `bytes` are a view of, for slices that share it.
    owner: Option<&'a Bytes>,
    encoding: Encoding,
    depth: u8,
    /// The memory of the values that hold the one that is being read.
    outer_bytes: usize,
    /// How many elements of arrays took no bytes so far.
    empty_elements: usize,
}

impl<'a> Reader<'a> {
    /// How deep arrays and boxes may hold each other: a type that contains itself could otherwise be nested as deep
    /// as a message is long, and overflow the stack.
    pub const MAX_DEPTH: u8 = 128;

    /// How much memory the values around an array or a box may take before nothing is read into it any more. Each lies on
    /// the stack until what it holds is read, more than once as a rule, so large types may not be nested as deep as small
    /// ones. A large array that holds further arrays is better a [`Vec`] than a box.
    pub const MAX_NESTED_BYTES: usize = 64 << 10;

    /// A reader of these bytes, with the default encoding (UTF-16LE).
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            rest: bytes,
            owner: None,
            encoding: Encoding::Utf16Le,
            depth: 0,
            outer_bytes: 0,
            empty_elements: 0,
        }
    }

    /// A reader of these bytes that reads [`Bytes`] without copying: they share the buffer.
    #[inline]
    pub fn from_bytes(bytes: &'a Bytes) -> Self {
        Self { owner: Some(bytes), ..Self::new(bytes) }
    }

    /// The same reader with another encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Sets the encoding of the text to come.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// The encoding of text that is read without naming another.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Bytes in all, whatever the position.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes at all. Whether any are left is [`remaining`](Self::remaining)'s to say.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Where the next read begins, in bytes from the first.
    #[inline]
    pub fn position(&self) -> usize {
        self.bytes.len() - self.rest.len()
    }

    /// Goes to a position.
    ///
    /// # Errors
    /// When `position` is past [`len`](Self::len).
    pub fn set_position(&mut self, position: usize) -> Result<(), DecodeError> {
        let length = self.bytes.len();
        let kind = DecodeErrorKind::PositionPastEnd { length };
        self.rest = self.bytes.get(position..).ok_or_else(|| DecodeError::new(kind).at(position))?;
        Ok(())
    }

    /// Reads a value of any type that can be.
    ///
    /// # Errors
    /// What the type's [`Decode`] refuses.
    #[inline]
    pub fn read<T: Decode>(&mut self) -> Result<T, DecodeError> {
        T::decode(self)
    }

    /// Reads an array of values.
    ///
    /// # Errors
    /// As [`Decode::decode_vec`].
    #[inline]
    pub fn read_vec<T: Decode>(&mut self) -> Result<Vec<T>, DecodeError> {
        T::decode_vec(self)
    }

    /// Reads an array: a count, then that many values, by `read`, of at least `min_bytes` bytes each. Where that is 0, no
    /// more values that take no bytes are read in all, from all arrays of the payload, than it has bytes: arrays within
    /// each other could otherwise hold as many as the square of them.
    ///
    /// # Errors
    /// As [`read_count`](Self::read_count) and [`nested`](Self::nested), when there are too many values without bytes, and
    /// whatever `read` refuses.
    pub fn read_vec_with<T>(
        &mut self,
        min_bytes: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.read_count(min_bytes)?;
        self.nested_in(size_of::<T>(), |reader| {
            // A value may take more memory than bytes: no more room at first than there are bytes, and the rest as
            // the values turn up.
            let room = count.min(reader.remaining() / size_of::<T>().max(1));
            let mut values = Vec::with_capacity(room);
            for _ in 0..count {
                let left = reader.remaining();
                values.push(read(reader)?);
                if min_bytes == 0 && reader.remaining() >= left {
                    reader.count_empty_element()?;
                }
            }
            Ok(values)
        })
    }

    /// Reads an array of a fixed size: a count, which has to be `N`, then the values by `read`.
    ///
    /// # Errors
    /// When the bytes end or the count is not `N`, and whatever `read` refuses.
    #[inline]
    pub fn read_array_with<T, const N: usize>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<[T; N], DecodeError> {
        self.read_exact_count(N)?;
        let mut error = None;
        let values = core::array::from_fn(|_| {
            if error.is_some() {
                return None;
            }
            read(self).map_err(|failed| error = Some(failed)).ok()
        });
        match error {
            Some(error) => Err(error),
            None => Ok(values.map(|value| value.expect("a value of each read, for none failed"))),
        }
    }

    /// Reads one level deeper, which [`Vec`] and [`Box`](alloc::boxed::Box) do by themselves: for a type that
    /// contains itself in another way.
    ///
    /// # Errors
    /// When that is more than [`MAX_DEPTH`](Self::MAX_DEPTH), or what is around it takes more memory than
    /// [`MAX_NESTED_BYTES`](Self::MAX_NESTED_BYTES), and whatever `read` refuses.
    #[inline]
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.nested_in(size_of::<T>(), read)
    }

    /// Reads one level deeper, in a value that takes `bytes` of memory.
    #[inline]
    fn nested_in<T>(
        &mut self,
        bytes: usize,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        // Looked at before this one is added, so that a single value may be as large as its type is.
        if self.depth == Self::MAX_DEPTH || self.outer_bytes > Self::MAX_NESTED_BYTES {
            return Err(self.nested_too_deep());
        }
        self.depth += 1;
        self.outer_bytes += bytes;
        let result = read(self);
        self.depth -= 1;
        self.outer_bytes -= bytes;
        result
    }

    #[cold]
    fn nested_too_deep(&self) -> DecodeError {
        let error = if self.depth == Self::MAX_DEPTH {
            DecodeError::new(DecodeErrorKind::NestedTooDeep { limit: Self::MAX_DEPTH.into() })
        } else {
            DecodeError::new(DecodeErrorKind::NestedTooLarge { limit: Self::MAX_NESTED_BYTES })
        };
        error.at(self.position())
    }

    /// An element of an array took no bytes: nothing else bounds how many there are.
    #[inline]
    fn count_empty_element(&mut self) -> Result<(), DecodeError> {
        self.empty_elements += 1;
        let limit = self.bytes.len();
        if self.empty_elements > limit {
            return Err(DecodeError::new(DecodeErrorKind::TooManyEmpty { limit }).at(self.position()));
        }
        Ok(())
    }

    /// Reads the count of an array whose values take at least `min_bytes` bytes each. The bytes left bound the count;
    /// values that may take no bytes at all are bounded as if they took one, since nothing else would.
    ///
    /// # Errors
    /// When the bytes end, or the count is negative or more than the bytes left can hold.
    #[inline]
    pub fn read_count(&mut self, min_bytes: usize) -> Result<usize, DecodeError> {
        let count = self.read_length()?;
        let needed = count.saturating_mul(min_bytes.max(1));
        if needed > self.rest.len() {
            return Err(self.unexpected_end(needed));
        }
        Ok(count)
    }

    /// Refuses a count or a length of more than `limit`, before anything is read for it: looks at the `i32` at this
    /// position, and stays there.
    ///
    /// # Errors
    /// When the bytes end, or the count is negative or more than `limit`.
    pub fn check_count(&self, limit: usize) -> Result<(), DecodeError> {
        let found = self.clone().read_length()?;
        if found > limit {
            Err(DecodeError::limit_exceeded(limit, found).at(self.position()))
        } else {
            Ok(())
        }
    }

    #[inline]
    fn read_length(&mut self) -> Result<usize, DecodeError> {
        let length = self.read_i32()?;
        usize::try_from(length).map_err(|_| {
            DecodeError::new(DecodeErrorKind::NegativeLength(length)).at(self.position() - size_of::<i32>())
        })
    }

    /// Reads `count` bytes as they are, in place.
    ///
    /// # Errors
    /// When fewer are left.
    #[inline]
    pub fn read_raw(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.unexpected_end(count));
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads `count` bytes as they are, as [`Bytes`] that share the buffer of
    /// [`from_bytes`](Self::from_bytes); of a plain slice, a copy.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn read_raw_bytes(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        let start = self.position();
        let bytes = self.read_raw(count)?;
        Ok(self
            .owner
            .map_or_else(|| Bytes::copy_from_slice(bytes), |owner| owner.slice(start..start + count)))
    }

    /// Reads all that is left, as [`read_raw_bytes`](Self::read_raw_bytes).
    pub fn read_rest(&mut self) -> Bytes {
        let start = self.position();
        let rest = core::mem::take(&mut self.rest);
        self.owner.map_or_else(|| Bytes::copy_from_slice(rest), |owner| owner.slice(start..))
    }

    /// Reads an array of bytes: their count, then the bytes, in place.
    ///
    /// # Errors
    /// When the count is negative or more than the bytes left.
    #[inline]
    pub fn read_slice(&mut self) -> Result<&'a [u8], DecodeError> {
        let count = self.read_length()?;
        self.read_raw(count)
    }

    /// Reads an array of bytes: their count, then the bytes, as [`read_raw_bytes`](Self::read_raw_bytes).
    ///
    /// # Errors
    /// As [`read_slice`](Self::read_slice).
    pub fn read_bytes(&mut self) -> Result<Bytes, DecodeError> {
        let count = self.read_length()?;
        self.read_raw_bytes(count)
    }

    /// Reads a bool: one byte, true when it is 1 and false when it is anything else, as the original reads it.
    ///
    /// # Errors
    /// When no byte is left.
    #[inline]
    pub fn read_bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.read_u8()? == 1)
    }

    /// Reads an array of bools: their count, then a bit each, eight a byte, the first in the highest bit. The bits
    /// that pad the last byte are ignored.
    ///
    /// # Errors
    /// When the bytes end, or the count is negative.
    pub fn read_bools(&mut self) -> Result<Vec<bool>, DecodeError> {
        let count = self.read_length()?;
        let bits = self.read_raw(count.div_ceil(8))?;
        let mut values = Vec::with_capacity(bits.len() * 8);
        for byte in bits {
            values.extend_from_slice(&core::array::from_fn::<_, 8, _>(|bit| byte & (0x80 >> bit) != 0));
        }
        values.truncate(count);
        Ok(values)
    }

    /// Reads text: its length in bytes, then the text in this reader's encoding.
    ///
    /// # Errors
    /// When the bytes end, the length is negative, or the text is not valid in the encoding.
    #[inline]
    pub fn read_string(&mut self) -> Result<String, DecodeError> {
        self.read_string_with(self.encoding)
    }

    /// Reads text in an encoding named for this call.
    ///
    /// # Errors
    /// As [`read_string`](Self::read_string).
    #[inline]
    pub fn read_string_with(&mut self, encoding: Encoding) -> Result<String, DecodeError> {
        let bytes = self.read_slice()?;
        // The most common text, here and not behind a call: what a call gives is moved once more.
        if encoding == Encoding::Utf16Le {
            if let Some(text) = text::decode_narrow(bytes, u16::from_le_bytes) {
                return Ok(text);
            }
        }
        self.decode_text(bytes, encoding)
    }

    /// The text of bytes that were just read, and are not ASCII in UTF-16LE.
    #[cold]
    fn decode_text(&self, bytes: &[u8], encoding: Encoding) -> Result<String, DecodeError> {
        let text = match encoding {
            Encoding::Utf16Le => text::decode_units(bytes, u16::from_le_bytes, None),
            _ => text::decode(bytes, encoding),
        };
        text.ok_or_else(|| self.invalid_text(bytes, encoding))
    }

    /// Reads text, in place where its encoding is UTF-8 or ASCII.
    ///
    /// # Errors
    /// As [`read_string`](Self::read_string).
    pub fn read_str(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.read_str_with(self.encoding)
    }

    /// [`read_str`](Self::read_str) in an encoding named for this call.
    ///
    /// # Errors
    /// As [`read_string`](Self::read_string).
    pub fn read_str_with(&mut self, encoding: Encoding) -> Result<Cow<'a, str>, DecodeError> {
        let bytes = self.read_slice()?;
        let text = match text::decode_in_place(bytes, encoding) {
            Some(text) => text.map(Cow::Borrowed),
            None => text::decode(bytes, encoding).map(Cow::Owned),
        };
        text.ok_or_else(|| self.invalid_text(bytes, encoding))
    }

    #[cold]
    fn invalid_text(&self, bytes: &[u8], encoding: Encoding) -> DecodeError {
        DecodeError::new(DecodeErrorKind::InvalidText(encoding)).at(self.position() - bytes.len())
    }

    /// Reads text, with U+FFFD for whatever is not valid in this reader's encoding, as the original does.
    ///
    /// # Errors
    /// When the bytes end, or the length is negative.
    pub fn read_string_lossy(&mut self) -> Result<String, DecodeError> {
        self.read_string_lossy_with(self.encoding)
    }

    /// [`read_string_lossy`](Self::read_string_lossy) in an encoding named for this call.
    ///
    /// # Errors
    /// As [`read_string_lossy`](Self::read_string_lossy).
    pub fn read_string_lossy_with(&mut self, encoding: Encoding) -> Result<String, DecodeError> {
        Ok(text::decode_lossy(self.read_slice()?, encoding).into_owned())
    }

    /// Reads a char: text of exactly one UTF-16 unit, as the format has it.
    ///
    /// # Errors
    /// When the bytes end, the length is negative, or the text is not one such char. The original writes no half of a
    /// surrogate pair: it puts U+FFFD in its place.
    pub fn read_char(&mut self) -> Result<char, DecodeError> {
        let bytes = self.read_slice()?;
        text::decode_char(bytes, self.encoding)
            .ok_or_else(|| DecodeError::new(DecodeErrorKind::InvalidChar).at(self.position() - bytes.len()))
    }

    /// Reads an array of chars: as text. A character of two UTF-16 units, two chars in C#, is one here.
    ///
    /// # Errors
    /// As [`read_string`](Self::read_string).
    pub fn read_chars(&mut self) -> Result<Vec<char>, DecodeError> {
        Ok(self.read_str()?.chars().collect())
    }

    /// Reads an array of numbers: their count, then `N` bytes each.
    #[inline]
    pub(super) fn read_numbers<T, const N: usize>(
        &mut self,
        from_be_bytes: impl Fn([u8; N]) -> T,
        from_le_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.read_count(N)?;
        let blocks = self.read_raw(count * N)?.chunks_exact(BLOCK);
        let rest = blocks.remainder();
        let mut values = Vec::with_capacity(count);
        if blocks.len() > 0 {
            let mut little = [0; BLOCK];
            for big in blocks {
                swap::<N>(big, &mut little);
                values.extend(little.chunks_exact(N).map(|chunk| from_le_bytes(array(chunk))));
            }
        }
        values.extend(rest.chunks_exact(N).map(|chunk| from_be_bytes(array(chunk))));
        Ok(values)
    }

    /// Reads the count of an array that has to be `expected`.
    #[inline]
    pub(super) fn read_exact_count(&mut self, expected: usize) -> Result<(), DecodeError> {
        let found = self.read_length()?;
        if found != expected {
            return Err(DecodeError::wrong_count(expected, found).at(self.position() - size_of::<i32>()));
        }
        Ok(())
    }

    #[inline]
    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else { return Err(self.unexpected_end(N)) };
        self.rest = rest;
        Ok(*bytes)
    }

    #[cold]
    fn unexpected_end(&self, needed: usize) -> DecodeError {
        let kind = DecodeErrorKind::UnexpectedEnd { needed, left: self.rest.len() };
        DecodeError::new(kind).at(self.position())
    }
}

macro_rules! read_numbers {
    ($($type:ty, $read:ident;)*) => {
        impl Reader<'_> {
            $(
                #[doc = concat!("Reads an `", stringify!($type), "`, big-endian.")]
                ///
                /// # Errors
                /// When the bytes end.
                #[inline]
                pub fn $read(&mut self) -> Result<$type, DecodeError> {
                    self.read_array().map(<$type>::from_be_bytes)
                }
            )*
        }
    };
}

read_numbers! {
    u8, read_u8;
    i8, read_i8;
    u16, read_u16;
    i16, read_i16;
    u32, read_u32;
    i32, read_i32;
    u64, read_u64;
    i64, read_i64;
    f32, read_f32;
    f64, read_f64;
}
