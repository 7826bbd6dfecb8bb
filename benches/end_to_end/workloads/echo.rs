//! Messages that come back: ping-pong, pipelined, and large.

use std::io;
use std::sync::Arc;

use crate::contender::{Answer, Channels, Client, Contender, Mode, Shape, number};
use crate::measure::{Figure, Tally, Timing, set_up, two_workers};

/// Each of `clients` keeps `window` messages of `size` bytes under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo {
    pub(crate) mode: Mode,
    pub(crate) clients: usize,
    pub(crate) window: u64,
    pub(crate) size: usize,
}

impl Echo {
    /// Answers a second.
    pub(crate) fn run<C: Contender>(self, timing: Timing) -> io::Result<Figure> {
        let runtime = two_workers()?;
        let shape = Shape { channels: Channels::Only(self.mode), size: self.size };
        let tally = Tally::new(self.clients);
        let _server = set_up(&runtime, async {
            let (addresses, server) = C::serve(shape).await?;
            for index in 0..self.clients {
                let client = C::connect(addresses, shape).await?;
                C::spawn(tally.watch(self.exchange(client, index, Arc::clone(&tally))));
            }
            Ok(server)
        })?;
        tally.rate(timing)
    }

    async fn exchange(self, mut client: impl Client, index: usize, tally: Arc<Tally>) -> io::Result<()> {
        let mut payload = vec![0; self.size];
        let (mut sent, mut answers, mut under_way) = (0, 0, 0);
        while !tally.is_stopping() {
            while under_way < self.window {
                number(&mut payload, sent);
                client.send(self.mode, &payload).await?;
                sent += 1;
                under_way += 1;
            }
            match client.recv().await? {
                Some(answer) => {
                    check(answer, self.mode, self.size, answers, sent)?;
                    answers += 1;
                    // An answer can come after it was given up.
                    under_way = under_way.saturating_sub(1);
                    tally.set_answers(index, answers);
                }
                None => {
                    tally.add_lost(under_way);
                    under_way = 0;
                }
            }
        }
        Ok(())
    }
}

/// Whether an answer is what it must be: whole, and of a message that was sent; on the reliable channel the very next.
pub(crate) fn check(answer: Answer, mode: Mode, size: usize, next: u64, sent: u64) -> io::Result<()> {
    let right = answer.mode == mode
        && answer.length == size
        && match mode {
            Mode::Reliable => answer.sequence == next,
            Mode::Unreliable => answer.sequence < sent,
        };
    if right {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{answer:?} came for message {next} of {size} bytes, with {sent} sent ({mode:?})"
    )))
}
