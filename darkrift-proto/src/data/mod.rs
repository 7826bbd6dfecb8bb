//! Payloads: values one after another, without types or names (`docs/protocol.md`, Values).

mod encoding;
mod error;
mod length;
mod reader;
mod swap;
mod text;
mod values;
mod writer;

pub use encoding::Encoding;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use length::LengthPrefixed;
pub use reader::Reader;
pub use writer::{Reservation, Writer};

use alloc::vec::Vec;

/// Bytes of a length or a count: an `i32`.
const LENGTH_BYTES: usize = 4;

/// A value that can be written into a payload. `#[derive(Encode)]` writes the fields in order.
///
/// The writer may hold more than this value, such as other messages that wait in the same buffer: it is written to, and never
/// taken or replaced (`mem::take`). What is made in several steps is made in a [`Writer`] of one's own.
#[diagnostic::on_unimplemented(
    note = "derive `Encode` for a type of yours, or name functions of your own for the field: `#[darkrift(with = …)]`",
    note = "not every type has a form in DarkRift's format: a map is sent as a `Vec<(K, V)>`, and a `usize` as a `u32`"
)]
pub trait Encode {
    /// Appends the value's bytes.
    ///
    /// # Errors
    /// Text that the writer's encoding has no bytes for, and lengths past the wire's `i32`. What was written
    /// before the error stays in the writer; a message that fails to encode is never sent in part.
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError>;

    /// Appends an array of values: a count, then each. Types whose array has another form on the wire (packed
    /// bools, text) or can be written faster at once override it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn encode_slice(values: &[Self], writer: &mut Writer) -> Result<(), EncodeError>
    where
        Self: Sized,
    {
        writer.write_count(values.len())?;
        values.iter().try_for_each(|value| value.encode(writer))
    }

    /// The bytes that [`encode`](Self::encode) will write, where that is known without writing them; `None` for text, whose
    /// length is its encoding's. A message of its own is made in one allocation of just these: a wrong number is no error,
    /// and costs time or memory.
    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        None
    }

    /// The bytes that [`encode_slice`](Self::encode_slice) will write, as [`encoded_len`](Self::encoded_len). What overrides
    /// that overrides this as well.
    #[inline]
    fn encoded_slice_len(values: &[Self]) -> Option<usize>
    where
        Self: Sized,
    {
        // Past what the count can say nothing is written, and values of no size may be very many.
        i32::try_from(values.len()).ok()?;
        values.iter().try_fold(LENGTH_BYTES, |sum, value| sum.checked_add(value.encoded_len()?))
    }
}

/// A value that can be read from a payload. `#[derive(Decode)]` reads the fields in order.
#[diagnostic::on_unimplemented(
    note = "derive `Decode` for a type of yours, or name functions of your own for the field: `#[darkrift(with = …)]`",
    note = "not every type has a form in DarkRift's format: a map is sent as a `Vec<(K, V)>`, and a `usize` as a `u32`",
    note = "an enum with `#[derive(MessageSet)]` is not read with `decode`, but with `decode_set`, or from a connection with `messages`"
)]
pub trait Decode: Sized {
    /// The tag of the messages that carry this type, where it has one: `#[derive(Message)]` sets it, and
    /// [`Message::decode`](crate::Message::decode) checks it.
    const MESSAGE_TAG: Option<u16> = None;

    /// The fewest bytes that a value takes, so that a count from the wire is checked before room is made for it. There, 0
    /// counts as 1: an array of values that take no bytes at all is only read where as many bytes follow,
    /// and of all such arrays together no more values than the payload has bytes.
    const MIN_BYTES: usize = 0;

    /// Reads the value.
    ///
    /// # Errors
    /// When the bytes end early or are no such value. The reader's position is then unspecified.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads an array of values: a count, then each.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when the count is negative or more than the bytes left could hold.
    fn decode_vec(reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        reader.read_vec_with(Self::MIN_BYTES, Self::decode)
    }

    /// Reads an array of `N` values, without a vector in between. What overrides [`decode_vec`](Self::decode_vec)
    /// overrides this as well.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when the count is not `N`.
    fn decode_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[Self; N], DecodeError> {
        reader.read_array_with(Self::decode)
    }
}
