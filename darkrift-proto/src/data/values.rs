//! The types that the format has values for.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::swap::array;
use super::{Decode, DecodeError, Encode, EncodeError, LENGTH_BYTES, Reader, Writer};
use crate::ids::ClientId;

macro_rules! numbers {
    ($($type:ty, $write:ident, $read:ident;)*) => {$(
        impl Encode for $type {
            #[inline]
            fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
                writer.$write(*self);
                Ok(())
            }

            #[inline]
            fn encode_slice(values: &[Self], writer: &mut Writer) -> Result<(), EncodeError> {
                writer.write_numbers(values, <$type>::to_be_bytes, <$type>::to_le_bytes)
            }

            #[inline]
            fn encoded_len(&self) -> Option<usize> {
                Some(size_of::<$type>())
            }

            #[inline]
            fn encoded_slice_len(values: &[Self]) -> Option<usize> {
                Some(LENGTH_BYTES + size_of_val(values))
            }
        }

        impl Decode for $type {
            const MIN_BYTES: usize = size_of::<$type>();

            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.$read()
            }

            #[inline]
            fn decode_vec(reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
                reader.read_numbers(<$type>::from_be_bytes, <$type>::from_le_bytes)
            }

            #[inline]
            fn decode_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[Self; N], DecodeError> {
                const SIZE: usize = size_of::<$type>();
                reader.read_exact_count(N)?;
                let bytes = reader.read_raw(N * SIZE)?;
                Ok(core::array::from_fn(|index| {
                    <$type>::from_be_bytes(array(&bytes[index * SIZE..(index + 1) * SIZE]))
                }))
            }
        }
    )*};
}

numbers! {
    i8, write_i8, read_i8;
    u16, write_u16, read_u16;
    i16, write_i16, read_i16;
    u32, write_u32, read_u32;
    i32, write_i32, read_i32;
    u64, write_u64, read_u64;
    i64, write_i64, read_i64;
    f32, write_f32, read_f32;
    f64, write_f64, read_f64;
}

impl Encode for u8 {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_u8(*self);
        Ok(())
    }

    #[inline]
    fn encode_slice(values: &[Self], writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_bytes(values)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        Some(1)
    }

    #[inline]
    fn encoded_slice_len(values: &[Self]) -> Option<usize> {
        Some(LENGTH_BYTES + values.len())
    }
}

impl Decode for u8 {
    const MIN_BYTES: usize = 1;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_u8()
    }

    #[inline]
    fn decode_vec(reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        reader.read_slice().map(<[u8]>::to_vec)
    }

    #[inline]
    fn decode_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[Self; N], DecodeError> {
        reader.read_exact_count(N)?;
        reader.read_raw(N).map(array)
    }
}

/// One byte; an array of them is packed, eight a byte.
impl Encode for bool {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_bool(*self);
        Ok(())
    }

    #[inline]
    fn encode_slice(values: &[Self], writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_bools(values)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        Some(1)
    }

    #[inline]
    fn encoded_slice_len(values: &[Self]) -> Option<usize> {
        Some(LENGTH_BYTES + values.len().div_ceil(8))
    }
}

/// One byte; an array of them is packed, eight a byte.
impl Decode for bool {
    const MIN_BYTES: usize = 1;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_bool()
    }

    #[inline]
    fn decode_vec(reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        reader.read_bools()
    }

    #[inline]
    fn decode_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[Self; N], DecodeError> {
        reader.read_exact_count(N)?;
        let bits = reader.read_raw(N.div_ceil(8))?;
        Ok(core::array::from_fn(|index| bits[index / 8] & (0x80 >> (index % 8)) != 0))
    }
}

/// Text of one UTF-16 unit; an array of them is text.
impl Encode for char {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_char(*self)
    }

    #[inline]
    fn encode_slice(values: &[Self], writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_chars(values)
    }
}

/// Text of one UTF-16 unit; an array of them is text.
impl Decode for char {
    const MIN_BYTES: usize = LENGTH_BYTES + 1;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_char()
    }

    #[inline]
    fn decode_vec(reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        reader.read_chars()
    }

    fn decode_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[Self; N], DecodeError> {
        let position = reader.position();
        let values = reader.read_chars()?;
        let found = values.len();
        values.try_into().map_err(|_| DecodeError::wrong_count(N, found).at(position))
    }
}

impl Encode for str {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_string(self)
    }
}

impl Encode for String {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_string(self)
    }
}

impl Decode for String {
    const MIN_BYTES: usize = LENGTH_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_string()
    }
}

/// An array of bytes: a count, then the bytes.
impl Encode for Bytes {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_bytes(self)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        Some(LENGTH_BYTES + self.len())
    }
}

/// An array of bytes, which shares the buffer of the message it is read from.
impl Decode for Bytes {
    const MIN_BYTES: usize = LENGTH_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_bytes()
    }
}

impl<T: Encode> Encode for [T] {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        T::encode_slice(self, writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        T::encoded_slice_len(self)
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        T::encode_slice(self, writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        T::encoded_slice_len(self)
    }
}

impl<T: Decode> Decode for Vec<T> {
    const MIN_BYTES: usize = LENGTH_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode_vec(reader)
    }
}

/// As the format's arrays: a count, then the values.
impl<T: Encode, const N: usize> Encode for [T; N] {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        T::encode_slice(self, writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        T::encoded_slice_len(self)
    }
}

/// As the format's arrays: a count, which has to be `N`, then the values.
impl<T: Decode, const N: usize> Decode for [T; N] {
    const MIN_BYTES: usize = LENGTH_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode_array(reader)
    }
}

/// A bool that says whether there is a value, then the value. The format has no such thing; games write it so by
/// hand.
impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_bool(self.is_some());
        self.as_ref().map_or(Ok(()), |value| value.encode(writer))
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        self.as_ref().map_or(Some(1), |value| value.encoded_len()?.checked_add(1))
    }
}

/// A bool that says whether there is a value, then the value.
impl<T: Decode> Decode for Option<T> {
    const MIN_BYTES: usize = 1;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.read_bool()? { T::decode(reader).map(Some) } else { Ok(None) }
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        (**self).encode(writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        (**self).encoded_len()
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        (**self).encode(writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        (**self).encoded_len()
    }
}

/// The value; at most [`Reader::MAX_DEPTH`] within each other, and fewer of large types
/// ([`Reader::MAX_NESTED_BYTES`]).
impl<T: Decode> Decode for Box<T> {
    const MESSAGE_TAG: Option<u16> = T::MESSAGE_TAG;
    const MIN_BYTES: usize = T::MIN_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.nested(T::decode).map(Self::new)
    }
}

/// Its number, a `u16`.
impl Encode for ClientId {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.get().encode(writer)
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        self.get().encoded_len()
    }
}

impl Decode for ClientId {
    const MIN_BYTES: usize = u16::MIN_BYTES;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read_u16().map(Self::new)
    }
}

/// No bytes.
impl Encode for () {
    #[inline]
    fn encode(&self, _: &mut Writer) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        Some(0)
    }
}

/// No bytes.
impl Decode for () {
    #[inline]
    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Encode),+> Encode for ($($name,)+) {
            #[inline]
            fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
                #[allow(non_snake_case, reason = "the type parameters name the values, too")]
                let ($($name,)+) = self;
                $($name.encode(writer)?;)+
                Ok(())
            }

            #[inline]
            fn encoded_len(&self) -> Option<usize> {
                #[allow(non_snake_case, reason = "the type parameters name the values, too")]
                let ($($name,)+) = self;
                let sum = 0_usize;
                $(let sum = sum.checked_add($name.encoded_len()?)?;)+
                Some(sum)
            }
        }

        impl<$($name: Decode),+> Decode for ($($name,)+) {
            const MIN_BYTES: usize = 0 $(+ $name::MIN_BYTES)+;

            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(($($name::decode(reader)?,)+))
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}
