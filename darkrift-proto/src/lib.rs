//! The DarkRift 2 protocol as a pure state machine: bytes in, events and bytes out.
//!
//! Nothing here does I/O, reads a clock, starts a thread or draws a random number: time and tokens come in as
//! arguments, so the same input gives the same output, always. Most games want one of the adapters built on it
//! (`darkrift-tokio` and its siblings); this crate is for those who drive the machine themselves, and its manual is
//! `docs/sans-io.md` in the repository.
//!
//! - [`Connection`] is one side of a connection, [`Listener`] a server's door.
//! - [`Message`], [`EncodedMessage`] and [`Received`] are what they carry; [`data`] is how values become payloads.
//! - [`wire`] is bytes and values without any progress: frames, headers, the handshake. The facts behind it are in
//!   `docs/protocol.md`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod connection;
mod count;
pub mod data;
mod ids;
mod listener;
mod message;
mod time;
pub mod wire;

pub use bytes;
pub use connection::{ClientConfig, Limits, ServerConfig};
pub use connection::{
    CloseKind, CloseReason, ConnectPhase, Connection, Datagrams, Event, Initiator, Role, RoundTrip,
    SendError, State, Statistics, StreamOutput, Strike, StrikeReason, StrikeWeights, TransportError,
};
pub use data::{Decode, DecodeError, Encode, EncodeError, Encoding, Reader, Writer};
pub use ids::{ClientId, ClientIds};
pub use listener::{ConnectionKey, Listener, Refused, Routing, TokenSource};
pub use message::{EncodedMessage, Message, MessageKind, MessageSet, Received, SendMode, Tagged, ToMessage};
pub use time::Instant;
pub use wire::{Dialect, ParseDialectError};
