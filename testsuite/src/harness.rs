//! What the scenarios share: limits on waiting, tasks whose panics count, pairs, and accounting.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use darkrift_driver::proto::{CloseReason, Message, Received, SendMode};
use futures::channel::oneshot;
use futures::future::{Either, select};

use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

/// How long everything that was sent may take to arrive.
const ACCOUNT: Duration = Duration::from_secs(60);
/// How long anything else may take.
const WAIT: Duration = Duration::from_secs(10);

/// Runs a scenario, one at a time: runtimes with one executor for all share its threads among them, and a stress would
/// use up another scenario's ten seconds.
pub fn run<A: Adapter>(scenario: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    A::block_on(scenario);
}

/// Both ways a message can be sent.
pub const MODES: [SendMode; 2] = [SendMode::Reliable, SendMode::Unreliable];

/// Any free port of this machine.
pub fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Waits 10 s at most.
///
/// # Panics
/// When `what` has not happened by then.
pub async fn soon<A: Adapter, T>(what: &str, future: impl Future<Output = T>) -> T {
    within::<A, T>(WAIT, what, future).await
}

/// Waits 60 s at most.
///
/// # Panics
/// When `what` has not happened by then.
pub async fn accounted<A: Adapter, T>(what: &str, future: impl Future<Output = T>) -> T {
    within::<A, T>(ACCOUNT, what, future).await
}

async fn within<A: Adapter, T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    match select(pin!(future), pin!(A::sleep(limit))).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("{what} did not happen within {limit:?}"),
    }
}

/// Waits 10 s at most for a state that nothing announces.
///
/// # Panics
/// When it has not come by then.
pub async fn until<A: Adapter>(what: &str, mut is_so: impl FnMut() -> bool) {
    soon::<A, _>(what, async {
        while !is_so() {
            A::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Runs a task beside the scenario, whose output, or panic, is the output of the future.
pub fn start<A: Adapter, T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    let (give, output) = oneshot::channel();
    A::spawn(async move {
        let _ = give.send(task.await);
    });
    async { output.await.expect("the task has not panicked") }
}

/// Runs blocking code on a thread of its own, at once. Its output, or panic, is the output of the future.
pub fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    let (give, output) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = give.send(work());
    });
    async { output.await.expect("the thread has not panicked") }
}

/// A server on any free port.
pub async fn server<A: Adapter>() -> A::Server {
    server_with::<A>(ServerSettings::default()).await
}

/// A server on any free port, with these settings.
pub async fn server_with<A: Adapter>(settings: ServerSettings) -> A::Server {
    soon::<A, _>("binding", A::bind(loopback(), settings)).await.expect("a server binds to a free port")
}

/// A client of `server`.
pub async fn client_of<A: Adapter>(server: &A::Server) -> A::Client {
    client_with::<A>(server, ClientSettings::default()).await
}

/// A client of `server`, with these settings.
pub async fn client_with<A: Adapter>(server: &A::Server, mut settings: ClientSettings) -> A::Client {
    settings.udp_port = settings.udp_port.or(Some(server.udp_address().port()));
    soon::<A, _>("connecting", A::connect(server.tcp_address(), settings)).await.expect("a client connects")
}

/// The next client that `server` accepts.
pub async fn next_client<A: Adapter>(server: &A::Server) -> A::Client {
    soon::<A, _>("accepting", server.accept()).await.expect("the server runs")
}

/// Both ends of one connection, and the server.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pair<A: Adapter> {
    /// The server.
    pub server: A::Server,
    /// The client's end.
    pub client: A::Client,
    /// The server's end.
    pub served: A::Client,
}

impl<A: Adapter> Pair<A> {
    /// A server with one client.
    pub async fn new() -> Self {
        Self::with(ClientSettings::default(), ServerSettings::default()).await
    }

    /// A server with one client, with these settings.
    pub async fn with(client: ClientSettings, server: ServerSettings) -> Self {
        let server = server_with::<A>(server).await;
        let client = client_with::<A>(&server, client).await;
        let served = next_client::<A>(&server).await;
        assert_eq!(client.id(), served.id());
        Self { server, client, served }
    }

    /// Sees that a message gets through each way, in each mode.
    pub async fn works(&self) {
        for mode in MODES {
            for (from, to) in [(&self.client, &self.served), (&self.served, &self.client)] {
                let message = text(77, "still here");
                from.send(mode, &message).await.expect("the connection is open");
                expect::<A>(to, mode, &message).await;
            }
        }
    }
}

/// A message that is a string.
pub fn text(tag: u16, text: &str) -> Message {
    Message::encode(tag, text).expect("any text can be encoded")
}

/// The next message that `receiver` gets.
pub async fn receive<A: Adapter>(receiver: &A::Client) -> Received {
    soon::<A, _>("receiving", receiver.recv()).await.expect("the connection is open")
}

/// Receives exactly this message.
pub async fn expect<A: Adapter>(receiver: &A::Client, mode: SendMode, message: &Message) {
    let received = receive::<A>(receiver).await;
    assert_eq!((received.send_mode(), received.message()), (mode, message));
}

/// Sees that nothing besides comes until the connection ends, and gives the reason.
pub async fn expect_end<A: Adapter>(receiver: &A::Client) -> CloseReason {
    let besides = soon::<A, _>("the end", receiver.recv()).await;
    assert_eq!(besides, None, "nothing besides was sent");
    soon::<A, _>("the reason", receiver.closed()).await
}

/// Closes `closer`, and sees that neither end got anything besides.
pub async fn expect_nothing_besides<A: Adapter>(closer: &A::Client, other: &A::Client) {
    soon::<A, _>("closing", closer.close()).await;
    expect_end::<A>(other).await;
    expect_end::<A>(closer).await;
}
