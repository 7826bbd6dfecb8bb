//! The runtime of frames: runs the tasks of the DarkRift 2 client and server within the calls of a game loop. There is
//! no other runtime, and no thread but where a host name is looked up; the sockets are looked at once a frame.
//!
//! `darkrift-std` is a client and a server on it, each with a loop of its own. Begin here instead to have several in one
//! loop, or events and tasks of your own: [`FrameLoop`] runs the tasks, [`Frames`] is the
//! [`Runtime`](darkrift_driver::runtime::Runtime) that [`darkrift_driver`]'s client and server are given, and an
//! [`EventSender`] brings the loop what the tasks have for it.
//!
//! ```no_run
//! use darkrift_driver::proto::{CloseReason, Received};
//! use darkrift_driver::{Client, ClientBuilder, ConnectError};
//! use darkrift_frames::{FrameLoop, Frames};
//! # use std::time::Duration;
//!
//! /// What the game has to know.
//! enum News {
//!     Connected(Client<Frames>),
//!     Failed(ConnectError),
//!     Message(Received),
//!     Closed(CloseReason),
//! }
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut network = FrameLoop::new()?;
//! let (runtime, events) = (network.runtime(), network.events());
//! let playing = async move {
//!     match ClientBuilder::new().connect_on(runtime, "127.0.0.1:4296").await {
//!         Ok(client) => {
//!             events.send(News::Connected(client.clone())).await?;
//!             events.forward(&client, News::Message, News::Closed).await
//!         }
//!         Err(error) => events.send(News::Failed(error)).await,
//!     }
//! };
//! network.spawn(playing).detach();
//! loop {
//!     network.update();
//!     while let Some(news) = network.next_event() {
//!         match news {
//!             News::Connected(client) => println!("this is client {}", client.id()),
//!             News::Failed(error) => return Err(error.into()),
//!             News::Message(received) => println!("tag {}", received.tag()),
//!             News::Closed(reason) => return Ok(println!("{reason}")),
//!         }
//!     }
//!     // Simulate, draw, and send what the frame brought forth: `try_send` never waits.
//!     std::thread::sleep(Duration::from_millis(16));
//! }
//! # }
//! ```
#![forbid(unsafe_code)]

mod bell;
mod budget;
mod events;
mod frame_loop;
mod queue;
mod runtime;
mod sockets;
mod timers;

pub use async_executor::Task;
pub use events::EventSender;
pub use frame_loop::FrameLoop;
pub use runtime::Frames;
