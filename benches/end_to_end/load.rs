//! What the clients of a child process do.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::contender::{Addresses, Channels, Client, Contender, Mode, Shape, number};
use crate::conversation::converse;
use crate::measure::{Tally, set_up, two_workers};
use crate::workloads::echo::check;

/// How many clients connect at the same time.
const CONNECT_AT_ONCE: usize = 64;

/// Messages a second of a client in a game.
const GAME_RATE: u32 = 15;

/// Messages that all clients of a process together keep under way when they take turns.
const TURNS_AT_ONCE: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Nothing after the first message.
    Idle,
    /// Every client by the clock, two messages in three unreliable.
    Game,
    /// One client after the other, one message each, so that every connection is as busy as any other.
    Turns,
}

impl Load {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Game => "game",
            Self::Turns => "turns",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Idle, Self::Game, Self::Turns].into_iter().find(|load| load.name() == name)
    }
}

/// Connects the clients, says so, and begins when told to.
pub(crate) fn run<C: Contender>(to: Addresses, shape: Shape, count: usize, load: Load) -> io::Result<()> {
    let runtime = two_workers()?;
    let tally = Tally::new(count);
    let (begin, begun) = watch::channel(false);
    let clients: Vec<Player<C::Client>> = set_up(
        &runtime,
        stream::iter(0..count)
            .map(|index| {
                let tally = Arc::clone(&tally);
                async move {
                    let client = C::connect(to, shape).await?;
                    let mut player = Player::new(client, index, shape, tally);
                    player.greet().await?;
                    Ok(player)
                }
            })
            .buffer_unordered(CONNECT_AT_ONCE)
            .try_collect(),
    )?;
    let _entered = runtime.enter();
    let mut idle = Vec::new();
    match load {
        Load::Idle => idle = clients,
        Load::Game => {
            for player in clients {
                let mut begun = begun.clone();
                tokio::spawn(tally.watch(async move {
                    begun.wait_for(|&begun| begun).await.map_err(io::Error::other)?;
                    player.play().await
                }));
            }
        }
        Load::Turns => {
            let mut groups: Vec<Vec<Player<C::Client>>> = Vec::new();
            groups.resize_with(TURNS_AT_ONCE.min(count), Vec::new);
            let group_count = groups.len();
            for (index, player) in clients.into_iter().enumerate() {
                groups[index % group_count].push(player);
            }
            for group in groups {
                let mut begun = begun.clone();
                tokio::spawn(tally.watch(async move {
                    begun.wait_for(|&begun| begun).await.map_err(io::Error::other)?;
                    take_turns(group).await
                }));
            }
        }
    }
    converse("connected", |question| {
        if let Some(failure) = tally.failure() {
            return Err(io::Error::other(failure));
        }
        match question {
            "begin" => {
                begin.send_replace(true);
                Ok("begun".to_owned())
            }
            "answers" => Ok(tally.answers().to_string()),
            "lost" => Ok(tally.lost().to_string()),
            _ => Err(io::Error::other(format!("clients cannot say {question:?}"))),
        }
    })?;
    drop(idle);
    Ok(())
}

async fn take_turns(mut players: Vec<Player<impl Client>>) -> io::Result<()> {
    loop {
        for player in &mut players {
            let mode =
                if player.shape.channels.has(Mode::Reliable) { Mode::Reliable } else { Mode::Unreliable };
            player.send(mode).await?;
            while !player.recv().await? {}
        }
    }
}

/// A client, with what it has sent and had back on each channel.
#[derive(Debug)]
struct Player<C> {
    client: C,
    index: usize,
    shape: Shape,
    payload: Vec<u8>,
    sent: [u64; 2],
    answers: [u64; 2],
    lost: u64,
    tally: Arc<Tally>,
}

impl<C: Client> Player<C> {
    fn new(client: C, index: usize, shape: Shape, tally: Arc<Tally>) -> Self {
        let payload = vec![0; shape.size];
        Self { client, index, shape, payload, sent: [0; 2], answers: [0; 2], lost: 0, tally }
    }

    async fn send(&mut self, mode: Mode) -> io::Result<()> {
        let sent = &mut self.sent[mode as usize];
        number(&mut self.payload, *sent);
        *sent += 1;
        self.client.send(mode, &self.payload).await
    }

    /// Whether it is over with what was sent: answered or lost. Cancel-safe.
    async fn recv(&mut self) -> io::Result<bool> {
        match self.client.recv().await? {
            Some(answer) => {
                let channel = answer.mode as usize;
                check(answer, answer.mode, self.shape.size, self.answers[channel], self.sent[channel])?;
                self.answers[channel] += 1;
                self.tally.set_answers(self.index, self.answers.iter().sum());
                Ok(true)
            }
            None => {
                let unreliable = Mode::Unreliable as usize;
                // An answer can come after it was given up.
                let lost = self.sent[unreliable].saturating_sub(self.answers[unreliable] + self.lost);
                self.lost += lost;
                self.tally.add_lost(lost);
                Ok(lost > 0)
            }
        }
    }

    /// One message there and back on each channel, which is more than a connection: the exchange works.
    async fn greet(&mut self) -> io::Result<()> {
        for mode in [Mode::Reliable, Mode::Unreliable] {
            while self.shape.channels.has(mode) && self.answers[mode as usize] == 0 {
                self.send(mode).await?;
                self.recv().await?;
            }
        }
        Ok(())
    }

    async fn play(mut self) -> io::Result<()> {
        let period = Duration::from_secs(1) / GAME_RATE;
        // Players do not act in step: their ticks are spread over the period.
        let phase = period * (self.index as u32 * 7919 % 1000) / 1000;
        let mut ticks = interval_at(Instant::now() + phase, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for tick in 0_u64.. {
            loop {
                tokio::select! {
                    _ = ticks.tick() => break,
                    answer = self.recv() => { answer?; }
                }
            }
            debug_assert_eq!(self.shape.channels, Channels::Both);
            self.send(if tick % 3 == 0 { Mode::Reliable } else { Mode::Unreliable }).await?;
        }
        Ok(())
    }
}
