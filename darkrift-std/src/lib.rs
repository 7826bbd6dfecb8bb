//! A DarkRift 2 client and server for game loops: no async, no threads, updated once a frame.
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
//! Nothing happens between the calls: `update` moves what the sockets have and what they take, never waits, and does a
//! bounded amount of work; whatever is left is done in the next frame. A program that has nothing else to do waits with
//! `wait` instead, which sleeps until something comes.
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
