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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::super::{DecodeErrorKind, EncodeErrorKind, Encoding};
    use super::*;

    /// The error with which each side refuses a value past `limit`, having taken it at its own length.
    #[track_caller]
    fn assert_limited<T>(value: &T, length: usize)
    where
        T: Encode + Decode + LengthPrefixed + PartialEq + core::fmt::Debug,
    {
        let mut writer = Writer::new();
        writer.write_u16(0xffff);
        writer.write_at_most(length, value).unwrap();
        let bytes = writer.into_bytes();
        let mut reader = Reader::from_bytes(&bytes);
        reader.read_u16().unwrap();
        assert_eq!(reader.read_at_most::<T>(length).unwrap(), *value);
        assert_eq!(reader.remaining(), 0);

        let limit = length - 1;
        let error = Writer::new().write_at_most(limit, value).unwrap_err();
        assert_eq!(*error.kind(), EncodeErrorKind::LimitExceeded { limit, found: length });
        let error = Reader::new(&bytes[2..]).read_at_most::<T>(limit).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::LimitExceeded { limit, found: length });
    }

    #[test]
    fn text_is_limited_in_bytes_and_arrays_in_elements_wherever_they_are() {
        assert_limited(&"four".to_string(), 8);
        assert_limited(&vec![1_u32, 2, 3], 3);
        assert_limited(&vec![true; 9], 9);
        assert_limited(&Bytes::from_static(&[1, 2]), 2);
        assert_limited(&Box::new(vec![1_u8]), 1);
        assert_limited(&Some(Box::new("a".to_string())), 2);
    }

    #[test]
    fn what_borrows_is_limited_when_it_is_written() {
        let mut writer = Writer::new().with_encoding(Encoding::Utf8);
        assert!(writer.write_at_most(2, "é").is_ok());
        assert!(writer.write_at_most(1, &"é").is_err());
        assert!(writer.write_at_most(1, &[1_u8, 2][..]).is_err());
        assert_eq!(<&str>::check_next(1, &Reader::new(&[0, 0, 0, 1])), Ok(()));
        assert!(<&str>::check_next(1, &Reader::new(&[0, 0, 0, 2])).is_err());
    }

    #[test]
    fn nothing_has_no_length() {
        let nothing: Option<Vec<u8>> = None;
        let mut writer = Writer::new();
        writer.write_at_most(0, &nothing).unwrap();
        assert_eq!(Reader::new(&writer.into_bytes()).read_at_most::<Option<Vec<u8>>>(0).unwrap(), nothing);
    }

    #[test]
    fn a_length_that_is_cut_short_or_negative_is_an_error_of_its_own() {
        let error = Reader::new(&[0, 0, 0]).read_at_most::<Bytes>(1).unwrap_err();
        assert!(matches!(error.kind(), DecodeErrorKind::UnexpectedEnd { .. }));
        let error = Reader::new(&[0xff; 4]).read_at_most::<Bytes>(1).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::NegativeLength(-1));
    }

    #[test]
    fn a_value_that_overwrites_another_is_limited_by_what_was_written_there() {
        let mut writer = Writer::new();
        writer.write_raw(&[0xff; 16]);
        writer.set_position(4).unwrap();
        assert!(writer.write_at_most(1, &vec![7_u8]).is_ok());
        assert!(writer.write_at_most(1, &vec![7_u8, 8]).is_err());
    }
}
