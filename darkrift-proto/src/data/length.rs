//! Limits on the lengths of single values.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Decode, DecodeError, Encode, EncodeError, Reader, Writer};

/// A value that begins with its length on the wire, so that a limit can be put on it:
/// [`Writer::write_at_most`], [`Reader::read_at_most`], and `#[darkrift(max_len = 32)]` on a field.
///
/// The length is the one on the wire: of text the bytes of its encoding, of an array the elements. An [`Option`] with
/// nothing in it has no length and passes every limit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length on the wire that could be limited",
    label = "begins with no length"
)]
pub trait LengthPrefixed {
    /// Refuses a value, just written at `position`, that is longer than `limit`.
    ///
    /// # Errors
    /// [`LimitExceeded`](super::EncodeErrorKind::LimitExceeded).
    fn check_written(&self, position: usize, limit: usize, writer: &Writer) -> Result<(), EncodeError> {
        let found = writer.count_at(position);
        if found > limit { Err(EncodeError::limit_exceeded(limit, found)) } else { Ok(()) }
    }

    /// Refuses a value, the next to be read, that is longer than `limit`.
    ///
    /// # Errors
    /// [`LimitExceeded`](super::DecodeErrorKind::LimitExceeded), and when there is no valid length.
    fn check_next(limit: usize, reader: &Reader<'_>) -> Result<(), DecodeError> {
        reader.check_count(limit)
    }
}

impl LengthPrefixed for str {}
impl LengthPrefixed for String {}
impl LengthPrefixed for Bytes {}
impl<T> LengthPrefixed for [T] {}
impl<T> LengthPrefixed for Vec<T> {}

impl<T: LengthPrefixed + ?Sized> LengthPrefixed for &T {
    fn check_written(&self, position: usize, limit: usize, writer: &Writer) -> Result<(), EncodeError> {
        T::check_written(self, position, limit, writer)
    }

    fn check_next(limit: usize, reader: &Reader<'_>) -> Result<(), DecodeError> {
        T::check_next(limit, reader)
    }
}

impl<T: LengthPrefixed + ?Sized> LengthPrefixed for Box<T> {
    fn check_written(&self, position: usize, limit: usize, writer: &Writer) -> Result<(), EncodeError> {
        T::check_written(self, position, limit, writer)
    }

    fn check_next(limit: usize, reader: &Reader<'_>) -> Result<(), DecodeError> {
        T::check_next(limit, reader)
    }
}

/// Behind the bool that says whether there is a value.
impl<T: LengthPrefixed> LengthPrefixed for Option<T> {
    fn check_written(&self, position: usize, limit: usize, writer: &Writer) -> Result<(), EncodeError> {
        self.as_ref().map_or(Ok(()), |value| value.check_written(position + 1, limit, writer))
    }

    fn check_next(limit: usize, reader: &Reader<'_>) -> Result<(), DecodeError> {
        let mut ahead = reader.clone();
        if ahead.read_bool()? { T::check_next(limit, &ahead) } else { Ok(()) }
    }
}

impl Writer {
    /// Writes a value whose length is at most `limit`.
    ///
    /// # Errors
    /// [`LimitExceeded`](super::EncodeErrorKind::LimitExceeded), and what the value's [`Encode`] refuses. What was
    /// written before the error stays, as with [`write`](Self::write).
    pub fn write_at_most<T: Encode + LengthPrefixed + ?Sized>(
        &mut self,
        limit: usize,
        value: &T,
    ) -> Result<(), EncodeError> {
        let position = self.position();
        value.encode(self)?;
        // The length of encoded text is only known once it is encoded: it is read back.
        value.check_written(position, limit, self)
    }
}

impl Reader<'_> {
    /// Reads a value whose length is at most `limit`; a longer one is refused before room is made for it.
    ///
    /// # Errors
    /// [`LimitExceeded`](super::DecodeErrorKind::LimitExceeded), and what the type's [`Decode`] refuses.
    pub fn read_at_most<T: Decode + LengthPrefixed>(&mut self, limit: usize) -> Result<T, DecodeError> {
        T::check_next(limit, self)?;
        T::decode(self)
    }
}
