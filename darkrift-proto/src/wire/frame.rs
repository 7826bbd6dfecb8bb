//! Frames: on the stream every message stands behind its length (`docs/protocol.md`, Framing).

use crate::count::Count;

/// The bytes of the length before each message on the stream: an `i32`, big-endian, of what follows it.
pub const FRAME_LENGTH_BYTES: usize = 4;

/// A length that no frame of ours has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length is 0.
    #[error("a frame of length 0")]
    Empty,
    /// The length is below 0.
    #[error("a frame of the negative length {0}")]
    Negative(i32),
    /// The length is more than what the caller accepts.
    #[error("a frame of {}, more than the {limit} accepted", Count::bytes(*length as usize))]
    TooLong {
        /// What the frame's length says, in bytes.
        length: u32,
        /// The caller's limit, in bytes.
        limit: usize,
    },
}

/// The message in the first frame of `input`, or `None` while the frame is not whole. What follows the frame begins
/// [`FRAME_LENGTH_BYTES`] after the message's end.
///
/// # Errors
/// When the length is 0, negative, or more than `limit` bytes; as soon as the length itself is there, so that
/// nobody waits for, or makes room for, a frame that is refused anyway.
#[inline]
pub fn frame(input: &[u8], limit: usize) -> Result<Option<&[u8]>, FrameError> {
    let Some((length, rest)) = input.split_first_chunk::<FRAME_LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*length);
    match u32::try_from(length) {
        Err(_) => Err(FrameError::Negative(length)),
        Ok(0) => Err(FrameError::Empty),
        Ok(length) if length as usize > limit => Err(FrameError::TooLong { length, limit }),
        Ok(length) => Ok(rest.get(..length as usize)),
    }
}

/// How many more bytes than `input` has the frame at its front takes, as far as that is known: at least 1 for a
/// frame that is not whole, and 0 for one that is or that is refused.
pub(crate) fn missing(input: &[u8], limit: usize) -> usize {
    match input.split_first_chunk::<FRAME_LENGTH_BYTES>() {
        None => FRAME_LENGTH_BYTES - input.len(),
        Some((length, rest)) => match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) if length <= limit => length.saturating_sub(rest.len()),
            _ => 0,
        },
    }
}

/// The messages of the whole frames at the front of a buffer, borrowed from it.
///
/// The iterator ends before the first frame that is not whole, or whose length is refused; [`rest`](Self::rest)
/// begins there, and [`frame`] of it says which of the two it was.
///
/// ```
/// use darkrift_proto::wire::Frames;
///
/// let mut frames = Frames::new(&[0, 0, 0, 3, 0, 0, 7, 0, 0], 65_534);
/// assert_eq!(frames.next(), Some(&[0, 0, 7][..]));
/// assert_eq!(frames.next(), None);
/// assert_eq!(frames.rest(), [0, 0]);
/// ```
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    limit: usize,
}

impl<'a> Frames<'a> {
    /// The frames of `input`, none longer than `limit` bytes.
    #[inline]
    pub const fn new(input: &'a [u8], limit: usize) -> Self {
        Self { rest: input, limit }
    }

    /// What has not been taken yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<FRAME_LENGTH_BYTES>()?;
        let length = u32::from_be_bytes(*length) as usize;
        // One comparison refuses 0 and everything past the limit; a negative length, read without its sign, is
        // past any limit that the wire can express.
        if length.wrapping_sub(1) >= self.limit.min(i32::MAX as usize) {
            return None;
        }
        let (message, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const LIMIT: usize = 65_534;

    fn framed(length: i32, body: usize) -> Vec<u8> {
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.resize(FRAME_LENGTH_BYTES + body, 7);
        bytes
    }

    #[test]
    fn a_frame_cut_anywhere_is_not_whole_yet() {
        let bytes = framed(5, 5);
        for length in 0..bytes.len() {
            assert_eq!(frame(&bytes[..length], LIMIT), Ok(None));
            assert_eq!(Frames::new(&bytes[..length], LIMIT).next(), None);
        }
        assert_eq!(frame(&bytes, LIMIT), Ok(Some(&[7; 5][..])));
    }

    #[test]
    fn lengths_that_no_frame_has_are_refused_before_the_body_comes() {
        for (length, error) in [
            (0, FrameError::Empty),
            (-1, FrameError::Negative(-1)),
            (i32::MIN, FrameError::Negative(i32::MIN)),
            (65_535, FrameError::TooLong { length: 65_535, limit: LIMIT }),
            (i32::MAX, FrameError::TooLong { length: i32::MAX as u32, limit: LIMIT }),
        ] {
            let bytes = framed(length, 0);
            assert_eq!(frame(&bytes, LIMIT), Err(error));
            let mut frames = Frames::new(&bytes, LIMIT);
            assert_eq!(frames.next(), None);
            assert_eq!(frames.rest(), bytes);
            assert_eq!(missing(&bytes, LIMIT), 0);
        }
    }

    #[test]
    fn the_longest_frame_within_the_limit_is_taken() {
        let bytes = framed(65_534, 65_534);
        assert_eq!(frame(&bytes, LIMIT), Ok(Some(&bytes[4..])));
        assert_eq!(Frames::new(&bytes, LIMIT).next(), Some(&bytes[4..]));
    }

    #[test]
    fn no_limit_makes_a_negative_length_acceptable() {
        assert_eq!(frame(&framed(-1, 9), usize::MAX), Err(FrameError::Negative(-1)));
        assert_eq!(Frames::new(&framed(-1, 9), usize::MAX).next(), None);
    }

    #[test]
    fn the_iterator_takes_all_whole_frames_and_leaves_the_rest() {
        let mut bytes = framed(1, 1);
        bytes.extend(framed(3, 3));
        bytes.extend(framed(9, 2));
        let mut frames = Frames::new(&bytes, LIMIT);
        assert_eq!(frames.by_ref().map(<[u8]>::len).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(frames.rest(), framed(9, 2));
    }

    #[test]
    fn what_a_frame_is_missing_is_known_once_its_length_is() {
        assert_eq!(missing(&[], LIMIT), 4);
        assert_eq!(missing(&[0, 0], LIMIT), 2);
        assert_eq!(missing(&framed(10, 0), LIMIT), 10);
        assert_eq!(missing(&framed(10, 4), LIMIT), 6);
        assert_eq!(missing(&framed(10, 10), LIMIT), 0);
    }
}
