//! A link for a stream of bytes, one way: what a network does to TCP.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use darkrift_proto::Instant;

use crate::random::Random;

/// How a [`StreamLink`] treats what it carries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamConditions {
    /// How long bytes are under way, at least. Default 0.
    pub latency: Duration,
    /// How much longer they may be under way, by chance. Default 0.
    pub jitter: Duration,
    /// Bytes that may be written and not yet read. Default 256 KiB; past it the writer has to wait.
    pub window: usize,
    /// The most bytes that one write takes. Default: no limit. With a limit each write takes 1 byte to that many, by
    /// chance.
    pub longest_write: usize,
    /// The same for each read.
    pub longest_read: usize,
}

impl Default for StreamConditions {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            window: 256 << 10,
            longest_write: usize::MAX,
            longest_read: usize::MAX,
        }
    }
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a read has these four outcomes")]
pub enum StreamRead {
    /// This many bytes, at least one, appended to the buffer.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The writer ended the stream, and everything before was read.
    End,
    /// The stream was reset.
    Reset,
}

/// One direction of a stream. Bytes arrive as they were written, once and in order, cut anywhere; or not at all.
#[derive(Clone, Debug)]
pub struct StreamLink {
    conditions: StreamConditions,
    /// Latency and stalls.
    random: Random,
    /// Where the stream is cut. A source of its own, so that other cuts change nothing else.
    cuts: Random,
    /// What was written and not yet read.
    bytes: BytesMut,
    /// How many bytes each write that is under way put behind the others, and when they arrive.
    under_way: VecDeque<(Instant, usize)>,
    /// How many of `bytes` have arrived.
    arrived: usize,
    last_arrival: Instant,
    last_write: Option<Instant>,
    stalled_until: Instant,
    end_at: Option<Instant>,
    reset_at: Option<Instant>,
    reader_gone: bool,
    dead: bool,
    /// Whether the reader's system has to answer what came with a reset.
    answers_with_reset: bool,
}

impl StreamLink {
    /// A link under these conditions.
    pub fn new(conditions: StreamConditions, seed: u64, seed_of_cuts: u64) -> Self {
        Self {
            conditions,
            random: Random::new(seed),
            cuts: Random::new(seed_of_cuts),
            bytes: BytesMut::new(),
            under_way: VecDeque::new(),
            arrived: 0,
            last_arrival: Instant::ZERO,
            last_write: None,
            stalled_until: Instant::ZERO,
            end_at: None,
            reset_at: None,
            reader_gone: false,
            dead: false,
            answers_with_reset: false,
        }
    }

    /// The conditions, to look at or to change from now on.
    pub fn conditions_mut(&mut self) -> &mut StreamConditions {
        &mut self.conditions
    }

    /// Writes as much of `bytes` as the link takes now, and says how much that was; 0 when the window is full.
    pub fn write(&mut self, now: Instant, bytes: &[u8]) -> usize {
        if self.reader_gone {
            // The reader's system takes it, and answers that nobody is there.
            self.answers_with_reset |= !self.dead && !bytes.is_empty();
            return bytes.len();
        }
        let room = if self.dead { 0 } else { self.conditions.window.saturating_sub(self.bytes.len()) };
        let most = bytes.len().min(room);
        let count = Self::cut(&mut self.cuts, most, self.conditions.longest_write);
        if count > 0 {
            self.bytes.extend_from_slice(&bytes[..count]);
            let arrival = self.arrival(now);
            match self.under_way.back_mut() {
                Some((last, length)) if *last == arrival => *length += count,
                _ => self.under_way.push_back((arrival, count)),
            }
        }
        count
    }

    /// The writer ends the stream, in good order, behind what it wrote.
    pub fn shutdown(&mut self, now: Instant) {
        if self.end_at.is_none() && !self.dead {
            self.end_at = Some(self.arrival(now));
        }
    }

    /// The writer gives the stream up: what has not arrived by the time this arrives is lost.
    pub fn reset(&mut self, now: Instant) {
        if self.reset_at.is_none() && !self.dead {
            self.reset_at = Some(now + self.conditions.latency);
        }
    }

    /// The reader is no longer there. What has not been read, and what will still be written, is answered with a
    /// reset, which [`takes_reset`](Self::takes_reset) tells.
    pub fn abandon(&mut self) {
        self.reader_gone = true;
        self.answers_with_reset |= !self.bytes.is_empty() && !self.dead;
        self.forget();
    }

    /// Whether something came that the reader's system has to answer with a reset, since nobody reads any more.
    pub fn takes_reset(&mut self) -> bool {
        std::mem::take(&mut self.answers_with_reset)
    }

    /// Nothing arrives any more, not even an end: the path, or the machine at an end of it, died. What has arrived can
    /// still be read.
    pub fn die(&mut self, now: Instant) {
        self.arrive(now);
        self.under_way = VecDeque::new();
        self.bytes.truncate(self.arrived);
        self.end_at = self.end_at.filter(|&at| at <= now);
        self.reset_at = self.reset_at.filter(|&at| at <= now);
        self.dead = true;
    }

    /// Nothing more arrives before `until`; then everything does.
    pub fn stall(&mut self, now: Instant, until: Instant) {
        self.arrive(now);
        self.stalled_until = self.stalled_until.max(until);
        for (arrival, _) in &mut self.under_way {
            *arrival = (*arrival).max(until);
        }
        let later = |at: Instant| if at > now { at.max(until) } else { at };
        self.end_at = self.end_at.map(later);
        self.reset_at = self.reset_at.map(later);
        self.last_arrival = self.last_arrival.max(until);
    }

    /// When something will arrive that has not, if anything is under way.
    pub fn next_arrival(&self) -> Option<Instant> {
        if self.reader_gone {
            return None;
        }
        let bytes = self.under_way.front().map(|&(arrival, _)| arrival);
        [bytes, self.end_at, self.reset_at].into_iter().flatten().min()
    }

    /// How many bytes were written and not yet read.
    pub fn unread(&self) -> usize {
        self.bytes.len()
    }

    /// Appends bytes that have arrived to `buffer`, `most` at most.
    pub fn read(&mut self, now: Instant, most: usize, buffer: &mut BytesMut) -> StreamRead {
        if self.reader_gone {
            return StreamRead::Nothing;
        }
        // What came before a reset is read before it, as Linux has it.
        let by = self.reset_at.map_or(now, |at| at.min(now));
        self.arrive(by);
        if self.arrived > 0 {
            let count = Self::cut(&mut self.cuts, self.arrived.min(most), self.conditions.longest_read);
            buffer.extend_from_slice(&self.bytes[..count]);
            self.bytes.advance(count);
            self.arrived -= count;
            return if count == 0 { StreamRead::Nothing } else { StreamRead::Bytes(count) };
        }
        match self.end_at {
            Some(at) if at <= by && self.under_way.is_empty() => {
                self.end_at = None;
                StreamRead::End
            }
            _ if self.reset_at.is_some_and(|at| at <= now) => {
                self.forget();
                StreamRead::Reset
            }
            _ => StreamRead::Nothing,
        }
    }

    fn arrive(&mut self, now: Instant) {
        while let Some(&(arrival, length)) = self.under_way.front() {
            if arrival > now {
                break;
            }
            self.arrived += length;
            self.under_way.pop_front();
        }
    }

    fn forget(&mut self) {
        self.bytes = BytesMut::new();
        self.under_way = VecDeque::new();
        self.arrived = 0;
        self.end_at = None;
        self.reset_at = None;
    }

    fn arrival(&mut self, now: Instant) -> Instant {
        // What is written at one moment arrives at one moment, however many writes it took.
        if self.last_write != Some(now) {
            self.last_write = Some(now);
            let arrival = now + self.conditions.latency + self.random.duration(self.conditions.jitter);
            self.last_arrival = arrival.max(self.last_arrival).max(self.stalled_until);
        }
        self.last_arrival
    }

    fn cut(cuts: &mut Random, most: usize, longest: usize) -> usize {
        if longest == usize::MAX || most <= 1 { most } else { cuts.size(1..longest.min(most) + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    fn link(change: impl FnOnce(&mut StreamConditions)) -> StreamLink {
        let mut conditions = StreamConditions::default();
        change(&mut conditions);
        StreamLink::new(conditions, 1, 2)
    }

    fn read(link: &mut StreamLink, now: Instant) -> (StreamRead, BytesMut) {
        let mut buffer = BytesMut::new();
        (link.read(now, usize::MAX, &mut buffer), buffer)
    }

    #[test]
    fn bytes_arrive_after_their_latency_and_the_end_behind_them() {
        let mut link = link(|conditions| conditions.latency = Duration::from_millis(20));
        assert_eq!(link.write(at(0), b"ab"), 2);
        link.shutdown(at(1));
        assert_eq!(link.next_arrival(), Some(at(20)));
        assert_eq!(read(&mut link, at(19)).0, StreamRead::Nothing);
        assert_eq!(read(&mut link, at(25)), (StreamRead::Bytes(2), BytesMut::from("ab")));
        assert_eq!(read(&mut link, at(25)).0, StreamRead::End);
        assert_eq!(read(&mut link, at(25)).0, StreamRead::Nothing);
        assert_eq!(link.next_arrival(), None);
    }

    #[test]
    fn a_full_window_takes_nothing_until_the_reader_reads() {
        let mut link = link(|conditions| conditions.window = 3);
        assert_eq!(link.write(at(0), b"abcde"), 3);
        assert_eq!(link.write(at(0), b"de"), 0);
        assert_eq!(link.read(at(0), 1, &mut BytesMut::new()), StreamRead::Bytes(1));
        assert_eq!(link.write(at(0), b"de"), 1);
    }

    #[test]
    fn cuts_are_anywhere_and_lose_nothing() {
        let mut link = link(|conditions| {
            conditions.longest_write = 7;
            conditions.longest_read = 3;
        });
        let bytes: Vec<u8> = (0..200).collect();
        let mut written = 0;
        while written < bytes.len() {
            written += link.write(at(0), &bytes[written..]);
        }
        let (mut buffer, mut reads) = (BytesMut::new(), 0);
        while let StreamRead::Bytes(count) = link.read(at(0), usize::MAX, &mut buffer) {
            assert!((1..=3).contains(&count));
            reads += 1;
        }
        assert_eq!(buffer, bytes);
        assert!(reads > 66);
    }

    #[test]
    fn a_stall_holds_back_what_is_under_way_and_what_comes_after() {
        let mut link = link(|conditions| conditions.latency = Duration::from_millis(5));
        link.write(at(0), b"a");
        link.write(at(1), b"b");
        link.stall(at(5), at(50));
        link.write(at(10), b"c");
        assert_eq!(read(&mut link, at(49)).1, "a");
        assert_eq!(read(&mut link, at(50)).1, "bc");
    }

    #[test]
    fn a_reset_takes_what_has_not_arrived() {
        let mut link = link(|conditions| conditions.latency = Duration::from_millis(5));
        link.write(at(0), b"a");
        link.stall(at(0), at(9));
        link.write(at(1), b"b");
        link.reset(at(1));
        assert_eq!(read(&mut link, at(5)).0, StreamRead::Nothing);
        assert_eq!(read(&mut link, at(6)).0, StreamRead::Reset);
        assert_eq!(link.unread(), 0);
    }

    #[test]
    fn what_is_written_to_a_reader_that_is_gone_is_answered_with_a_reset() {
        let mut link = link(|_| {});
        link.abandon();
        assert!(!link.takes_reset());
        assert_eq!(link.write(at(0), b"abc"), 3);
        assert!(link.takes_reset());
        assert!(!link.takes_reset());
    }
}
