//! A DarkRift 2 client and server for smol.
//!
//! ```no_run
//! use darkrift_smol::proto::{Message, SendMode};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = darkrift_smol::Client::connect("127.0.0.1:4296").await?;
//! client.send(SendMode::Reliable, &Message::encode(5, "Hello World")?).await?;
//! while let Some(received) = client.recv().await {
//!     println!("tag {}: {:?}", received.tag(), received.decode::<String>());
//! }
//! println!("{}", client.close_reason().expect("it has closed"));
//! # Ok(())
//! # }
//! ```
//!
//! Everything here is [`darkrift_driver`] with smol filled in. Connections run on smol's global executor, whose threads
//! start by themselves (`SMOL_THREADS` says how many; one unless set), so any `block_on` may wait for them.
//!
//! smol itself knows no signals. To end at Ctrl-C, take the crate `async-signal`, which waits on the same reactor; on Windows
//! it knows this one signal, too:
//!
//! ```no_run
//! use async_signal::{Signal, Signals};
//! use darkrift_smol::{Client, Server};
//! use smol::stream::StreamExt;
//!
//! # async fn play(_: Client) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! smol::block_on(async {
//!     let server = Server::bind("0.0.0.0:4296").await?;
//!     let mut interrupts = Signals::new([Signal::Int])?;
//!     smol::spawn({
//!         let server = server.clone();
//!         async move {
//!             interrupts.next().await;
//!             // Everybody gets what is queued, 2 s at most; `accept` gives nobody any more.
//!             server.shutdown().await;
//!         }
//!     })
//!     .detach();
//!     while let Some(client) = server.accept().await {
//!         smol::spawn(play(client)).detach();
//!     }
//!     // The one that was begun may not have come to its end.
//!     server.shutdown().await;
//!     Ok(())
//! })
//! # }
//! ```
#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;

use darkrift_async_io::{AsyncIo, Executor};
use darkrift_driver::runtime::BoxFuture;

darkrift_driver::adapter!(Smol, "smol");

/// smol's global executor, and async-io.
pub type Smol = AsyncIo<GlobalExecutor>;

/// smol's global executor.
#[derive(Debug)]
#[non_exhaustive]
pub struct GlobalExecutor;

impl Executor for GlobalExecutor {
    fn spawn(task: BoxFuture<()>) {
        smol::spawn(task).detach();
    }

    fn resolve(host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(smol::net::resolve((host, port)))
    }
}
