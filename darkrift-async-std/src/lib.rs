//! async-std is discontinued upstream, so new games use `darkrift-smol`; this is a DarkRift 2 client and server for
//! games that are on async-std already.
//!
//! ```no_run
//! use darkrift_async_std::proto::{Message, SendMode};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = darkrift_async_std::Client::connect("127.0.0.1:4296").await?;
//! client.send(SendMode::Reliable, &Message::encode(5, "Hello World")?).await?;
//! while let Some(received) = client.recv().await {
//!     println!("tag {}: {:?}", received.tag(), received.decode::<String>());
//! }
//! println!("{}", client.close_reason().expect("it has closed"));
//! # Ok(())
//! # }
//! ```
//!
//! Everything here is [`darkrift_driver`] with async-std filled in, and works as on the other runtimes: to move to smol,
//! change the crate's name. Both use the same sockets underneath.
#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;

use async_std::net::ToSocketAddrs;
use darkrift_async_io::{AsyncIo, Executor};
use darkrift_driver::runtime::BoxFuture;

darkrift_driver::adapter!(AsyncStd, "async-std");

/// async-std's executor, and async-io.
pub type AsyncStd = AsyncIo<GlobalExecutor>;

/// async-std's executor.
#[derive(Debug)]
#[non_exhaustive]
pub struct GlobalExecutor;

impl Executor for GlobalExecutor {
    fn spawn(task: BoxFuture<()>) {
        async_std::task::spawn(task);
    }

    fn resolve(host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok((host.as_str(), port).to_socket_addrs().await?.collect()) })
    }
}
