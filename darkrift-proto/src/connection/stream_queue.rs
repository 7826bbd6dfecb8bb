//! What waits to be written to the stream: encoded once, written from where it lies.

use alloc::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::send_error::SendError;
use crate::data::{Encoding, Writer};
use crate::message::{EncodedMessage, ToMessage, encode_frame};
use crate::wire::{Command, FRAME_LENGTH_BYTES, Hello};

/// The only name of std that this crate uses, and only to lend several chunks to one vectored write.
#[cfg(feature = "std")]
mod vectored {
    extern crate std;
    pub(super) use std::io::IoSlice;
}

/// An empty queue keeps a buffer of about this many bytes: enough for the traffic of a quiet connection.
const KEPT_WHEN_EMPTY: usize = 1 << 10;
/// A message encoded elsewhere is copied behind what is queued when it is no longer than this: a copy costs less
/// than a chunk of its own in each vectored write.
const COPIED: usize = 1 << 10;
/// The most room that is made at once because the last burst took as much.
const EXPECTED: u32 = 64 << 10;

/// Frames, in order: first `chunks`, which are shared with other connections or too large to copy, then `tail`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct StreamQueue {
    longest: usize,
    sent: u64,
    queued: usize,
    limit: usize,
    chunks: VecDeque<Bytes>,
    /// The most that `tail` held since the queue was last empty, and thus about what its buffer takes.
    peak: u32,
    /// What the last burst took, where its buffer was given back.
    expected: u32,
    /// A writer, so that messages are encoded where they lie.
    tail: Writer,
}

impl StreamQueue {
    /// An empty queue for `limit` bytes, or one message of `longest` with its header.
    pub(super) fn new(limit: usize, longest: usize) -> Self {
        Self {
            limit,
            longest,
            chunks: VecDeque::new(),
            tail: Writer::new(),
            queued: 0,
            peak: 0,
            expected: 0,
            sent: 0,
        }
    }

    /// Bytes that wait.
    pub(super) const fn queued(&self) -> usize {
        self.queued
    }

    /// Bytes that were taken since the beginning.
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) const fn has_room(&self, frame_len: usize) -> bool {
        self.queued == 0 || self.queued.saturating_add(frame_len) <= self.limit
    }

    /// Encodes a message behind what is queued, if there is room for it.
    #[inline]
    pub(super) fn push<M: ToMessage + ?Sized>(
        &mut self,
        message: &M,
        encoding: Encoding,
    ) -> Result<(), SendError> {
        if !self.has_room(FRAME_LENGTH_BYTES) {
            return Err(SendError::Full { queued: self.queued });
        }
        self.expect_traffic();
        let start = self.tail.buffer().len();
        let result = encode_frame(&mut self.tail, message, encoding).map_err(SendError::from);
        // How long a message is shows only now, so a refused one is taken back.
        let frame_len = self.tail.buffer().len() - start;
        match result.and_then(|()| self.accept(frame_len)) {
            Ok(()) => {
                self.appended(frame_len);
                Ok(())
            }
            Err(error) => {
                self.take_back(start);
                Err(error)
            }
        }
    }

    /// Queues a message that was encoded already, if there is room for it: the bytes themselves, not a copy, unless
    /// it is small and goes behind others.
    pub(super) fn push_encoded(&mut self, message: &EncodedMessage) -> Result<(), SendError> {
        let frame = message.frame();
        self.accept(frame.len())?;
        if self.queued > 0 && frame.len() <= COPIED {
            self.append(frame);
        } else {
            self.cut();
            self.queued += frame.len();
            self.chunks.push_back(frame.clone());
        }
        Ok(())
    }

    /// Queues the hello, in one piece: the original's client reads it with one call.
    pub(super) fn push_hello(&mut self, hello: Hello) {
        self.append(&hello.to_bytes());
    }

    /// Queues a command, whatever waits already.
    pub(super) fn push_command(&mut self, command: Command) {
        let mut message = BytesMut::new();
        command.write(&mut message);
        // A command is a few bytes.
        self.append(&(message.len() as u32).to_be_bytes());
        self.append(&message);
    }

    /// Forgets everything that waits.
    pub(super) fn clear(&mut self) {
        self.chunks = VecDeque::new();
        *self.tail.buffer_mut() = BytesMut::new();
        self.queued = 0;
    }

    pub(super) fn output(&mut self) -> StreamOutput<'_> {
        StreamOutput { queue: self }
    }

    const fn accept(&self, frame_len: usize) -> Result<(), SendError> {
        let length = frame_len - FRAME_LENGTH_BYTES;
        if length > self.longest {
            Err(SendError::TooLong { length, limit: self.longest })
        } else if !self.has_room(frame_len) {
            Err(SendError::Full { queued: self.queued })
        } else {
            Ok(())
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.expect_traffic();
        self.tail.buffer_mut().extend_from_slice(bytes);
        self.appended(bytes.len());
    }

    #[inline]
    fn appended(&mut self, count: usize) {
        self.queued += count;
        self.peak = self.peak.max(u32::try_from(self.tail.buffer().len()).unwrap_or(u32::MAX));
    }

    /// Makes room for as much as the last burst took, so that the next one takes one allocation.
    #[inline]
    fn expect_traffic(&mut self) {
        if self.expected > 0 && self.tail.buffer().capacity() == 0 {
            self.tail.buffer_mut().reserve(core::mem::take(&mut self.expected) as usize);
        }
    }

    /// Makes a chunk of the tail, so that another chunk can go behind it.
    fn cut(&mut self) {
        if !self.tail.buffer().is_empty() {
            self.chunks.push_back(core::mem::take(self.tail.buffer_mut()).freeze());
        }
    }

    /// Takes back what stands in the tail from `start`, and the room that it took where that was much.
    #[cold]
    fn take_back(&mut self, start: usize) {
        let tail = self.tail.buffer_mut();
        tail.truncate(start);
        if tail.capacity() > 2 * (self.peak as usize).max(KEPT_WHEN_EMPTY) {
            *tail = BytesMut::from(&tail[..]);
        }
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.queued, "advanced by {count} bytes of {}", self.queued);
        self.queued -= count;
        self.sent += count as u64;
        while let Some(chunk) = self.chunks.front_mut() {
            if count < chunk.len() {
                chunk.advance(count);
                return;
            }
            count -= chunk.len();
            self.chunks.pop_front();
        }
        if count > 0 {
            self.tail.buffer_mut().advance(count);
        }
        if self.queued == 0 {
            self.emptied();
        }
    }

    /// Gives large buffers back, so that an idle connection holds none.
    fn emptied(&mut self) {
        if self.peak as usize > KEPT_WHEN_EMPTY {
            self.expected = self.peak.min(EXPECTED);
            *self.tail.buffer_mut() = BytesMut::new();
        }
        self.peak = 0;
        if self.chunks.capacity() > KEPT_WHEN_EMPTY / size_of::<Bytes>() {
            self.chunks = VecDeque::new();
        }
    }
}

/// What waits to be written to the stream: a [`Buf`]. Write its chunk, or its chunks in one vectored write, to the
/// socket, and advance by as much as the socket took.
///
/// Its first chunk is never empty while anything remains. Dropping it loses nothing.
#[derive(Debug)]
pub struct StreamOutput<'a> {
    queue: &'a mut StreamQueue,
}

impl Buf for StreamOutput<'_> {
    fn remaining(&self) -> usize {
        self.queue.queued
    }

    fn chunk(&self) -> &[u8] {
        self.queue.chunks.front().map_or(self.queue.tail.buffer(), |chunk| chunk)
    }

    /// The socket took `count` bytes.
    ///
    /// # Panics
    /// When fewer than `count` bytes remain, as every [`Buf`].
    fn advance(&mut self, count: usize) {
        self.queue.advance(count);
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [vectored::IoSlice<'a>]) -> usize {
        let tail = Some(&self.queue.tail.buffer()[..]).filter(|tail| !tail.is_empty());
        let chunks = self.queue.chunks.iter().map(|chunk| &chunk[..]).chain(tail);
        slices.iter_mut().zip(chunks).map(|(slice, chunk)| *slice = vectored::IoSlice::new(chunk)).count()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::message::Message;

    fn queue() -> StreamQueue {
        StreamQueue::new(100, 1000)
    }

    fn push(queue: &mut StreamQueue, length: usize) -> Result<(), SendError> {
        queue.push(&Message::new(1, vec![9; length]), Encoding::default())
    }

    fn encoded(length: usize) -> EncodedMessage {
        EncodedMessage::new(&Message::new(1, vec![9; length])).unwrap()
    }

    fn written(queue: &mut StreamQueue) -> Vec<u8> {
        let mut output = queue.output();
        let mut bytes = Vec::new();
        while output.has_remaining() {
            bytes.push(output.get_u8());
        }
        bytes
    }

    #[test]
    fn a_message_is_taken_while_the_queue_stays_within_its_limit() {
        let mut queue = queue();
        push(&mut queue, 43).unwrap();
        push(&mut queue, 43).unwrap();
        assert_eq!(queue.queued(), 100);
        assert_eq!(push(&mut queue, 0), Err(SendError::Full { queued: 100 }));
        assert_eq!(queue.push_encoded(&encoded(0)), Err(SendError::Full { queued: 100 }));
        queue.output().advance(6);
        assert_eq!(push(&mut queue, 0), Err(SendError::Full { queued: 94 }));
        queue.output().advance(1);
        push(&mut queue, 0).unwrap();
    }

    #[test]
    fn a_single_message_may_be_larger_than_the_limit_but_not_than_the_longest() {
        let mut queue = queue();
        let too_long = SendError::TooLong { length: 1001, limit: 1000 };
        assert_eq!(push(&mut queue, 998), Err(too_long.clone()));
        assert_eq!(queue.push_encoded(&encoded(998)), Err(too_long));
        assert_eq!(queue.queued(), 0);
        push(&mut queue, 997).unwrap();
        assert_eq!(queue.queued(), 1004);
        assert!(!queue.has_room(1));
    }

    #[test]
    fn a_refused_message_leaves_neither_bytes_nor_room() {
        let mut queue = StreamQueue::new(1 << 20, 1000);
        push(&mut queue, 1).unwrap();
        assert!(push(&mut queue, 1 << 20).is_err());
        assert_eq!(queue.tail.buffer().len(), 8);
        assert!(queue.tail.buffer().capacity() <= 2 * KEPT_WHEN_EMPTY);
    }

    #[test]
    fn shared_and_own_messages_leave_in_the_order_they_came() {
        let mut queue = StreamQueue::new(1 << 20, 1 << 20);
        let mut expected = Vec::new();
        for (shared, length) in
            [(true, 5), (true, 6), (false, 7), (true, 2000), (false, 8), (true, 9), (true, 3000)]
        {
            let message = encoded(length);
            expected.extend_from_slice(message.frame());
            if shared {
                queue.push_encoded(&message).unwrap();
            } else {
                push(&mut queue, length).unwrap();
            }
        }
        assert_eq!(queue.queued(), expected.len());
        assert_eq!(written(&mut queue), expected);
        assert_eq!(queue.sent(), expected.len() as u64);
    }

    #[test]
    fn a_shared_message_in_an_empty_queue_takes_no_buffer() {
        let mut queue = queue();
        let message = encoded(50);
        queue.push_encoded(&message).unwrap();
        assert_eq!(queue.tail.buffer().capacity(), 0);
        assert_eq!(queue.output().chunk().as_ptr(), message.frame().as_ptr());
    }

    #[cfg(feature = "std")]
    #[test]
    fn all_chunks_are_lent_to_one_vectored_write_and_a_small_message_is_none_of_its_own() {
        let mut queue = StreamQueue::new(1 << 20, 1 << 20);
        queue.push_encoded(&encoded(10)).unwrap();
        queue.push_encoded(&encoded(2000)).unwrap();
        push(&mut queue, 1).unwrap();
        queue.push_encoded(&encoded(10)).unwrap();
        let output = queue.output();
        let mut slices = [vectored::IoSlice::new(&[]); 8];
        let count = output.chunks_vectored(&mut slices);
        assert_eq!(slices[..count].iter().map(|slice| slice.len()).collect::<Vec<_>>(), [17, 2007, 8 + 17]);
    }

    #[test]
    fn a_queue_that_was_emptied_keeps_only_a_small_buffer() {
        let mut queue = StreamQueue::new(1 << 20, 1 << 20);
        push(&mut queue, 100).unwrap();
        written(&mut queue);
        assert!(queue.tail.buffer_mut().try_reclaim(100), "quiet traffic keeps its buffer");
        for _ in 0..100 {
            push(&mut queue, 100).unwrap();
            queue.push_encoded(&encoded(2000)).unwrap();
        }
        push(&mut queue, 5000).unwrap();
        written(&mut queue);
        assert!(!queue.tail.buffer_mut().try_reclaim(1), "a burst gives its buffer back");
        assert_eq!(queue.chunks.capacity(), 0);
    }

    #[test]
    fn a_burst_finds_as_much_room_as_the_one_before_it_took_and_no_more() {
        let mut queue = StreamQueue::new(1 << 20, 1 << 20);
        push(&mut queue, 50_000).unwrap();
        written(&mut queue);
        push(&mut queue, 1).unwrap();
        assert!(queue.tail.buffer().capacity() >= 50_000);
        push(&mut queue, 2000).unwrap();
        written(&mut queue);
        push(&mut queue, 1).unwrap();
        assert!(queue.tail.buffer().capacity() < 50_000);
    }
}
