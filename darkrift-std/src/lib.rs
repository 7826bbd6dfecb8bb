//! A DarkRift 2 client and server for game loops: no async, everything on the thread of the game, updated once a frame.
//!
//! ```no_run
//! use darkrift_std::proto::{Message, SendMode};
//! use darkrift_std::{Client, Event};
//! # use std::time::Duration;
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::connect("127.0.0.1:4296")?;
//! client.send(SendMode::Reliable, &Message::encode(5, "Hello World")?)?;
//! loop {
//!     client.update();
//!     while let Some(event) = client.next_event() {
//!         match event {
//!             Event::Message(received) => println!("tag {}", received.tag()),
//!             Event::Closed(reason) => return Ok(println!("{reason}")),
//!             _ => {}
//!         }
//!     }
//!     // Simulate, draw, and send what the frame brought forth.
//!     std::thread::sleep(Duration::from_millis(16));
//! }
//! # }
//! ```
//!
//! Nothing happens between the calls: `update` moves what the sockets have and what they take, and never waits. It takes what
//! comes for about 4 ms; whatever is left is taken in the next frame, and a program that has time left updates once more. A
//! program that has nothing else to do waits with `wait` instead, which sleeps until something comes.
//!
//! Events that are not taken are held back, and so are the peers that send more: beside what
//! [`Limits`](darkrift_driver::proto::Limits) allows each connection, 2,048 messages with 1 MiB of payload wait for
//! `next_event`, and 1,024 other events. One connection takes half of that at most, and each may add one message more, however
//! long: one of which nothing waits always does. The clients of a server take turns: whoever says little does not wait
//! behind all that another has said.
//!
//! A connection ends in two steps. Its last event says that nothing more will come; what was queued before a close may be
//! still on its way then, and leaves in further updates, or in `finish`, which waits for it.
//!
//! Underneath is [`darkrift_driver`], as on the runtimes, but there is none: its tasks run within these calls, on the
//! caller's thread, and `update` asks the system once which of the sockets that they wait for are ready. So these calls may
//! be made anywhere, in a task of a runtime as well; there too, `connect`, `bind`, `wait` and `finish` keep the thread
//! until they return.
//!
//! Each client and each server has a loop of its own to update. [`darkrift_frames`] is what they run on, for engines that
//! have several in one, or that bring tasks of their own.
#![forbid(unsafe_code)]

#[macro_use]
mod delegate;

mod client;
mod connection;
mod server;

pub use client::{Client, Event};
pub use connection::Connection;
pub use darkrift_driver::{
    Address, Behind, BindError, Broadcast, ConnectError, Joining, ServerStatistics, proto,
};
pub use darkrift_frames::Frames;
pub use server::{Server, ServerEvent};

/// Settings of a connect: [`darkrift_driver::ClientBuilder`], for [`Client::connect_with`].
pub type ClientBuilder = darkrift_driver::ClientBuilder<Frames>;

/// Settings of a server: [`darkrift_driver::ServerBuilder`], for [`Server::bind_with`].
pub type ServerBuilder = darkrift_driver::ServerBuilder<Frames>;
