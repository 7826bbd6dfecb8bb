//! One client that sends and takes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use darkrift_tokio::Client;
use darkrift_tokio::proto::{Message, MessageKind, Received, SendError, SendMode};
use tokio::sync::watch;
use tokio::time::{Instant as Moment, sleep_until};

use super::Options;
use super::round_trips::RoundTrips;

/// What a payload begins with: the message's number.
pub(crate) const SEQUENCE_BYTES: usize = 4;

/// How many unanswered messages are remembered; of more the oldest count as lost.
const REMEMBERED: usize = 65_536;

/// How long what is behind may still be sent, and the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a client has done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Messages sent.
    pub(crate) sent: u64,
    /// Those among them that came back.
    pub(crate) answered: u64,
    /// Messages that there was no room for when they were due.
    pub(crate) unsent: u64,
    /// Messages that came and were none of its own.
    pub(crate) others: u64,
    /// Why it was disconnected.
    pub(crate) disconnected: Option<String>,
}

/// A client that sends and takes back.
#[derive(Debug)]
pub(crate) struct LoadClient {
    client: Client,
    round_trips: Arc<RoundTrips>,
    interval: Duration,
    payload: Vec<u8>,
    tag: u16,
    send_mode: SendMode,
    next: u32,
    unanswered: BTreeMap<u32, Instant>,
    tally: Tally,
}

impl LoadClient {
    /// One that has connected.
    pub(crate) fn new(client: Client, round_trips: Arc<RoundTrips>, options: &Options) -> Self {
        Self {
            client,
            round_trips,
            interval: Duration::from_secs(1) / options.rate,
            payload: vec![0x5a; options.size],
            tag: options.tag,
            send_mode: options.send_mode,
            next: 0,
            unanswered: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// Sends from one moment to the other, or until the channel ends, and gives what came of it.
    pub(crate) async fn run(
        mut self,
        first: Moment,
        mut end: Moment,
        mut is_over: watch::Receiver<()>,
    ) -> Tally {
        let mut due = first;
        loop {
            if due < end && Moment::now() > end + PATIENCE {
                // It cannot send that many.
                self.tally.unsent += (end - due).div_duration_f64(self.interval).ceil() as u64;
                due = end;
            }
            let is_sending = due < end;
            if !is_sending && (self.unanswered.is_empty() || Moment::now() > end + PATIENCE) {
                break;
            }
            tokio::select! {
                received = self.client.recv() => match received {
                    Some(received) => self.take(&received),
                    None => {
                        self.tally.disconnected = Some(self.client.closed().await.to_string());
                        return self.tally;
                    }
                },
                _ = is_over.changed(), if is_sending => end = Moment::now(),
                () = sleep_until(if is_sending { due } else { end + PATIENCE }) => {
                    if !is_sending {
                        break;
                    }
                    self.send();
                    due += self.interval;
                }
            }
        }
        self.client.close().await;
        self.tally
    }

    fn send(&mut self) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.payload[..SEQUENCE_BYTES].copy_from_slice(&number.to_be_bytes());
        let now = Instant::now();
        match self.client.try_send(self.send_mode, &Message::new(self.tag, self.payload.clone())) {
            Ok(()) => {
                self.tally.sent += 1;
                self.unanswered.insert(number, now);
                if self.unanswered.len() > REMEMBERED {
                    self.unanswered.pop_first();
                }
            }
            // That it has closed, the next receive says.
            Err(SendError::Closed) => {}
            Err(_) => self.tally.unsent += 1,
        }
    }

    fn take(&mut self, received: &Received) {
        let number = received.payload().first_chunk().copied().map(u32::from_be_bytes);
        let is_own = received.kind() == MessageKind::Ordinary
            && received.tag() == self.tag
            && received.payload().len() == self.payload.len();
        match number.filter(|_| is_own).and_then(|number| self.unanswered.remove(&number)) {
            Some(at) => {
                self.tally.answered += 1;
                self.round_trips.record(at.elapsed());
            }
            None => self.tally.others += 1,
        }
    }
}
