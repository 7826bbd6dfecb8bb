//! Our client and server against DarkRiftPy 0.1.0, which speaks the legacy dialect (`docs/protocol.md`, DarkRiftPy).
//!
//! `interop/run` makes the virtual environment that these tests need, and runs them.

mod choose;
mod echo;
mod program;
mod typed;

use darkrift::Dialect;
use darkrift::tokio::Server;
use std::time::Duration;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that DarkRiftPy's client can talk to, on a free port.
async fn legacy_server() -> Server {
    Server::builder().dialect(Dialect::Legacy).bind("127.0.0.1:0").await.expect("a loopback port is free")
}
