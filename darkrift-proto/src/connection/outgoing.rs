//! What goes to the peer: messages, pings, and what the two transports take.

use bytes::{Bytes, BytesMut};

use super::datagram_queue::{Datagrams, encode_datagram};
use super::{Connection, Event, SendError, StreamOutput};
use crate::data::{EncodeError, Writer};
use crate::message::{EncodedMessage, Message, MessageKind, Received, SendMode, ToMessage};
use crate::time::Instant;
use crate::wire::HELLO_BYTES;

impl Connection {
    /// Queues a message, encoded straight into the queue of its channel.
    ///
    /// A client may send reliably from the hello on, although the server looks at it only later; everything else
    /// waits for the connection. A [`Message`] that is a ping is remembered as one, with the code it has.
    ///
    /// # Errors
    /// [`SendError`]: closed, not connected yet, the reliable queue full, too long for the channel (65,507 bytes with
    /// the header when unreliable), or not encodable. Nothing of a refused message is sent. The unreliable queue is
    /// never full: it drops its oldest.
    #[inline]
    pub fn send<M: ToMessage + ?Sized>(
        &mut self,
        now: Instant,
        mode: SendMode,
        message: &M,
    ) -> Result<(), SendError> {
        self.check_may_send(mode)?;
        self.queue(mode, message)?;
        self.sent(now, mode, message.kind());
        Ok(())
    }

    /// Sends an unreliable message past the queue where nothing waits in it: appends its datagram to `datagram`, for the
    /// caller to send at once. Appends nothing where others wait, or the token is due: then the message is queued behind
    /// them, as by [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send). Nothing is appended then.
    #[inline]
    pub fn send_datagram<M: ToMessage + ?Sized>(
        &mut self,
        now: Instant,
        message: &M,
        datagram: &mut BytesMut,
    ) -> Result<(), SendError> {
        if self.has_datagram() {
            return self.send(now, SendMode::Unreliable, message);
        }
        self.check_may_send(SendMode::Unreliable)?;
        let length = encode_datagram(datagram, message, self.limits().encoding)?;
        self.counted.datagram_bytes_sent += length as u64;
        self.sent(now, SendMode::Unreliable, message.kind());
        Ok(())
    }

    /// Queues a message that was encoded before, which one encoding serves for many peers.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_encoded(
        &mut self,
        now: Instant,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> Result<(), SendError> {
        self.check_may_send(mode)?;
        match mode {
            SendMode::Reliable => self.stream.push_encoded(message)?,
            SendMode::Unreliable => self.datagrams.push_encoded(message)?,
        }
        self.sent(now, mode, message.kind());
        Ok(())
    }

    /// Sends a message as a ping: its acknowledgement gives a sample of the [`round_trip`](Self::round_trip). The
    /// connection picks the code, and returns it.
    ///
    /// The last 256 pings are remembered. An acknowledgement of an older one is no sample, and costs a client a strike.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn ping<M: ToMessage + ?Sized>(
        &mut self,
        now: Instant,
        mode: SendMode,
        message: &M,
    ) -> Result<u16, SendError> {
        let code = self.pings.next_code();
        self.send(now, mode, &WithKind { message, kind: MessageKind::Ping(code) })?;
        Ok(code)
    }

    /// Sends a message as the acknowledgement of the ping with this code. Only needed where
    /// [`Limits::answer_pings`](super::Limits::answer_pings) is off.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn acknowledge<M: ToMessage + ?Sized>(
        &mut self,
        now: Instant,
        mode: SendMode,
        code: u16,
        message: &M,
    ) -> Result<(), SendError> {
        self.send(now, mode, &WithKind { message, kind: MessageKind::Acknowledgement(code) })
    }

    /// Acknowledges a ping with an empty message of the same tag on the same channel, unless that is the
    /// application's business. Where there is no room it is dropped: two peers that each waited for the other to
    /// read would wait for ever.
    pub(super) fn answer_ping(&mut self, tag: u16, code: u16, mode: SendMode) {
        if !self.limits().answer_pings {
            return;
        }
        let answer = Message::empty(tag).with_kind(MessageKind::Acknowledgement(code));
        if self.state.may_answer(mode) && self.queue(mode, &answer).is_ok() {
            self.count_sent(mode);
        } else {
            self.counted.acknowledgements_dropped += 1;
        }
    }

    fn check_may_send(&self, mode: SendMode) -> Result<(), SendError> {
        if self.state.may_send(mode) {
            Ok(())
        } else if self.is_closed() {
            Err(SendError::Closed)
        } else {
            Err(SendError::NotConnected)
        }
    }

    fn queue<M: ToMessage + ?Sized>(&mut self, mode: SendMode, message: &M) -> Result<(), SendError> {
        let encoding = self.limits().encoding;
        match mode {
            SendMode::Reliable => self.stream.push(message, encoding),
            SendMode::Unreliable => self.datagrams.push(message, encoding),
        }
    }

    #[inline]
    fn sent(&mut self, now: Instant, mode: SendMode, kind: MessageKind) {
        self.count_sent(mode);
        if let MessageKind::Ping(code) = kind {
            self.pings.sent(code, now);
        }
    }

    fn count_sent(&mut self, mode: SendMode) {
        match mode {
            SendMode::Reliable => self.counted.reliable_sent += 1,
            SendMode::Unreliable => self.counted.unreliable_sent += 1,
        }
    }

    /// Takes the next event; `None` while there is none. [`Event::Connected`] is the first of all and
    /// [`Event::Closed`] the last.
    #[inline]
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// [`poll_event`](Self::poll_event), where the next event is an ordinary message off the stream, or any that came on UDP;
    /// `None`, and nothing taken, where it is another or there is none. For loops that take many messages: it moves less.
    #[inline]
    #[must_use]
    pub fn poll_message(&mut self) -> Option<Received> {
        self.events.pop_message()
    }

    /// Whether [`poll_event`](Self::poll_event) would give something.
    #[inline]
    pub fn has_event(&self) -> bool {
        self.events.has_next()
    }

    /// Bytes of payload that [`poll_event`](Self::poll_event) has not given yet.
    pub const fn events_queued(&self) -> usize {
        self.events.payload_bytes()
    }

    /// The stream's output: write its chunks to the socket and advance by what it took.
    pub fn stream_output(&mut self) -> StreamOutput<'_> {
        self.stream.output()
    }

    /// Bytes that wait to be written to the stream.
    #[inline]
    pub const fn stream_queued(&self) -> usize {
        self.stream.queued()
    }

    /// Bytes that wait to leave as datagrams.
    #[inline]
    pub fn datagrams_queued(&self) -> usize {
        self.datagrams.queued()
    }

    /// Whether the reliable queue would take a message that is `frame_len` bytes on the stream, its length included.
    pub const fn has_room(&self, frame_len: usize) -> bool {
        self.stream.has_room(frame_len)
    }

    /// Takes the next datagram to send to the peer; `None` while there is none.
    #[must_use]
    pub fn poll_datagram(&mut self) -> Option<Bytes> {
        self.poll_datagrams(1).map(|datagrams| datagrams.contents)
    }

    /// Takes several datagrams of one length at once (the last may be shorter), `max_segments` at most and together
    /// no longer than a datagram may be, as segmentation offload sends them. Each stays a datagram of its own.
    #[must_use]
    pub fn poll_datagrams(&mut self, max_segments: usize) -> Option<Datagrams> {
        let taken = match self.take_token() {
            Some(token) => {
                let contents = Bytes::copy_from_slice(&token);
                Datagrams { segment: contents.len(), contents }
            }
            None => self.datagrams.pop_run(max_segments)?,
        };
        self.counted.datagram_bytes_sent += taken.contents.len() as u64;
        Some(taken)
    }

    /// Takes the next datagram into `buffer` and gives its length, where that costs no allocation: it is the token or
    /// a message of this connection's own, it fits, and no other waits. `None`, and nothing taken, otherwise: then ask
    /// [`poll_datagram`](Self::poll_datagram) or [`poll_datagrams`](Self::poll_datagrams).
    #[must_use]
    pub fn poll_lone_datagram(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let length = if self.token_due { self.copy_token(buffer) } else { self.datagrams.pop_lone(buffer) }?;
        self.counted.datagram_bytes_sent += length as u64;
        Some(length)
    }

    /// The token in `buffer`, if it fits. Nothing else waits while it is due.
    fn copy_token(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let room = buffer.get_mut(..HELLO_BYTES)?;
        room.copy_from_slice(&self.take_token()?);
        Some(HELLO_BYTES)
    }

    /// Whether [`poll_datagram`](Self::poll_datagram) would give something.
    #[inline]
    pub fn has_datagram(&self) -> bool {
        self.token_due || !self.datagrams.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing happens before; `None` for
    /// never. It may change with every other call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }
}

/// A message as another kind than it says.
struct WithKind<'a, M: ?Sized> {
    message: &'a M,
    kind: MessageKind,
}

impl<M: ToMessage + ?Sized> ToMessage for WithKind<'_, M> {
    fn tag(&self) -> u16 {
        self.message.tag()
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.message.encode_payload(writer)
    }

    fn kind(&self) -> MessageKind {
        self.kind
    }
}
