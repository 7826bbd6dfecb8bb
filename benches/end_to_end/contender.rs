//! What every implementation under measurement offers, so that a workload is written once for all of them.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Which of the two channels a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Reliable,
    Unreliable,
}

/// Which channels a client opens: what a workload does not use is not opened by those written by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    Only(Mode),
    Both,
}

impl Channels {
    pub(crate) fn has(self, mode: Mode) -> bool {
        self == Self::Both || self == Self::Only(mode)
    }
}

/// What is known of the traffic before it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) channels: Channels,
    /// The length of every payload, in bytes. Sockets without framing tell messages apart by it.
    pub(crate) size: usize,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) tcp: SocketAddr,
    pub(crate) udp: SocketAddr,
}

/// A payload that came back, as far as the checks look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) mode: Mode,
    pub(crate) length: usize,
    pub(crate) sequence: u64,
}

impl Answer {
    /// Reads the number that [`number`] wrote.
    pub(crate) fn read(mode: Mode, payload: &[u8]) -> io::Result<Self> {
        match payload.first_chunk() {
            Some(&sequence) => {
                Ok(Self { mode, length: payload.len(), sequence: u64::from_be_bytes(sequence) })
            }
            None => Err(io::Error::other(format!("an answer of {} bytes has no number", payload.len()))),
        }
    }
}

/// Numbers a payload, so that its answer can be told from every other.
pub(crate) fn number(payload: &mut [u8], sequence: u64) {
    payload[..8].copy_from_slice(&sequence.to_be_bytes());
}

/// One way of writing a game's server and clients.
pub(crate) trait Contender: Sized + 'static {
    /// As the tables and the command line of a child process call it.
    const NAME: &'static str;
    type Client: Client;
    /// Keeps the server alive. Those on tokio also end with their runtime.
    type Server: Send + 'static;

    /// Starts a server on loopback that returns every message on the channel it came on.
    fn serve(shape: Shape) -> impl Future<Output = io::Result<(Addresses, Self::Server)>> + Send;

    /// Connects, up to the point where both sides know of it.
    fn connect(to: Addresses, shape: Shape) -> impl Future<Output = io::Result<Self::Client>> + Send;

    /// Runs a client beside the others.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }
}

/// One connected client.
pub(crate) trait Client: Send + 'static {
    /// Sends a message, at the latest when [`recv`](Self::recv) would wait.
    fn send(&mut self, mode: Mode, payload: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// The next answer, or `None` where an unreliable channel has been silent for too long. Cancel-safe.
    fn recv(&mut self) -> impl Future<Output = io::Result<Option<Answer>>> + Send;
}

/// After so long without an answer, what is under way on an unreliable channel counts as lost.
pub(crate) const SILENCE: Duration = Duration::from_millis(50);

/// The same beside a reliable channel, which goes on without: this only keeps the count of what was lost.
const SILENCE_BESIDE_RELIABLE: Duration = Duration::from_secs(1);

/// Notices silence on an unreliable channel without a timer of its own for every message.
#[derive(Debug)]
pub(crate) struct Patience {
    ticks: Interval,
    traffic: bool,
}

impl Patience {
    pub(crate) fn new(shape: Shape) -> Self {
        let period = if shape.channels == Channels::Both { SILENCE_BESIDE_RELIABLE } else { SILENCE };
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, traffic: true }
    }

    /// Something was sent, so that silence starts anew.
    pub(crate) fn sent(&mut self) {
        self.traffic = true;
    }

    /// What arrives, or `None` once a whole interval has passed in silence. As cancel-safe as the arrival.
    pub(crate) async fn wait<T>(&mut self, arrival: impl Future<Output = T>) -> Option<T> {
        let mut arrival = pin!(arrival);
        loop {
            tokio::select! {
                biased;
                arrived = &mut arrival => {
                    self.traffic = true;
                    return Some(arrived);
                }
                _ = self.ticks.tick() => {
                    if !std::mem::take(&mut self.traffic) {
                        return None;
                    }
                }
            }
        }
    }
}
