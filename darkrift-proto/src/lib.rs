//! The DarkRift 2 protocol as a pure state machine: bytes in, events and bytes out.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod connection;
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
pub use wire::Dialect;
