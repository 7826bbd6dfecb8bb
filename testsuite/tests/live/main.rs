//! What the driver's own interface promises beside the scenarios, over real sockets on tokio.

mod addresses;
mod backlog;
mod broadcasts;
mod counters;
mod handles;
mod idle;
mod options;
mod sources;
mod watched;

use std::future::Future;
use std::time::Duration;

use darkrift_driver::proto::{Message, SendMode};
use darkrift_tokio::{Client, Server, ServerBuilder};
use tokio::time::{sleep, timeout};

const RELIABLE: SendMode = SendMode::Reliable;
const UNRELIABLE: SendMode = SendMode::Unreliable;

/// Runs a test on one thread, where nothing happens between two awaits but what the test does. Whatever takes a minute
/// hangs.
fn on_tokio(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(60), test).await.expect("it does not hang") });
}

/// Waits for a state that nothing announces.
async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        sleep(Duration::from_millis(2)).await;
    }
}

async fn bind(builder: ServerBuilder) -> Server {
    builder.bind("127.0.0.1:0").await.unwrap()
}

/// A client of `server`, and the server's side of it.
async fn join(server: &Server) -> (Client, Client) {
    let client = Client::connect(server.local_addr()).await.unwrap();
    let served = server.accept().await.unwrap();
    assert_eq!(client.id(), served.id());
    (client, served)
}

/// A server with this many clients, whose ids begin at 0: their sides, and the server's sides of them.
async fn crowd(builder: ServerBuilder, count: usize) -> (Server, Vec<Client>, Vec<Client>) {
    let server = bind(builder).await;
    let (mut clients, mut served) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (client, accepted) = join(&server).await;
        assert_eq!(usize::from(client.id().get()), number);
        clients.push(client);
        served.push(accepted);
    }
    (server, clients, served)
}

/// Sees that a message gets through each way, in each mode.
async fn works(one: &Client, other: &Client) {
    for mode in [RELIABLE, UNRELIABLE] {
        for (from, to) in [(one, other), (other, one)] {
            from.send(mode, &Message::empty(77)).await.unwrap();
            let received = to.recv().await.expect("the connection is open");
            assert_eq!((received.send_mode(), received.tag()), (mode, 77));
        }
    }
}
