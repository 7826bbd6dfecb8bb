//! A seeded network in virtual time, for games and for the protocol itself.
//!
//! A [`World`] holds a real `Listener` and real `Connection`s of [`darkrift_proto`], with a network in between that does
//! what networks do. There is no socket and no clock: an hour passes in a moment, thousands of clients fit, and the same
//! seed gives the same history, byte for byte.
//!
//! - For datagrams ([`DatagramLink`]): latency, jitter, loss, duplication, reordering, bandwidth, black holes, and a NAT
//!   that gives a flow another address.
//! - For the stream ([`StreamLink`]): latency, windows, cuts anywhere in reads and in writes, stalls, resets, and ends of
//!   one direction.
//!
//! # Testing a game
//!
//! Connect clients over paths as bad as you like, send as your game would, and look at what arrives:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use darkrift_sim::proto::{ClientConfig, Event, Message, SendMode, ServerConfig};
//! use darkrift_sim::{Occurrence, Path, Place, World};
//!
//! let mut world = World::new(7, ServerConfig::default());
//! let mut path = Path::new("10.0.0.1:5000".parse().unwrap(), 7);
//! path.datagrams_down.loss = 0.3;
//! path.datagrams_down.latency = Duration::from_millis(80);
//! let pair = world.connect(Arc::new(ClientConfig::default()), &path);
//! world.advance_by(Duration::from_secs(1));
//!
//! for frame in 0..60 {
//!     world.send(Place::server(pair), SendMode::Unreliable, &Message::empty(frame)).unwrap();
//!     world.advance_by(Duration::from_millis(16));
//! }
//! let mut arrived = 0;
//! while let Some((_when, occurrence)) = world.poll() {
//!     if let Occurrence::Event(place, Event::Message(_)) = occurrence {
//!         assert_eq!(place, Place::client(pair));
//!         arrived += 1;
//!     }
//! }
//! assert!((30..55).contains(&arrived));
//! ```
//!
//! A game with logic of its own on each side goes from moment to moment instead: [`World::step`] to the next thing that
//! happens, [`World::poll`] what it was, and let the game answer with [`World::send`]. `examples/lossy_game.rs` shows a
//! player's view of a game over three links, and draws it.
//!
//! # Testing the protocol
//!
//! [`proof`] makes up whole histories from a seed, hostile peers among them, and compares each with a model:
//!
//! ```
//! darkrift_sim::proof::check(42).unwrap();
//! ```
#![forbid(unsafe_code)]

mod datagrams;
mod endpoint;
pub mod proof;
mod random;
mod stream;
mod world;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use darkrift_proto as proto;
pub use datagrams::{DatagramConditions, DatagramCounts, DatagramLink};
pub use random::Random;
pub use stream::{StreamConditions, StreamLink, StreamRead};
pub use world::{Occurrence, Path, Place, World};

/// Where the server of a [`World`] is.
pub const SERVER_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 4296);
