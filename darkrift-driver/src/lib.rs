//! The asynchronous DarkRift 2 client and server, written once over a small [`Runtime`](runtime::Runtime) trait.
//!
//! Games use an adapter (`darkrift-tokio`, `darkrift-smol`, `darkrift-async-std`) or the facade `darkrift`, whose
//! [`Client`] and [`Server`] are these with a runtime filled in. To add another, implement [`runtime::Runtime`] and give
//! it the names of an [`adapter!`]; [`nonblocking`] has the sockets of one whose reactor tells only when they are ready.
#![forbid(unsafe_code)]

mod adapter;
mod address;
mod client;
mod connect;
mod datagrams;
mod ending;
mod error;
mod handle;
mod messages;
pub mod nonblocking;
mod notification;
mod peer;
mod receiver;
pub mod runtime;
mod scratch;
mod server;
mod sockets;
mod stream;
mod task;
mod turn;
mod udp;
mod wakers;

pub use address::Address;
pub use client::Client;
pub use connect::ClientBuilder;
pub use darkrift_proto as proto;
pub use ending::Ending;
pub use error::{BindError, ConnectError};
pub use messages::{Messages, Undecodable};
pub use server::{Behind, Broadcast, Joining, Server, ServerBuilder, ServerStatistics};
pub use udp::UdpBatch;
