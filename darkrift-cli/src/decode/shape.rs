//! Streams, datagrams and the messages in them.

use darkrift_tokio::proto::Encoding;
use darkrift_tokio::proto::wire::{
    Acknowledgement, Command, FRAME_LENGTH_BYTES, Frames, HELLO_BYTES, Header, HeaderKind, Hello,
    TOKEN_BYTES, Token, frame,
};

use super::Transport;
use super::readings;
use crate::dialect::Named;
use crate::failure::Failure;
use crate::hello::HelloFields;
use crate::hex::Hex;
use crate::message_line::Kind;
use crate::output::Output;

/// The highest version byte of a hello of the original.
const LAST_VERSION: u8 = 1;

/// Whether bytes are whole frames, or a hello and whole frames; else they are taken for a datagram.
pub(crate) fn likely_transport(bytes: &[u8]) -> Transport {
    let is_frames = |bytes: &[u8]| Frames::new(bytes, usize::MAX).count() > 0 && rest(bytes).is_empty();
    let is_behind_hello =
        bytes.len() > HELLO_BYTES && bytes[0] <= LAST_VERSION && is_frames(&bytes[HELLO_BYTES..]);
    if is_frames(bytes) || is_behind_hello { Transport::Stream } else { Transport::Datagram }
}

/// What is left behind the whole frames.
fn rest(bytes: &[u8]) -> &[u8] {
    let mut frames = Frames::new(bytes, usize::MAX);
    frames.by_ref().for_each(drop);
    frames.rest()
}

/// Prints what bytes are.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Where it is printed.
    pub(crate) output: Output,
    /// How text is encoded.
    pub(crate) encoding: Encoding,
}

impl Decoder {
    /// Prints the frames of a stream; whether they are whole.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn stream(&self, bytes: &[u8]) -> Result<bool, Failure> {
        self.output.line(format_args!("stream of {} bytes", bytes.len()))?;
        let frames = self.hello(bytes)?;
        let mut are_messages = true;
        for message in Frames::new(frames, usize::MAX) {
            self.output.line(format_args!("frame length={}", message.len()))?;
            are_messages &= self.message(message)?;
        }
        let rest = rest(frames);
        if rest.is_empty() {
            return Ok(are_messages);
        }
        match (frame(rest, usize::MAX), rest.first_chunk::<FRAME_LENGTH_BYTES>()) {
            (Err(error), _) => self.output.line(format_args!("no frame: {error}"))?,
            (Ok(_), Some(&length)) => self.output.line(format_args!(
                "no whole frame: its length is {}, and {} bytes follow",
                i32::from_be_bytes(length),
                rest.len() - FRAME_LENGTH_BYTES
            ))?,
            (Ok(_), None) => {
                self.output
                    .line(format_args!("no whole frame: its length takes {FRAME_LENGTH_BYTES} bytes"))?;
            }
        }
        self.output.line(format_args!("  rest={}", Hex(rest)))?;
        Ok(false)
    }

    /// Prints the hello at the front of a stream, if one stands there, and gives what follows it.
    fn hello<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Failure> {
        let Some((hello, frames)) = bytes.split_at_checked(HELLO_BYTES) else { return Ok(bytes) };
        // As a length, what begins with the version 1 is more than any frame has; with 0 it may be either.
        let is_hello = match hello[0] {
            LAST_VERSION => true,
            0 => rest(bytes) == bytes && rest(frames).is_empty(),
            _ => false,
        };
        match Hello::read(hello).filter(|_| is_hello) {
            Some(hello) => {
                self.output.line(format_args!("hello {}", HelloFields(hello)))?;
                Ok(frames)
            }
            None => Ok(bytes),
        }
    }

    /// Prints a datagram; whether it is whole.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn datagram(&self, bytes: &[u8]) -> Result<bool, Failure> {
        self.output.line(format_args!("datagram of {} bytes", bytes.len()))?;
        let token = match bytes.first_chunk::<TOKEN_BYTES>() {
            Some(&token) => Token::new(token),
            None => Token::new([0; TOKEN_BYTES]),
        };
        if let Some(acknowledgement) = Acknowledgement::read(bytes, token) {
            let dialect = Named(acknowledgement.dialect());
            self.output
                .line(format_args!("acknowledgement of a token, {dialect}, if a handshake waits for one"))?;
            return Ok(true);
        }
        if let Some(hello) = Hello::read(bytes) {
            let hello = HelloFields(hello);
            self.output.line(format_args!("token {hello}, if a handshake waits for one; else"))?;
        }
        self.message(bytes)
    }

    /// Prints a message; whether it is whole.
    fn message(&self, message: &[u8]) -> Result<bool, Failure> {
        let (header, length) = match Header::read(message) {
            Ok(read) => read,
            Err(error) => {
                self.output.line(format_args!("no message: {error}"))?;
                return Ok(false);
            }
        };
        let (front, payload) = message.split_at(length);
        let flags = front[0];
        match header.kind() {
            HeaderKind::User(kind) => {
                let (kind, tag) = (Kind(kind), header.tag());
                self.output.line(format_args!(
                    "message flags=0x{flags:02x} {kind} tag={tag} length={}",
                    payload.len()
                ))?;
                readings::of(payload, self.encoding)
                    .into_iter()
                    .try_for_each(|reading| self.output.line(format_args!("  {reading}")))?;
                Ok(true)
            }
            HeaderKind::Command => {
                let command = Command::read(header.tag(), payload);
                match command {
                    Some(Command::Configure(id)) => {
                        self.output.line(format_args!("command flags=0x{flags:02x} Configure id={id}"))?;
                    }
                    Some(Command::Identify(id)) => {
                        self.output.line(format_args!("command flags=0x{flags:02x} Identify id={id}"))?;
                    }
                    _ => self.output.line(format_args!(
                        "command flags=0x{flags:02x} code={} unknown or too short",
                        header.tag()
                    ))?,
                }
                self.output.line(format_args!("  hex={}", Hex(payload)))?;
                Ok(command.is_some())
            }
        }
    }
}
