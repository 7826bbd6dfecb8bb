//! What games exchange: tagged messages, how they are sent, and how a typed value becomes one.

use alloc::boxed::Box;
use core::hash::{Hash, Hasher};

use bytes::{Buf, Bytes, BytesMut};

use crate::data::{Decode, DecodeError, Encode, EncodeError, Encoding, Reader, Writer};
use crate::wire::{FRAME_LENGTH_BYTES, Header, HeaderKind};

/// How a message travels.
///
/// The two channels keep no order between them: an unreliable message that is sent right behind a reliable one often arrives
/// before it. A client that introduces itself reliably sends unreliably only behind the server's first reliable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "the protocol has these two channels and no others")]
pub enum SendMode {
    /// Over TCP: arrives once, in order, or the connection ends.
    Reliable,
    /// Over UDP: one datagram, which may be lost, repeated or overtaken. At most 65,507 bytes with its header.
    Unreliable,
}

/// What a user message is to the ping machinery (`docs/protocol.md`, Message).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the two ping bits of the header have these three readings")]
pub enum MessageKind {
    /// A message like any other.
    #[default]
    Ordinary,
    /// A message that also asks to be acknowledged with this code.
    Ping(u16),
    /// The acknowledgement of the ping with this code.
    Acknowledgement(u16),
}

/// A message with its tag and its payload as it is on the wire, not yet read as any type.
///
/// Cloning it clones a reference count, not the payload. A received payload shares the buffer it was received
/// into; [`detach`](Self::detach) a message that is kept for long.
///
/// Two messages are equal when they are the same on the wire.
#[derive(Clone, Debug, Default)]
pub struct Message {
    tag: u16,
    kind: MessageKind,
    /// How text in the payload is read where a type names no other encoding.
    encoding: Encoding,
    payload: Bytes,
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        (self.tag, self.kind, &self.payload) == (other.tag, other.kind, &other.payload)
    }
}

impl Eq for Message {}

impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.tag, self.kind, &self.payload).hash(state);
    }
}

impl Message {
    /// An ordinary message of these payload bytes.
    pub fn new(tag: u16, payload: impl Into<Bytes>) -> Self {
        Self { tag, kind: MessageKind::Ordinary, encoding: Encoding::Utf16Le, payload: payload.into() }
    }

    /// A message without a payload.
    pub const fn empty(tag: u16) -> Self {
        Self { tag, kind: MessageKind::Ordinary, encoding: Encoding::Utf16Le, payload: Bytes::new() }
    }

    /// A message whose payload is `value`, its text in UTF-16LE where the value names no other encoding. For a connection
    /// that is set to another one there is [`encode_with`](Self::encode_with): the payload is sent as it is.
    ///
    /// # Errors
    /// What the value's [`Encode`] refuses.
    pub fn encode<T: Encode + ?Sized>(tag: u16, value: &T) -> Result<Self, EncodeError> {
        Self::encode_with(tag, value, Encoding::default())
    }

    /// A message whose payload is `value`, its text written in `encoding` where the value names no other.
    ///
    /// # Errors
    /// What the value's [`Encode`] refuses.
    pub fn encode_with<T: Encode + ?Sized>(
        tag: u16,
        value: &T,
        encoding: Encoding,
    ) -> Result<Self, EncodeError> {
        let room = value.encoded_len().map(|length| BytesMut::with_capacity(length.min(LONGEST)));
        let mut writer = Writer::append_to(room.unwrap_or_default(), encoding);
        value.encode(&mut writer)?;
        Ok(Self { tag, kind: MessageKind::Ordinary, encoding, payload: writer.into_bytes() })
    }

    /// The same message as another kind: a ping or an acknowledgement.
    #[must_use]
    pub fn with_kind(mut self, kind: MessageKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same message, whose text is read in `encoding` where a type names no other. A connection sets its own
    /// ([`Limits::encoding`](crate::Limits::encoding)) on what it receives.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The user's tag.
    pub const fn tag(&self) -> u16 {
        self.tag
    }

    /// Whether it is an ordinary message, a ping, or an acknowledgement.
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The payload: everything after the header.
    pub const fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload by value.
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// The same message with a payload of its own, so that it keeps no larger receive buffer alive.
    #[must_use]
    pub fn detach(self) -> Self {
        Self { payload: Bytes::copy_from_slice(&self.payload), ..self }
    }

    /// A reader over the payload, with the encoding of the connection it came on (UTF-16LE by default).
    #[inline]
    pub fn reader(&self) -> Reader<'_> {
        Reader::from_bytes(&self.payload).with_encoding(self.encoding)
    }

    /// Reads the payload as a `T`. Bytes left over are ignored, as the original ignores them; see
    /// [`decode_strict`](Self::decode_strict).
    ///
    /// # Errors
    /// When the tag is not `T`'s (for a `T` that has one), or the payload is no `T`.
    #[inline]
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(&mut self.reader_of::<T>()?)
    }

    /// Reads the payload as a `T` and gives the bytes that were left over, too.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_with_rest<T: Decode>(&self) -> Result<(T, Bytes), DecodeError> {
        self.decode_front().map(|(value, end)| (value, self.payload.slice(end..)))
    }

    /// Reads the payload as a `T` and nothing besides.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when bytes are left over.
    #[inline]
    pub fn decode_strict<T: Decode>(&self) -> Result<T, DecodeError> {
        let (value, end) = self.decode_front()?;
        let left = self.payload.len() - end;
        if left == 0 { Ok(value) } else { Err(DecodeError::left_over(end, left)) }
    }

    /// The value, and where in the payload it ends.
    #[inline]
    fn decode_front<T: Decode>(&self) -> Result<(T, usize), DecodeError> {
        let mut reader = self.reader_of::<T>()?;
        let value = T::decode(&mut reader)?;
        Ok((value, reader.position()))
    }

    /// The reader, where the tag is none that a `T` does not have.
    #[inline]
    fn reader_of<T: Decode>(&self) -> Result<Reader<'_>, DecodeError> {
        match T::MESSAGE_TAG {
            Some(expected) if expected != self.tag => {
                Err(DecodeError::wrong_tag_for::<T>(expected, self.tag))
            }
            _ => Ok(self.reader()),
        }
    }
}

/// A message as it arrived: with the channel it came on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    message: Message,
    send_mode: SendMode,
}

impl Received {
    /// A message that came on the channel of `send_mode`.
    pub const fn new(message: Message, send_mode: SendMode) -> Self {
        Self { message, send_mode }
    }

    /// An ordinary message that came on the stream.
    #[inline]
    pub(crate) const fn of_stream(tag: u16, encoding: Encoding, payload: Bytes) -> Self {
        let message = Message { tag, kind: MessageKind::Ordinary, encoding, payload };
        Self { message, send_mode: SendMode::Reliable }
    }

    /// The channel it came on.
    pub const fn send_mode(&self) -> SendMode {
        self.send_mode
    }

    /// The message itself.
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// The message by value.
    pub fn into_message(self) -> Message {
        self.message
    }

    /// The user's tag.
    pub const fn tag(&self) -> u16 {
        self.message.tag()
    }

    /// Whether it is an ordinary message, a ping, or an acknowledgement.
    pub const fn kind(&self) -> MessageKind {
        self.message.kind()
    }

    /// The payload: everything after the header.
    pub const fn payload(&self) -> &Bytes {
        self.message.payload()
    }

    /// A reader over the payload, with the encoding of the connection it came on (UTF-16LE by default).
    pub fn reader(&self) -> Reader<'_> {
        self.message.reader()
    }

    /// [`Message::decode`].
    ///
    /// # Errors
    /// When the tag is not `T`'s (for a `T` that has one), or the payload is no `T`.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        self.message.decode()
    }

    /// [`Message::decode_strict`].
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when bytes are left over.
    pub fn decode_strict<T: Decode>(&self) -> Result<T, DecodeError> {
        self.message.decode_strict()
    }

    /// Reads the message as one of a set, an enum with `#[derive(MessageSet)]`. `None` for what only measures the round
    /// trip: an acknowledgement of a ping that carries no payload, as the library sends it, and a ping that carries none and
    /// is none of the set. A ping that is one of the set is given like any message.
    ///
    /// # Errors
    /// When the tag is none of the set's and the set has no variant for others, or the payload is not what the tag says.
    pub fn decode_set<S: MessageSet>(&self) -> Result<Option<S>, DecodeError> {
        let is_bare = self.payload().is_empty();
        match self.kind() {
            // It bears the tag of the ping that it answers, but nothing of that message.
            MessageKind::Acknowledgement(_) if is_bare => Ok(None),
            MessageKind::Ping(_) if is_bare => Ok(S::from_message(&self.message).ok()),
            _ => S::from_message(&self.message).map(Some),
        }
    }
}

impl AsRef<Message> for Received {
    fn as_ref(&self) -> &Message {
        &self.message
    }
}

/// A type that is always sent with the same tag. `#[derive(Message)]` writes this impl.
#[diagnostic::on_unimplemented(note = "a message type is one with `#[derive(Message)] #[darkrift(tag = …)]`")]
pub trait Tagged {
    /// The tag.
    const TAG: u16;
}

#[diagnostic::do_not_recommend]
impl<T: Tagged> Tagged for Box<T> {
    const TAG: u16 = T::TAG;
}

/// Whatever `send` takes: something with a tag that can write its payload.
///
/// Every type that is [`Tagged`] and [`Encode`] is one; so are [`Message`] and the enums of
/// `#[derive(MessageSet)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message that can be sent",
    note = "what is sent has a tag: a type of yours has one with `#[derive(Message)] #[darkrift(tag = …)]`",
    note = "any other value is sent as `&Message::encode(tag, &value)?`, with the `?`: what `encode` gives is a `Result`"
)]
pub trait ToMessage {
    /// The tag to send it with.
    fn tag(&self) -> u16;

    /// Writes the payload, behind what the writer holds already.
    ///
    /// # Errors
    /// What the value's [`Encode`] refuses.
    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError>;

    /// What the message is to the ping machinery; an ordinary message unless overridden.
    fn kind(&self) -> MessageKind {
        MessageKind::Ordinary
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tagged + Encode> ToMessage for T {
    #[inline]
    fn tag(&self) -> u16 {
        T::TAG
    }

    #[inline]
    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.encode(writer)
    }
}

impl ToMessage for Message {
    #[inline]
    fn tag(&self) -> u16 {
        self.tag
    }

    #[inline]
    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_raw(&self.payload);
        Ok(())
    }

    #[inline]
    fn kind(&self) -> MessageKind {
        self.kind
    }
}

/// A closed set of message types, found by tag. `#[derive(MessageSet)]` writes this impl.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of messages",
    note = "a set is an enum with `#[derive(MessageSet)]`, each variant of which holds a message; one type of message alone is read with `decode`"
)]
pub trait MessageSet: Sized {
    /// The tags of the set, in the order of its variants.
    const TAGS: &'static [u16];

    /// Reads a message as the variant of its tag.
    ///
    /// # Errors
    /// When the tag is none of [`TAGS`](Self::TAGS) and the set has no variant for others, or the payload is not
    /// that variant's.
    fn from_message(message: &Message) -> Result<Self, DecodeError>;
}

/// A message encoded once, for sending to many: a single allocation that TCP and UDP share.
///
/// Cloning it clones a reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedMessage {
    /// `[length][flags][tag][payload]`.
    frame: Bytes,
}

impl EncodedMessage {
    /// Encodes a message, its text in UTF-16LE wherever the type names no other encoding. For a connection that is set to
    /// another one there is [`with_encoding`](Self::with_encoding), which a server's `encode` does.
    ///
    /// # Errors
    /// What the message's payload refuses, and a message whose length the wire's `i32` cannot say.
    pub fn new<M: ToMessage + ?Sized>(message: &M) -> Result<Self, EncodeError> {
        Self::with_encoding(message, Encoding::default())
    }

    /// Encodes a message whose text is written in `encoding` wherever the type names no other.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_encoding<M: ToMessage + ?Sized>(
        message: &M,
        encoding: Encoding,
    ) -> Result<Self, EncodeError> {
        let mut writer = Writer::new();
        encode_frame(&mut writer, message, encoding)?;
        Ok(Self { frame: writer.into_bytes() })
    }

    /// Encodes a message into the buffer of a writer that is kept for the purpose, and cuts it off: a buffer serves
    /// several messages, and is used again once those have gone. What the writer had written before is lost.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_writer<M: ToMessage + ?Sized>(
        writer: &mut Writer,
        message: &M,
        encoding: Encoding,
    ) -> Result<Self, EncodeError> {
        let buffer = writer.buffer_mut();
        buffer.clear();
        if buffer.capacity() < MIN_GROWTH {
            buffer.reserve(KEPT);
        }
        encode_frame(writer, message, encoding)?;
        let frame = writer.buffer_mut().split().freeze();
        if frame.len() > KEPT {
            // Nothing large is kept.
            *writer.buffer_mut() = BytesMut::new();
        }
        Ok(Self { frame })
    }

    /// The bytes for TCP: the length, then the message.
    pub const fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The bytes for UDP: the message without the length.
    pub fn datagram(&self) -> Bytes {
        self.frame.slice(FRAME_LENGTH_BYTES..)
    }

    /// The length of the message without the frame's length field, in bytes.
    pub fn message_len(&self) -> usize {
        self.frame.len() - FRAME_LENGTH_BYTES
    }

    /// The tag.
    pub fn tag(&self) -> u16 {
        (&self.frame[FRAME_LENGTH_BYTES + 1..]).get_u16()
    }

    /// Whether it is an ordinary message, a ping, or an acknowledgement.
    pub fn kind(&self) -> MessageKind {
        match Header::read(&self.frame[FRAME_LENGTH_BYTES..]).map(|(header, _)| header.kind()) {
            Ok(HeaderKind::User(kind)) => kind,
            // It was written as a message of the user's.
            _ => MessageKind::Ordinary,
        }
    }
}

/// The longest message that the wire can say.
const LONGEST: usize = i32::MAX as usize;

/// Room made at once for the beginning of a message, so that a buffer does not grow field by field.
const MIN_GROWTH: usize = 64;

/// The room that a writer for encoded messages is given at a time.
const KEPT: usize = 1 << 10;

/// Appends `[length][header][payload]` to what `writer` has, or leaves it as it was.
// Always within its caller, and what it calls within it: for a short message the calls were a good part of the work.
#[inline(always)]
pub(crate) fn encode_frame<M: ToMessage + ?Sized>(
    writer: &mut Writer,
    message: &M,
    encoding: Encoding,
) -> Result<(), EncodeError> {
    let mut attempt = Attempt::new(writer);
    let buffer = attempt.writer.buffer_mut();
    if buffer.capacity() - buffer.len() < FRAME_LENGTH_BYTES {
        buffer.reserve(MIN_GROWTH);
    }
    buffer.extend_from_slice(&[0; FRAME_LENGTH_BYTES]);
    attempt.write_message(message, encoding)?;
    let (header, message) = attempt.writer.buffer_mut()[attempt.start..].split_at_mut(FRAME_LENGTH_BYTES);
    let length = i32::try_from(message.len()).map_err(|_| EncodeError::too_long(message.len()))?;
    header.copy_from_slice(&length.to_be_bytes());
    attempt.is_whole = true;
    Ok(())
}

/// Appends `[header][payload]` to what `writer` has, or leaves it as it was.
#[inline]
pub(crate) fn encode_message<M: ToMessage + ?Sized>(
    writer: &mut Writer,
    message: &M,
    encoding: Encoding,
) -> Result<(), EncodeError> {
    let mut attempt = Attempt::new(writer);
    attempt.write_message(message, encoding)?;
    attempt.is_whole = true;
    Ok(())
}

/// A message being written behind others: taken back unless it becomes whole, even where its payload's code panics.
struct Attempt<'a> {
    writer: &'a mut Writer,
    start: usize,
    is_whole: bool,
}

impl<'a> Attempt<'a> {
    #[inline]
    fn new(writer: &'a mut Writer) -> Self {
        Self { start: writer.buffer().len(), writer, is_whole: false }
    }

    #[inline(always)]
    fn write_message<M: ToMessage + ?Sized>(
        &mut self,
        message: &M,
        encoding: Encoding,
    ) -> Result<(), EncodeError> {
        Header::user(message.tag(), message.kind()).write(self.writer.buffer_mut());
        self.writer.begin(encoding);
        let start = self.writer.start();
        message.encode_payload(self.writer)?;
        assert!(self.writer.start() == start, "an `Encode` has replaced the writer that it was to write to");
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_whole {
            self.writer.buffer_mut().truncate(self.start);
        }
    }
}
