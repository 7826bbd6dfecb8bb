//! DarkRift 2 game networking for Rust: a client and a server that exchange tagged messages, reliably over TCP and
//! unreliably over UDP, as one connection. It is compatible with the original: Unity clients built years ago connect to
//! a Rust server unchanged, and a Rust client to their C# server.
//!
//! # A server
//!
//! ```no_run
//! # #[cfg(all(feature = "tokio", feature = "derive"))]
//! # mod example {
//! use darkrift::MessageKind;
//! use darkrift::tokio::{Client, Server};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = Server::bind("0.0.0.0:4296").await?;
//!     while let Some(client) = server.accept().await {
//!         tokio::spawn(echo(client));
//!     }
//!     Ok(())
//! }
//!
//! async fn echo(client: Client) {
//!     while let Some(received) = client.recv().await {
//!         if received.kind() == MessageKind::Ordinary {
//!             let _ = client.send(received.send_mode(), received.message()).await;
//!         }
//!     }
//!     println!("client {} left: {}", client.id(), client.close_reason().expect("it has closed"));
//! }
//! # }
//! ```
//!
//! # A client
//!
//! ```no_run
//! # #[cfg(all(feature = "tokio", feature = "derive"))]
//! # mod example {
//! use darkrift::{Message, SendMode, tokio::Client};
//!
//! #[derive(Message, Debug)]
//! #[darkrift(tag = 1)]
//! struct Hello {
//!     name: String,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::connect("127.0.0.1:4296").await?;
//!     client.send(SendMode::Reliable, &Hello { name: "Ada".into() }).await?;
//!     while let Some(received) = client.recv().await {
//!         println!("{:?}", received.decode::<Hello>()?);
//!     }
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # What is where
//!
//! | to | use |
//! | --- | --- |
//! | write a game on tokio (the feature `tokio`, on by default) | [`tokio`] |
//! | the same on smol (the feature `smol`), or async-std (`async-std`) | `smol`, `async_std` |
//! | the same in a game loop, without async (the feature `std`) | `std` |
//! | give messages types (the feature `derive`, on by default) | `#[derive(Message)]`, `#[derive(MessageSet)]` |
//! | read and write payloads by hand | [`Reader`], [`Writer`], [`Encode`], [`Decode`] |
//! | drive the protocol in an event loop of your own | [`proto`] |
//!
//! Every feature only re-exports its crate, so any of them may be on together.
//!
//! # What a connection does for you
//!
//! - A connect tries every address of a host name, repeats what UDP may lose, and finds out which dialect the server
//!   speaks. A failed one says which phase it failed in.
//! - `send` queues, and everything queued leaves in one system call. Reliable messages wait for a slow peer;
//!   unreliable ones never wait. Whatever is refused is still yours.
//! - `recv` gives every message, and `None` at the end; `close_reason` says who ended the connection and why.
//! - Nothing that a peer sends can make it panic, allocate what a length field says, or fill a queue without bound:
//!   see [`Limits`].
#![forbid(unsafe_code)]

#[cfg(feature = "derive")]
pub use darkrift_derive::{Decode, Encode, Message, MessageSet};
#[doc(inline)]
pub use darkrift_proto as proto;
/// The buffers that payloads are in: the crate `bytes`.
pub use darkrift_proto::bytes;
pub use darkrift_proto::{
    ClientConfig, ClientId, CloseKind, CloseReason, ConnectPhase, Decode, DecodeError, Dialect, Encode,
    EncodeError, EncodedMessage, Encoding, Initiator, Limits, Message, MessageKind, MessageSet,
    ParseDialectError, Reader, Received, RoundTrip, SendError, SendMode, ServerConfig, Statistics, Strike,
    StrikeReason, StrikeWeights, Tagged, ToMessage, TransportError, Writer,
};

/// The client and the server on smol: the crate `darkrift-smol`.
#[cfg(feature = "smol")]
pub mod smol {
    pub use darkrift_smol::*;
}

/// The client and the server on async-std, which is discontinued upstream: the crate `darkrift-async-std`.
#[cfg(feature = "async-std")]
pub mod async_std {
    pub use darkrift_async_std::*;
}

#[cfg_attr(
    feature = "std",
    doc = "The client and the server for game loops, without async: the crate [`darkrift_std`]."
)]
///
/// ```no_run
/// use darkrift::std::{Client, Event};
///
/// # fn example(mut client: Client) -> Result<(), darkrift::SendError> {
/// loop {
///     client.update();
///     while let Some(event) = client.next_event() {
///         match event {
///             Event::Message(received) => println!("tag {}", received.tag()),
///             Event::Closed(reason) => return Ok(println!("{reason}")),
///             _ => {}
///         }
///     }
///     // Simulate, draw, and send what the frame brought forth.
/// }
/// # }
/// ```
#[cfg(feature = "std")]
pub mod std {
    pub use darkrift_std::*;
}

/// The client and the server on tokio: the crate `darkrift-tokio`.
#[cfg(feature = "tokio")]
pub mod tokio {
    pub use darkrift_tokio::*;
}

/// The README's programs compile.
#[cfg(all(doctest, feature = "tokio", feature = "derive"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guides' programs compile and run.
#[cfg(all(doctest, feature = "tokio", feature = "derive"))]
mod guides {
    #[doc = include_str!("../docs/from-darkrift.md")]
    struct FromDarkRift;
    #[doc = include_str!("../docs/from-darkriftpy.md")]
    struct FromDarkRiftPy;
}
