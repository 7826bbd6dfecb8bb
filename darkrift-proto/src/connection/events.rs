//! What waits for the application: in order, bounded, nothing before `Connected` and nothing after `Closed`.

use alloc::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::reason::CloseReason;
use super::strike::Strike;
use crate::data::Encoding;
use crate::ids::ClientId;
use crate::message::Received;
use crate::wire::{FRAME_LENGTH_BYTES, Frames, ORDINARY_HEADER_BYTES, ordinary_tag};

/// What happened, as the application sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The connection is up; the first event of all, once.
    Connected(ClientId),
    /// A message came.
    Message(Received),
    /// Server: the client was charged with a strike.
    Strike(Strike),
    /// The connection ended; the last event of all, once. Without [`Connected`](Self::Connected) before it the
    /// connection never came up.
    Closed(CloseReason),
}

impl Event {
    fn payload_len(&self) -> usize {
        match self {
            Self::Message(received) => received.payload().len(),
            _ => 0,
        }
    }
}

/// A queue that is empty gives its buffer back when it had room for more than this.
const KEPT_WHEN_EMPTY: usize = 32;

/// What came on the stream.
#[derive(Debug)]
enum Ordered {
    Run(Run),
    Event(Event),
}

/// Ordinary messages as they lie in what was read, whole frames one after another. Each is cut out when it is
/// taken, so a burst is one entry here, and its bytes are looked at while they are near.
#[derive(Debug)]
pub(super) struct Run {
    frames: Bytes,
    count: usize,
    encoding: Encoding,
}

impl Run {
    /// How many of the frames at the front of `input` are ordinary messages of at most `limit` bytes, as far as
    /// `room` of them and the one with which they come to `room_for_bytes`, and how many bytes they are.
    #[inline]
    pub(super) fn measure(input: &[u8], limit: usize, room: usize, room_for_bytes: usize) -> (usize, usize) {
        let mut frames = Frames::new(input, limit);
        let (mut count, mut left) = (0, input.len());
        let enough = input.len().saturating_sub(room_for_bytes);
        while count < room && left > enough && frames.next().and_then(ordinary_tag).is_some() {
            count += 1;
            left = frames.rest().len();
        }
        (count, input.len() - left)
    }

    /// The frames that [`measure`](Self::measure) found.
    pub(super) const fn new(frames: Bytes, count: usize, encoding: Encoding) -> Self {
        Self { frames, count, encoding }
    }

    fn payload_bytes(&self) -> usize {
        self.frames.len() - self.count * (FRAME_LENGTH_BYTES + ORDINARY_HEADER_BYTES)
    }

    /// Goes past the header of the first message; there must be one. Its tag, and the length of its payload.
    #[inline]
    fn take_header(&mut self) -> (u16, usize) {
        self.count -= 1;
        let length = self.frames.get_u32() as usize;
        let tag = ordinary_tag(&self.frames).unwrap_or_default();
        self.frames.advance(ORDINARY_HEADER_BYTES);
        (tag, length - ORDINARY_HEADER_BYTES)
    }
}

/// An event that came on UDP: of those the newest are kept, so they stand in a queue of their own.
#[derive(Debug)]
struct Loose {
    /// How many events of the other queue go before it.
    after: u64,
    event: Event,
}

#[derive(Debug)]
#[repr(C)]
pub(super) struct Events {
    /// Why the connection ended, once it has.
    close_reason: Option<CloseReason>,
    loose_byte_limit: usize,
    /// The bytes of the payloads in `loose`.
    loose_bytes: usize,
    loose: VecDeque<Loose>,
    /// What came on the stream. Bounded by whoever takes frames, who asks for the room first.
    ordered: VecDeque<Ordered>,
    /// How many events these are, and the bytes of their payloads.
    ordered_count: usize,
    ordered_bytes: usize,
    limit: usize,
    byte_limit: usize,
    /// How many events of `ordered` have been taken since the beginning.
    taken: u64,
    connected: Option<ClientId>,
    /// Whether the connection is up, so that messages may be delivered.
    announced: bool,
    /// Whether `Closed` waits.
    closed: bool,
}

impl Events {
    /// An empty queue for `limit` events of each channel, `byte_limit` bytes of the stream's and `loose_byte_limit` of
    /// UDP's.
    pub(super) const fn new(limit: usize, byte_limit: usize, loose_byte_limit: usize) -> Self {
        Self {
            limit,
            byte_limit,
            announced: false,
            connected: None,
            ordered: VecDeque::new(),
            ordered_count: 0,
            ordered_bytes: 0,
            taken: 0,
            loose: VecDeque::new(),
            loose_byte_limit,
            loose_bytes: 0,
            close_reason: None,
            closed: false,
        }
    }

    /// How many events from the stream may be added now. Never 0 while there are none, whatever the limits are.
    pub(super) fn room(&self) -> usize {
        if self.ordered_count == 0 {
            self.limit.max(1)
        } else if self.ordered_bytes >= self.byte_limit {
            0
        } else {
            self.limit.saturating_sub(self.ordered_count)
        }
    }

    /// How many bytes of the stream may be added now, and the message with which they come to so many. Headers count here,
    /// so that it is a little less than there is room for.
    pub(super) fn room_for_bytes(&self) -> usize {
        self.byte_limit.saturating_sub(self.ordered_bytes).max(1)
    }

    /// Lifts the limit of events from the stream, and makes room for as many bytes again as may wait; once.
    pub(super) fn make_room_for_rest(&mut self) {
        if self.limit < usize::MAX {
            self.byte_limit = self.byte_limit.saturating_mul(2);
            self.limit = usize::MAX;
        }
    }

    /// How many events from the stream wait, and the bytes of their payloads.
    pub(super) fn held(&self) -> (usize, usize) {
        (self.ordered_count, self.ordered_bytes)
    }

    /// The bytes of all payloads.
    pub(super) const fn payload_bytes(&self) -> usize {
        self.ordered_bytes + self.loose_bytes
    }

    /// Adds ordinary messages from the stream.
    pub(super) fn push_run(&mut self, run: Run) {
        self.ordered_count += run.count;
        self.ordered_bytes += run.payload_bytes();
        self.ordered.push_back(Ordered::Run(run));
    }

    /// Adds an event from the stream.
    pub(super) fn push(&mut self, event: Event) {
        self.ordered_count += 1;
        self.ordered_bytes += event.payload_len();
        self.ordered.push_back(Ordered::Event(event));
    }

    /// Adds an event from UDP; where there are too many, or too many bytes, the oldest of them are dropped: it says how
    /// many. The newest always stays.
    pub(super) fn push_loose(&mut self, event: Event) -> u64 {
        let bytes = event.payload_len();
        let mut dropped = 0;
        while !self.loose.is_empty()
            && (self.loose.len() >= self.limit
                || self.loose_bytes.saturating_add(bytes) > self.loose_byte_limit)
        {
            self.take_loose();
            dropped += 1;
        }
        self.loose_bytes += bytes;
        self.loose.push_back(Loose { after: self.taken + self.ordered_count as u64, event });
        dropped
    }

    fn take_loose(&mut self) -> Option<Event> {
        let Loose { event, .. } = self.loose.pop_front()?;
        self.loose_bytes -= event.payload_len();
        Some(event)
    }

    /// The connection is up: `Connected` goes before everything that came already.
    pub(super) fn announce(&mut self, id: ClientId) {
        self.announced = true;
        self.connected = Some(id);
    }

    /// The connection ended: `Closed` goes after everything that came. What came before the connection was up is
    /// nobody's.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if !self.announced {
            self.ordered = VecDeque::new();
            (self.ordered_count, self.ordered_bytes) = (0, 0);
            self.loose = VecDeque::new();
            self.loose_bytes = 0;
        }
        self.close_reason = Some(reason);
        self.closed = true;
    }

    /// Why the connection ended, once it has.
    pub(super) const fn close_reason(&self) -> Option<&CloseReason> {
        self.close_reason.as_ref()
    }

    pub(super) fn has_next(&self) -> bool {
        self.closed || (self.announced && self.has_message())
    }

    fn has_message(&self) -> bool {
        self.connected.is_some() || !self.ordered.is_empty() || !self.loose.is_empty()
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Event> {
        if !self.announced {
            return self.pop_closed();
        }
        if self.connected.is_some() {
            return self.connected.take().map(Event::Connected);
        }
        if self.is_loose_next() {
            return self.pop_loose();
        }
        let Some(front) = self.ordered.front_mut() else {
            return self.pop_closed();
        };
        if let Ordered::Run(_) = front {
            return self.pop_message().map(Event::Message);
        }
        self.taken += 1;
        self.ordered_count -= 1;
        match self.pop_entry() {
            Some(Ordered::Event(event)) => {
                self.ordered_bytes -= event.payload_len();
                Some(event)
            }
            _ => None,
        }
    }

    fn pop_closed(&mut self) -> Option<Event> {
        if core::mem::take(&mut self.closed) { self.close_reason.clone().map(Event::Closed) } else { None }
    }

    /// [`pop`](Self::pop), where the next event is a message of a run or came on UDP, as most are.
    // The message is put together last, where it is returned: a move more would read it back in larger pieces than it
    // was written in, which stalls the processor.
    #[inline]
    pub(super) fn pop_message(&mut self) -> Option<Received> {
        if !self.announced || self.connected.is_some() {
            return None;
        }
        if self.is_loose_next() {
            return self.pop_loose_message();
        }
        let Some(Ordered::Run(run)) = self.ordered.front_mut() else { return None };
        let (tag, length) = run.take_header();
        let encoding = run.encoding;
        self.taken += 1;
        self.ordered_count -= 1;
        self.ordered_bytes -= length;
        if run.count == 0 {
            return self.pop_last_of_run(tag);
        }
        Some(Received::of_stream(tag, encoding, run.frames.split_to(length)))
    }

    /// The last message of a run takes over the reference that the run had.
    #[cold]
    fn pop_last_of_run(&mut self, tag: u16) -> Option<Received> {
        let Some(Ordered::Run(run)) = self.pop_entry() else { return None };
        Some(Received::of_stream(tag, run.encoding, run.frames))
    }

    #[inline(never)]
    fn pop_loose_message(&mut self) -> Option<Received> {
        let Event::Message(_) = self.loose.front()?.event else { return None };
        match self.pop_loose()? {
            Event::Message(received) => Some(received),
            _ => None,
        }
    }

    /// Whether the next event is one that came on UDP.
    #[inline]
    fn is_loose_next(&self) -> bool {
        self.loose.front().is_some_and(|loose| loose.after <= self.taken)
    }

    fn pop_entry(&mut self) -> Option<Ordered> {
        let entry = self.ordered.pop_front();
        if self.ordered.is_empty() && self.ordered.capacity() > KEPT_WHEN_EMPTY {
            self.ordered = VecDeque::new();
        }
        entry
    }

    fn pop_loose(&mut self) -> Option<Event> {
        let event = self.take_loose()?;
        if self.loose.is_empty() && self.loose.capacity() > KEPT_WHEN_EMPTY {
            self.loose = VecDeque::new();
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::connection::{CloseKind, Initiator};
    use crate::message::{Message, SendMode};

    const ID: ClientId = ClientId::new(3);

    fn message(tag: u16) -> Event {
        Event::Message(Received::new(Message::new(tag, &b"1234"[..]), SendMode::Reliable))
    }

    fn closed() -> CloseReason {
        CloseReason::new(Initiator::User, CloseKind::Requested)
    }

    fn all(events: &mut Events) -> Vec<Event> {
        core::iter::from_fn(|| events.pop()).collect()
    }

    #[test]
    fn nothing_comes_before_connected_and_nothing_after_closed() {
        let mut events = Events::new(256, 1000, 10_000);
        events.push(message(1));
        assert!(!events.has_next());
        assert_eq!(events.pop(), None);
        events.announce(ID);
        events.push(message(2));
        events.close(closed());
        assert_eq!(all(&mut events), [Event::Connected(ID), message(1), message(2), Event::Closed(closed())]);
        assert!(!events.has_next());
    }

    #[test]
    fn a_connection_that_never_came_up_gives_closed_alone() {
        let mut events = Events::new(256, 1000, 10_000);
        events.push(message(1));
        events.push_loose(message(2));
        events.close(closed());
        assert_eq!(all(&mut events), [Event::Closed(closed())]);
    }

    #[test]
    fn the_two_channels_come_out_in_the_order_of_arrival() {
        let mut events = Events::new(256, 1000, 10_000);
        events.push_loose(message(0));
        events.push(message(1));
        events.announce(ID);
        events.push_loose(message(2));
        events.push(message(3));
        assert_eq!(events.pop(), Some(Event::Connected(ID)));
        assert_eq!(events.pop(), Some(message(0)));
        assert_eq!(events.pop(), Some(message(1)));
        events.push_loose(message(4));
        assert_eq!(all(&mut events), [message(2), message(3), message(4)]);
    }

    #[test]
    fn of_the_unreliable_the_newest_are_kept() {
        let mut events = Events::new(2, 1000, 1000);
        events.announce(ID);
        events.pop();
        let dropped: u64 = (0..5).map(|tag| events.push_loose(message(tag))).sum();
        assert_eq!(dropped, 3);
        assert_eq!(all(&mut events), [message(3), message(4)]);
    }

    #[test]
    fn of_the_unreliable_as_many_are_kept_as_their_bytes_allow_and_always_the_newest() {
        let sized = |tag, length| {
            Event::Message(Received::new(Message::new(tag, vec![0; length]), SendMode::Unreliable))
        };
        let mut events = Events::new(256, 1000, 10);
        events.announce(ID);
        events.pop();
        assert_eq!(events.push_loose(sized(0, 4)), 0);
        assert_eq!(events.push_loose(sized(1, 6)), 0);
        assert_eq!(events.push_loose(sized(2, 0)), 0, "just as many bytes as may be");
        assert_eq!(events.push_loose(sized(3, 1)), 1);
        assert_eq!(events.push_loose(sized(4, 11)), 3, "a single one may be larger");
        assert_eq!(events.push_loose(sized(5, 10)), 1);
        assert_eq!(all(&mut events), [sized(5, 10)]);
        assert_eq!(events.push_loose(sized(6, 10)), 0, "what was taken no longer counts");
    }

    #[test]
    fn room_ends_with_the_number_of_events_or_with_their_bytes() {
        let mut events = Events::new(3, 8, 10_000);
        events.announce(ID);
        events.pop();
        assert_eq!(events.room(), 3);
        events.push(message(1));
        assert_eq!(events.room(), 2);
        events.push(message(2));
        assert_eq!(events.room(), 0);
        events.pop();
        assert_eq!(events.room(), 2);
    }

    /// Frames of ordinary messages with these tags, four bytes of payload each.
    fn frames(tags: core::ops::Range<u8>) -> Vec<u8> {
        tags.flat_map(|tag| [0, 0, 0, 7, 0, 0, tag, b'1', b'2', b'3', b'4']).collect()
    }

    #[test]
    fn the_ordinary_frames_at_the_front_are_taken_as_one_as_far_as_there_is_room() {
        let ping = [0, 0, 0, 5, 0x40, 0, 0, 0, 1];
        let input = [&frames(0..3)[..], &ping, &frames(3..4)].concat();
        assert_eq!(Run::measure(&input, 100, 9, 1000), (3, 33));
        assert_eq!(Run::measure(&input, 100, 2, 1000), (2, 22));
        assert_eq!(Run::measure(&input, 100, 0, 1000), (0, 0));
        assert_eq!(Run::measure(&input, 6, 9, 1000), (0, 0));
        assert_eq!(Run::measure(&input[..32], 100, 9, 1000), (2, 22));
        assert_eq!(Run::measure(&ping, 100, 9, 1000), (0, 0));
        for (room_for_bytes, taken) in [(1, (1, 11)), (11, (1, 11)), (12, (2, 22)), (22, (2, 22))] {
            assert_eq!(Run::measure(&input, 100, 9, room_for_bytes), taken);
        }
    }

    #[test]
    fn messages_taken_as_one_count_as_each_of_them() {
        let mut events = Events::new(256, 1000, 10_000);
        events.announce(ID);
        events.push_run(Run::new(frames(0..3).into(), 3, Encoding::default()));
        events.push(message(3));
        assert_eq!(events.pop(), Some(Event::Connected(ID)));
        for tag in 0..4_u16 {
            let left = 4 - usize::from(tag);
            assert_eq!(events.held(), (left, 4 * left));
            assert_eq!(events.pop(), Some(message(tag)));
        }
        assert_eq!(events.held(), (0, 0));
    }

    #[test]
    fn an_empty_queue_has_room_whatever_the_limits_are() {
        assert_eq!(Events::new(0, 0, 10_000).room(), 1);
    }

    #[test]
    fn an_empty_queue_keeps_no_large_buffer() {
        let mut events = Events::new(256, 10_000, 10_000);
        events.announce(ID);
        for tag in 0..256 {
            events.push(message(tag));
            events.push_loose(message(tag));
        }
        all(&mut events);
        assert!(events.ordered.capacity() <= KEPT_WHEN_EMPTY);
        assert!(events.loose.capacity() <= KEPT_WHEN_EMPTY);
    }
}
