//! What waits to leave on UDP: datagrams one behind another in one buffer, so that a burst leaves in one call.

use alloc::collections::VecDeque;
use core::mem;

use bytes::{Buf, Bytes, BytesMut};

use super::send_error::SendError;
use crate::data::{Encoding, Writer};
use crate::message::{EncodedMessage, ToMessage, encode_message};
use crate::wire::FRAME_LENGTH_BYTES;

/// What a UDP datagram over IPv4 carries at most (`docs/protocol.md`, bad input).
pub(super) const LONGEST_DATAGRAM: usize = 65_507;

/// An empty queue keeps a buffer of about this many bytes.
const KEPT_WHEN_EMPTY: usize = 1 << 10;

/// A run of datagrams to one peer: `contents` cut every `segment` bytes, as segmentation offload sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datagrams {
    /// The datagrams, one after another; 65,507 bytes at most.
    pub contents: Bytes,
    /// The length of each but the last, which may be shorter; more than zero.
    pub segment: usize,
}

/// Datagrams, in order; past its limit the oldest are dropped.
#[derive(Debug)]
#[repr(C)]
pub(super) struct DatagramQueue {
    /// The lengths of the datagrams in `writer`; none is 0, since each has a header.
    lengths: VecDeque<u16>,
    /// The oldest datagram, where it was encoded elsewhere and nothing waited: it is not copied unless another
    /// follows it.
    shared: Option<Bytes>,
    limit: usize,
    /// A writer, so that messages are encoded where they lie.
    writer: Writer,
    /// The most that `writer` held since the queue was last empty.
    peak: usize,
    /// What the last burst took, where its buffer was given back.
    expected: usize,
    dropped: u64,
}

impl DatagramQueue {
    /// An empty queue for `limit` bytes, or one datagram.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            shared: None,
            writer: Writer::new(),
            lengths: VecDeque::new(),
            peak: 0,
            expected: 0,
            dropped: 0,
        }
    }

    /// How many datagrams were dropped.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes that wait.
    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.shared.as_ref().map_or(0, Bytes::len) + self.writer.buffer().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shared.is_none() && self.lengths.is_empty()
    }

    /// Encodes a message as a datagram behind the others, and drops the oldest where they are too many bytes.
    pub(super) fn push<M: ToMessage + ?Sized>(
        &mut self,
        message: &M,
        encoding: Encoding,
    ) -> Result<(), SendError> {
        self.unshare();
        self.expect_traffic();
        let start = self.writer.buffer().len();
        encode_message(&mut self.writer, message, encoding)?;
        let length = self.writer.buffer().len() - start;
        match check_length(length) {
            Ok(length) => {
                self.appended(length);
                Ok(())
            }
            Err(error) => {
                let buffer = self.writer.buffer_mut();
                buffer.truncate(start);
                // The room that the refused message took goes with it.
                if buffer.capacity() > 2 * self.peak.max(KEPT_WHEN_EMPTY) {
                    *buffer = BytesMut::from(&buffer[..]);
                }
                Err(error)
            }
        }
    }

    /// Queues a message that was encoded already.
    pub(super) fn push_encoded(&mut self, message: &EncodedMessage) -> Result<(), SendError> {
        let length = check_length(message.message_len())?;
        if self.is_empty() {
            self.shared = Some(message.datagram());
            return Ok(());
        }
        self.unshare();
        self.expect_traffic();
        self.writer.buffer_mut().extend_from_slice(&message.frame()[FRAME_LENGTH_BYTES..]);
        self.appended(length);
        Ok(())
    }

    /// The oldest datagrams, as far as they have one length (the last may be shorter) and are no more than
    /// `max_segments` and no longer together than one datagram may be.
    pub(super) fn pop_run(&mut self, max_segments: usize) -> Option<Datagrams> {
        if let Some(contents) = self.shared.take() {
            return Some(Datagrams { segment: contents.len(), contents });
        }
        let first = self.lengths.pop_front()?;
        let mut total = usize::from(first);
        for _ in 1..max_segments {
            match self.lengths.front() {
                Some(&next) if next <= first && total + usize::from(next) <= LONGEST_DATAGRAM => {
                    self.lengths.pop_front();
                    total += usize::from(next);
                    if next < first {
                        break;
                    }
                }
                _ => break,
            }
        }
        let contents = self.writer.buffer_mut().split_to(total).freeze();
        if self.lengths.is_empty() {
            self.emptied();
        }
        Some(Datagrams { contents, segment: usize::from(first) })
    }

    /// The datagram in `buffer`, and its length, where it is the only one and fits.
    pub(super) fn pop_lone(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.shared.is_some() || self.lengths.len() != 1 {
            return None;
        }
        let datagram = self.writer.buffer_mut();
        let length = datagram.len();
        buffer.get_mut(..length)?.copy_from_slice(datagram);
        datagram.clear();
        self.lengths.clear();
        self.emptied();
        Some(length)
    }

    /// Forgets everything that waits.
    pub(super) fn clear(&mut self) {
        self.shared = None;
        *self.writer.buffer_mut() = BytesMut::new();
        self.lengths = VecDeque::new();
    }

    /// Copies the datagram that was not copied yet, since another goes behind it.
    fn unshare(&mut self) {
        if let Some(datagram) = self.shared.take() {
            self.expect_traffic();
            self.writer.buffer_mut().extend_from_slice(&datagram);
            // Its length was checked when it came.
            self.appended(datagram.len() as u16);
        }
    }

    fn appended(&mut self, length: u16) {
        self.lengths.push_back(length);
        while self.writer.buffer().len() > self.limit && self.lengths.len() > 1 {
            let oldest = self.lengths.pop_front().unwrap_or_default();
            self.writer.buffer_mut().advance(usize::from(oldest));
            self.dropped += 1;
        }
        self.peak = self.peak.max(self.writer.buffer().len());
    }

    /// Makes room for as much as the last burst took, so that the next one takes one allocation.
    fn expect_traffic(&mut self) {
        if self.expected > 0 && self.writer.buffer().capacity() == 0 {
            self.writer.buffer_mut().reserve(core::mem::take(&mut self.expected));
        }
    }

    /// Gives large buffers back, so that an idle connection holds none.
    fn emptied(&mut self) {
        if self.peak > KEPT_WHEN_EMPTY {
            self.expected = self.peak;
            *self.writer.buffer_mut() = BytesMut::new();
        }
        self.peak = 0;
        if self.lengths.capacity() > KEPT_WHEN_EMPTY / size_of::<u16>() {
            self.lengths = VecDeque::new();
        }
    }
}

/// Appends a message's datagram to `buffer`, or leaves it as it was; gives its length.
#[inline]
pub(super) fn encode_datagram<M: ToMessage + ?Sized>(
    buffer: &mut BytesMut,
    message: &M,
    encoding: Encoding,
) -> Result<usize, SendError> {
    let start = buffer.len();
    let mut writer = Writer::append_to(mem::take(buffer), encoding);
    let result = encode_message(&mut writer, message, encoding);
    *buffer = writer.into_buffer();
    let length = buffer.len() - start;
    result
        .map_err(SendError::from)
        .and_then(|()| check_length(length))
        .inspect_err(|_| buffer.truncate(start))?;
    Ok(length)
}

fn check_length(length: usize) -> Result<u16, SendError> {
    u16::try_from(length)
        .ok()
        .filter(|_| length <= LONGEST_DATAGRAM)
        .ok_or(SendError::TooLong { length, limit: LONGEST_DATAGRAM })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::message::Message;

    fn message(length: usize) -> Message {
        Message::new(1, vec![9; length - 3])
    }

    fn message_bytes(length: usize) -> Bytes {
        EncodedMessage::new(&message(length)).unwrap().datagram()
    }

    fn queue(lengths: &[usize]) -> DatagramQueue {
        let mut queue = DatagramQueue::new(64 << 10);
        for &length in lengths {
            queue.push(&message(length), Encoding::default()).unwrap();
        }
        queue
    }

    fn runs(queue: &mut DatagramQueue, max_segments: usize) -> Vec<(usize, usize)> {
        core::iter::from_fn(|| queue.pop_run(max_segments))
            .map(|run| (run.contents.len(), run.segment))
            .collect()
    }

    #[test]
    fn datagrams_of_one_length_leave_together_with_one_shorter_behind_them() {
        assert_eq!(runs(&mut queue(&[10, 10, 10, 5, 5, 20]), 64), [(35, 10), (5, 5), (20, 20)]);
    }

    #[test]
    fn a_run_has_no_more_segments_than_asked_for() {
        assert_eq!(runs(&mut queue(&[10; 5]), 2), [(20, 10), (20, 10), (10, 10)]);
        assert_eq!(runs(&mut queue(&[10; 2]), 0), [(10, 10), (10, 10)]);
    }

    #[test]
    fn a_run_is_no_longer_than_one_datagram_may_be() {
        assert_eq!(runs(&mut queue(&[30_000, 30_000, 5_000]), 64), [(65_000, 30_000)]);
        assert_eq!(runs(&mut queue(&[30_000, 30_000, 5_508]), 64), [(60_000, 30_000), (5_508, 5_508)]);
    }

    #[test]
    fn the_longest_datagram_is_taken_and_one_byte_more_is_refused() {
        let mut queue = queue(&[65_507]);
        let refused = Err(SendError::TooLong { length: 65_508, limit: 65_507 });
        assert_eq!(queue.push(&message(65_508), Encoding::default()), refused);
        assert_eq!(queue.push_encoded(&EncodedMessage::new(&message(65_508)).unwrap()), refused);
        assert_eq!(queue.pop_run(1).unwrap().contents.len(), 65_507);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_refused_message_leaves_neither_bytes_nor_room() {
        let mut queue = queue(&[10]);
        assert!(queue.push(&message(1 << 20), Encoding::default()).is_err());
        assert_eq!(queue.writer.buffer().len(), 10);
        assert!(queue.writer.buffer().capacity() <= 2 * KEPT_WHEN_EMPTY);
    }

    #[test]
    fn past_the_limit_the_oldest_are_dropped() {
        let mut queue = DatagramQueue::new(25);
        for length in [10, 11, 12, 13] {
            queue.push(&message(length), Encoding::default()).unwrap();
        }
        assert_eq!(queue.dropped(), 2);
        assert_eq!(runs(&mut queue, 1), [(12, 12), (13, 13)]);
    }

    #[test]
    fn one_datagram_is_kept_whatever_the_limit_is() {
        let mut queue = DatagramQueue::new(0);
        queue.push(&message(10), Encoding::default()).unwrap();
        assert_eq!(queue.pop_run(1).unwrap().contents.len(), 10);
    }

    #[test]
    fn a_shared_datagram_is_not_copied_when_it_is_alone() {
        let mut queue = queue(&[]);
        let encoded = EncodedMessage::new(&message(10)).unwrap();
        queue.push_encoded(&encoded).unwrap();
        assert_eq!(queue.writer.buffer().capacity(), 0);
        assert_eq!(queue.pop_run(1).unwrap().contents.as_ptr(), encoded.frame()[4..].as_ptr());
        assert!(queue.is_empty());
    }

    #[test]
    fn shared_and_own_datagrams_leave_in_the_order_they_came() {
        let mut queue = queue(&[]);
        queue.push_encoded(&EncodedMessage::new(&message(10)).unwrap()).unwrap();
        queue.push(&message(11), Encoding::default()).unwrap();
        queue.push_encoded(&EncodedMessage::new(&message(12)).unwrap()).unwrap();
        assert_eq!(runs(&mut queue, 64), [(10, 10), (11, 11), (12, 12)]);
    }

    #[test]
    fn a_shared_datagram_leaves_together_with_those_of_its_length() {
        let mut queue = queue(&[]);
        queue.push_encoded(&EncodedMessage::new(&message(10)).unwrap()).unwrap();
        queue.push(&message(10), Encoding::default()).unwrap();
        assert_eq!(runs(&mut queue, 64), [(20, 10)]);
    }

    #[test]
    fn a_shared_datagram_is_dropped_as_any_other() {
        let mut queue = DatagramQueue::new(25);
        queue.push_encoded(&EncodedMessage::new(&message(10)).unwrap()).unwrap();
        queue.push(&message(20), Encoding::default()).unwrap();
        assert_eq!(queue.dropped(), 1);
        assert_eq!(runs(&mut queue, 64), [(20, 20)]);
    }

    #[test]
    fn a_lone_datagram_is_copied_and_its_memory_serves_the_next() {
        let mut queue = queue(&[10]);
        let memory = queue.writer.buffer().as_ptr();
        let mut buffer = [0; 20];
        for length in [10, 20] {
            assert_eq!(queue.pop_lone(&mut buffer), Some(length));
            assert_eq!(buffer[..length], message_bytes(length));
            assert!(queue.is_empty());
            queue.push(&message(20), Encoding::default()).unwrap();
            assert_eq!(queue.writer.buffer().as_ptr(), memory);
        }
    }

    #[test]
    fn a_datagram_that_is_not_alone_or_does_not_fit_stays() {
        let mut buffer = [0; 20];
        assert_eq!(queue(&[]).pop_lone(&mut buffer), None);
        let mut shared = queue(&[]);
        shared.push_encoded(&EncodedMessage::new(&message(10)).unwrap()).unwrap();
        for (mut queue, lengths) in
            [(queue(&[10, 10]), vec![10, 10]), (queue(&[21]), vec![21]), (shared, vec![10])]
        {
            assert_eq!(queue.pop_lone(&mut buffer), None);
            let left: Vec<usize> = runs(&mut queue, 1).into_iter().map(|(length, _)| length).collect();
            assert_eq!(left, lengths);
        }
    }

    #[test]
    fn a_queue_that_was_emptied_keeps_only_a_small_buffer() {
        for count in [600, 6000] {
            let mut queue = queue(&vec![10; count]);
            runs(&mut queue, 64);
            assert_eq!(queue.writer.buffer().capacity(), 0);
            assert_eq!(queue.lengths.capacity(), 0);
        }
    }

    #[test]
    fn a_burst_finds_as_much_room_as_the_one_before_it_took_and_no_more() {
        let mut queue = queue(&[10; 6000]);
        runs(&mut queue, 64);
        queue.push(&message(10), Encoding::default()).unwrap();
        assert!(queue.writer.buffer().capacity() >= 60_000);
        queue.push(&message(2000), Encoding::default()).unwrap();
        runs(&mut queue, 64);
        queue.push(&message(10), Encoding::default()).unwrap();
        assert!(queue.writer.buffer().capacity() < 60_000);
    }
}
