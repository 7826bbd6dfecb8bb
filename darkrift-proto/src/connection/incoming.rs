//! What came from the peer: frames off the stream, and datagrams.

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use super::events::Run;
use super::pings::Acknowledged;
use super::state::State;
use super::strike::{Strike, StrikeReason};
use super::{CloseKind, Connection, Event, Initiator, Side};
use crate::message::{Message, MessageKind, Received, SendMode};
use crate::time::Instant;
use crate::wire::{FRAME_LENGTH_BYTES, FrameError, Frames, Header, HeaderError, HeaderKind, frame, missing};

/// How much a server lets a client write before its token comes. It is not looked at, only left where it is; from this
/// on the stream is not read. A read more may lie on top, of the length that the driver chose, so this is small beside
/// the reads of drivers: with those of 64 KiB fewer than 68 KiB wait. An honest client has not much to say so early, and
/// what is not read waits in the system.
const HELD_BEFORE_TOKEN: usize = 4 << 10;
/// So many bytes beside a message are kept alive with it at least, rather than that it is copied.
const WASTE: usize = 4 << 10;
/// How many messages a client keeps before Configure comes.
const HELD_BEFORE_CONFIGURE: usize = 4096;

impl Connection {
    /// Whether stream input is wanted: call [`handle_stream`](Self::handle_stream) with what there is (even without
    /// new bytes, since it may have left some), and read more.
    ///
    /// False while the application has too much to take, which slows the peer through TCP itself.
    pub fn wants_stream_read(&self) -> bool {
        match self.state {
            State::AwaitingHello | State::AwaitingAcknowledgement | State::AwaitingConfigure => true,
            State::AwaitingToken => self.input_left < HELD_BEFORE_TOKEN,
            // Nothing more comes, and what came waits for the application's word.
            State::Paired if self.stream_ended || self.fault.is_some() => false,
            State::Paired | State::Connected => self.events.room() > 0,
            State::Closing => !self.stream_ended,
            State::Drained => false,
        }
    }

    /// How many more bytes complete the frame whose beginning the last [`handle_stream`](Self::handle_stream) left;
    /// 0 if unknown. A hint for the size of the next read. A peer chose it: never allocate it at once.
    pub const fn stream_read_hint(&self) -> usize {
        self.input_missing
    }

    /// As [`handle_stream`](Self::handle_stream), for what the system still holds of a stream whose peer has gone, or that
    /// takes no output any more: nothing comes behind it, and to leave it there would be to lose it. The limit of waiting
    /// messages is lifted, and as many bytes again as [`Limits::undelivered_bytes`](super::Limits::undelivered_bytes) may
    /// wait.
    pub fn handle_stream_rest(&mut self, now: Instant, input: &mut BytesMut) {
        self.events.make_room_for_rest();
        self.handle_stream(now, input);
    }

    /// Bytes came on the stream: `input` holds them behind whatever the last call left in it.
    ///
    /// Takes whole frames off the front, as many as there is room for events, and leaves the rest. Payloads are
    /// not copied: they share the memory of `input`, unless a few would keep much of it alive. Once the connection is closed
    /// all of `input` is discarded.
    pub fn handle_stream(&mut self, now: Instant, input: &mut BytesMut) {
        if input.len() != self.input_left || self.held_back {
            self.last_heard = now;
        }
        self.take_stream(now, input);
        if self.is_closed() {
            input.clear();
        }
        if self.input_wasted && input.is_empty() {
            *input = BytesMut::new();
            self.input_wasted = false;
        }
        self.input_left = input.len();
        self.held_back = self.events.room() == 0;
    }

    /// The peer ended its stream, in good order. `input` is what the last [`handle_stream`](Self::handle_stream)
    /// left.
    ///
    /// Whole frames that are still in `input` come first: while there is no room for their events, the connection
    /// closes only when later calls of `handle_stream` have taken them. Nor does a server's side close before
    /// [`configure`](Self::configure) once the token came: what the client wrote is delivered first. Calling this again
    /// has no effect.
    pub fn handle_stream_end(&mut self, now: Instant, input: &mut BytesMut) {
        self.stream_ended = true;
        self.handle_stream(now, input);
        // Without the hello, or the client's token, nothing of it can be delivered any more.
        if matches!(self.state, State::AwaitingHello | State::AwaitingToken) {
            self.end(now, Initiator::Peer, CloseKind::EndOfStream);
            input.clear();
            self.input_left = 0;
        }
        self.drain_if_done();
    }

    fn take_stream(&mut self, now: Instant, input: &mut BytesMut) {
        self.input_missing = 0;
        let takes_frames = match self.state {
            State::AwaitingToken | State::Closing | State::Drained => false,
            State::Paired if self.fault.is_some() => false,
            State::AwaitingHello => self.take_hello(now, input),
            _ => true,
        };
        if takes_frames {
            while let Taken::Some = self.take_run(now, input) {}
        }
    }

    /// Takes ordinary messages off the front of `input`, as far as there is room, or else one frame of any kind.
    fn take_run(&mut self, now: Instant, input: &mut BytesMut) -> Taken {
        let (limit, room) = (self.side.max_frame(), self.frame_room());
        if matches!(self.state, State::Connected | State::Paired) {
            let (count, length) = Run::measure(input, limit, room, self.events.room_for_bytes());
            if count > 0 {
                self.counted.stream_bytes_received += length as u64;
                self.counted.reliable_received += count as u64;
                let encoding = self.limits().encoding;
                let frames = self.take_off(input, length);
                self.events.push_run(Run::new(frames, count, encoding));
                return Taken::Some;
            }
        }
        // The end of the stream behind the last frame is no event that waits for room.
        if room == 0 && !(self.stream_ended && input.is_empty()) {
            return Taken::Nothing;
        }
        let Some(length) = Frames::new(input, limit).next().map(<[u8]>::len) else {
            self.no_whole_frame(now, input);
            return Taken::Nothing;
        };
        self.counted.stream_bytes_received += (FRAME_LENGTH_BYTES + length) as u64;
        input.advance(FRAME_LENGTH_BYTES);
        let message = self.take_off(input, length);
        self.take_message(now, message);
        if self.is_closed() || self.fault.is_some() { Taken::Nothing } else { Taken::Some }
    }

    /// Takes bytes off the front of `input`: without a copy, unless what is kept of them would keep much alive that is not.
    #[inline]
    fn take_off(&self, input: &mut BytesMut, length: usize) -> Bytes {
        if self.input_wasted || input.len() - length > WASTE.max(4 * length) {
            let taken = Bytes::copy_from_slice(&input[..length]);
            input.advance(length);
            return taken;
        }
        input.split_to(length).freeze()
    }

    /// How many frames may be taken at once. Before Configure a client never stops, since Configure is among them; it
    /// takes them one by one, since those behind Configure wait for room again.
    fn frame_room(&self) -> usize {
        match self.state {
            State::AwaitingAcknowledgement | State::AwaitingConfigure => 1,
            _ => self.events.room(),
        }
    }

    /// There is room, but the front of `input` is no whole frame that is accepted.
    fn no_whole_frame(&mut self, now: Instant, input: &[u8]) {
        let limit = self.side.max_frame();
        match frame(input, limit) {
            // Before the application's word (`configure`) it would be as if nothing had come.
            Ok(_) if self.stream_ended && self.state != State::Paired => {
                self.end(now, Initiator::Peer, CloseKind::EndOfStream);
            }
            Ok(_) => self.input_missing = missing(input, limit),
            Err(error) => self.refuse_frame(now, error),
        }
    }

    fn refuse_frame(&mut self, now: Instant, error: FrameError) {
        let kind = match error {
            FrameError::Empty => CloseKind::EmptyFrame,
            FrameError::Negative(length) => CloseKind::NegativeFrame(length),
            FrameError::TooLong { length, limit } => {
                // It ends the connection whatever the strikes come to: the original would never read it again.
                self.charge(StrikeReason::ConnectionRequest, SendMode::Reliable);
                CloseKind::FrameTooLong { length, limit: u32::try_from(limit).unwrap_or(u32::MAX) }
            }
        };
        self.end_for_fault(now, kind);
    }

    /// Ends the connection for what the peer sent. A client whose token came has been there: the application hears of it
    /// first, and of what it sent before that.
    fn end_for_fault(&mut self, now: Instant, kind: CloseKind) {
        if self.state == State::Paired {
            self.fault = Some(Box::new(kind));
        } else {
            self.end(now, Initiator::Local, kind);
        }
    }

    /// Takes one message, of any kind.
    fn take_message(&mut self, now: Instant, mut message: Bytes) {
        match Header::read(&message) {
            Ok((header, header_len)) => {
                message.advance(header_len);
                self.input_wasted |= header.kind() == HeaderKind::Command && message.len() > WASTE;
                match (header.kind(), &self.side) {
                    (HeaderKind::User(kind), _) => {
                        self.counted.reliable_received += 1;
                        let message = self.message(header.tag(), kind, message);
                        self.deliver(now, message, SendMode::Reliable);
                    }
                    (HeaderKind::Command, Side::Client(_)) => self.take_command(now, header.tag(), &message),
                    (HeaderKind::Command, Side::Server(_)) => {
                        self.strike(now, StrikeReason::InvalidCommand, SendMode::Reliable);
                    }
                }
            }
            Err(HeaderError { .. }) => match self.side {
                Side::Client(_) => self.end(now, Initiator::Local, CloseKind::MalformedFrame),
                Side::Server(_) => self.strike(now, StrikeReason::InvalidMessageLength, SendMode::Reliable),
            },
        }
    }

    /// A datagram came from the peer's address (client), or the listener gave it to this connection (server).
    ///
    /// A client drops and counts what makes no sense, since anyone can forge a datagram; a server strikes, as the
    /// original does.
    pub fn handle_datagram(&mut self, now: Instant, mut datagram: Bytes) {
        match self.state {
            State::Closing | State::Drained => return,
            // Nothing that comes before the token is known can be meant for this connection.
            State::AwaitingHello | State::AwaitingToken => {
                self.counted.datagrams_ignored += 1;
                return;
            }
            // It is closed but for the word to the application.
            State::Paired if self.fault.is_some() => return,
            _ => {}
        }
        self.last_heard = now;
        self.counted.datagram_bytes_received += datagram.len() as u64;
        if matches!(self.side, Side::Client(_)) && self.take_acknowledgement(&datagram) {
            return;
        }
        match Header::read(&datagram) {
            Ok((header, header_len)) => match header.kind() {
                HeaderKind::User(kind) => {
                    datagram.advance(header_len);
                    let message = self.message(header.tag(), kind, datagram);
                    self.counted.unreliable_received += 1;
                    self.deliver(now, message, SendMode::Unreliable);
                }
                HeaderKind::Command => self.refuse_datagram(now, StrikeReason::InvalidCommand),
            },
            Err(HeaderError { .. }) => self.refuse_datagram(now, StrikeReason::InvalidMessageLength),
        }
    }

    fn refuse_datagram(&mut self, now: Instant, reason: StrikeReason) {
        self.counted.datagrams_ignored += 1;
        if matches!(self.side, Side::Server(_)) {
            self.strike(now, reason, SendMode::Unreliable);
        }
    }

    /// A message as the application gets it: its text is read in the connection's encoding.
    #[inline]
    fn message(&self, tag: u16, kind: MessageKind, payload: Bytes) -> Message {
        Message::new(tag, payload).with_kind(kind).with_encoding(self.limits().encoding)
    }

    /// Hands a message to the application, after the ping machinery has looked at it.
    #[inline]
    fn deliver(&mut self, now: Instant, message: Message, mode: SendMode) {
        let struck_out = match message.kind() {
            MessageKind::Ordinary => false,
            kind => self.take_ping(now, message.tag(), kind, mode),
        };
        if mode == SendMode::Reliable {
            if let Some(kind) = self.too_much_before_configure(message.payload().len()) {
                return self.end(now, Initiator::Local, kind);
            }
        }
        self.push(Event::Message(Received::new(message, mode)), mode);
        if struck_out {
            self.strike_out(now, StrikeReason::UnidentifiedPing);
        }
    }

    /// Answers a ping, or takes the sample that an acknowledgement gives; true if that was one strike too many.
    // Kept out of the way of ordinary messages, which are nearly all.
    #[inline(never)]
    fn take_ping(&mut self, now: Instant, tag: u16, kind: MessageKind, mode: SendMode) -> bool {
        match kind {
            MessageKind::Ordinary => {}
            MessageKind::Ping(code) => self.answer_ping(tag, code, mode),
            MessageKind::Acknowledgement(code) => {
                if self.pings.acknowledged(code, now) == Acknowledged::Unknown {
                    return self.charge(StrikeReason::UnidentifiedPing, mode);
                }
            }
        }
        false
    }

    /// Why a client cannot keep another message of this payload, if it cannot: messages are bounded in number, and
    /// together are no longer than one may be.
    fn too_much_before_configure(&self, payload_len: usize) -> Option<CloseKind> {
        if !matches!(self.state, State::AwaitingAcknowledgement | State::AwaitingConfigure) {
            return None;
        }
        let ((held, bytes), byte_limit) = (self.events.held(), self.side.max_frame());
        if held >= HELD_BEFORE_CONFIGURE {
            Some(CloseKind::TooManyBeforeConfigure(HELD_BEFORE_CONFIGURE))
        } else if bytes + payload_len > byte_limit {
            Some(CloseKind::TooManyBytesBeforeConfigure(byte_limit))
        } else {
            None
        }
    }

    fn push(&mut self, event: Event, mode: SendMode) {
        match mode {
            SendMode::Reliable => self.events.push(event),
            SendMode::Unreliable => {
                self.counted.undelivered_dropped += self.events.push_loose(event);
            }
        }
    }

    /// Charges the client with a strike, and closes the connection if it was one too many.
    fn strike(&mut self, now: Instant, reason: StrikeReason, mode: SendMode) {
        if self.charge(reason, mode) {
            self.strike_out(now, reason);
        }
    }

    /// Charges the client with a strike; true if it was one too many. A client's side charges nobody, and a weight
    /// of 0 is no strike.
    fn charge(&mut self, reason: StrikeReason, mode: SendMode) -> bool {
        let Side::Server(config) = &self.side else { return false };
        let (weight, max_strikes) = (config.strike_weights.of(reason), config.max_strikes);
        if weight == 0 {
            return false;
        }
        self.strikes = self.strikes.saturating_add(weight);
        let total = self.strikes;
        self.push(Event::Strike(Strike { reason, weight, total }), mode);
        total >= max_strikes
    }

    fn strike_out(&mut self, now: Instant, last: StrikeReason) {
        self.end_for_fault(now, CloseKind::Strikes { last, total: self.strikes });
    }

    /// Server: takes `weight` off the client's strikes, as a handler of the original may forgive one.
    pub fn forgive_strikes(&mut self, weight: u32) {
        self.strikes = self.strikes.saturating_sub(weight);
    }
}

/// Whether frames were taken, so that there may be more to take.
enum Taken {
    Some,
    Nothing,
}
