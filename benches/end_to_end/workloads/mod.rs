//! What is measured, for whom, and what must hold.

pub(crate) mod broadcast;
pub(crate) mod connect;
pub(crate) mod echo;
mod processes;

use std::io;

use crate::contender::{Contender, Mode};
use crate::contenders::{Bare, Blocking, ByHand, Framed, OURS, Ours, Raw};
use crate::measure::{Figure, Timing};
use broadcast::{BareLoop, Broadcast, Broadcasting, TaskEach};
use connect::Connect;
use echo::Echo;

pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// One line for the table.
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) target: Option<Target>,
    /// At most so many rounds: what is slow to set up and steady needs few.
    pub(crate) rounds: usize,
    pub(crate) contenders: Vec<(&'static str, Run)>,
}

type Run = Box<dyn Fn(Timing) -> io::Result<Figure>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// What must hold of the medians.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// At least this many times as good as this baseline.
    Against(&'static str, f64),
    /// A figure of ours below this one.
    Below(f64),
}

impl Workload {
    fn new(name: &'static str, what: &'static str, unit: &'static str, better: Better) -> Self {
        Self { name, what, unit, better, target: None, rounds: usize::MAX, contenders: Vec::new() }
    }

    fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    fn with(mut self, name: &'static str, run: impl Fn(Timing) -> io::Result<Figure> + 'static) -> Self {
        self.contenders.push((name, Box::new(run)));
        self
    }

    fn echo<C: Contender>(self, echo: Echo) -> Self {
        self.with(C::NAME, move |timing| echo.run::<C>(timing))
    }

    fn connect<C: Contender>(self, connect: Connect) -> Self {
        self.with(C::NAME, move |timing| connect.run::<C>(timing))
    }

    fn game<C: Contender>(self, players: usize) -> Self {
        self.with(C::NAME, move |timing| processes::game::<C>(players, timing))
    }

    fn idle<C: Contender>(self, clients: usize) -> Self {
        self.with(C::NAME, move |_| processes::idle::<C>(clients))
    }

    fn scale<C: Contender>(self, channels: &'static str) -> Self {
        self.with(C::NAME, move |timing| processes::scale::<C>(channels, 10_000, 10, timing))
    }
}

/// All of them, in the order of the table.
pub(crate) fn all() -> Vec<Workload> {
    let mut all = echoes();
    all.extend(broadcasts());
    all.extend(connects());
    all.push(
        Workload::new(
            "game",
            "1,000 players × 15 messages of 48 B a second: server time",
            "µs/message",
            Better::Less,
        )
        .rounds(7)
        .game::<Ours>(1000)
        .game::<Framed>(1000)
        .game::<Raw>(1000),
    );
    all.extend(idles());
    all.extend(scales());
    all
}

fn echoes() -> Vec<Workload> {
    use Mode::{Reliable, Unreliable};
    let echo = |mode, clients, window, size| Echo { mode, clients, window, size };
    let reliable = |name, what, echo: Echo, at_least| {
        Workload::new(name, what, "messages/s", Better::More)
            .target(Target::Against(Framed::NAME, at_least))
            .echo::<Ours>(echo)
            .echo::<Framed>(echo)
            .echo::<Raw>(echo)
            .echo::<Blocking>(echo)
    };
    let unreliable = |name, what, echo: Echo| {
        Workload::new(name, what, "messages/s", Better::More)
            .echo::<Ours>(echo)
            .echo::<Raw>(echo)
            .echo::<Blocking>(echo)
    };
    let against_raw = |at_least| Target::Against(Raw::NAME, at_least);
    vec![
        reliable(
            "ping-pong-reliable",
            "1 client, one message of 24 B at a time",
            echo(Reliable, 1, 1, 24),
            0.95,
        ),
        unreliable("ping-pong-unreliable", "the same, unreliable", echo(Unreliable, 1, 1, 24))
            .target(against_raw(0.95)),
        reliable("pipelined-100", "1 client, 100 messages under way", echo(Reliable, 1, 100, 24), 1.2),
        reliable("pipelined-5000", "1 client, 5,000 messages under way", echo(Reliable, 1, 5000, 24), 1.2),
        reliable("pipelined-50x20", "50 clients, each with 20 under way", echo(Reliable, 50, 20, 24), 1.2),
        unreliable(
            "pipelined-20-unreliable",
            "1 client, 20 under way, unreliable",
            echo(Unreliable, 1, 20, 24),
        ),
        unreliable("pipelined-50x20-unreliable", "50 clients × 20, unreliable", echo(Unreliable, 50, 20, 24))
            .target(against_raw(3.0)),
        Workload {
            target: None,
            ..reliable("large", "1 client, 1 MiB there and back", echo(Reliable, 1, 1, 1 << 20), 0.0)
        },
    ]
}

fn broadcasts() -> Vec<Workload> {
    let broadcast = |mode| Broadcast { mode, receivers: 1000 };
    let reliable = broadcast(Mode::Reliable);
    let unreliable = broadcast(Mode::Unreliable);
    vec![
        Workload::new("broadcast-reliable", "100 B to 1,000 clients", "deliveries/s", Better::More)
            .rounds(11)
            .target(Target::Against("bare loop", 0.95))
            .with(OURS, move |timing| reliable.run::<Broadcasting>(timing))
            .with("bare loop", move |timing| reliable.run::<BareLoop>(timing))
            .with("task each", move |timing| reliable.run::<TaskEach>(timing)),
        Workload::new("broadcast-unreliable", "the same, unreliable", "deliveries/s", Better::More)
            .rounds(11)
            .with(OURS, move |timing| unreliable.run::<Broadcasting>(timing))
            .with("bare loop", move |timing| unreliable.run::<BareLoop>(timing)),
    ]
}

fn connects() -> Vec<Workload> {
    vec![
        Workload::new("connect-sequential", "one after the other", "connects/s", Better::More)
            .connect::<Ours>(Connect { at_once: 1 })
            .connect::<Bare>(Connect { at_once: 1 })
            .connect::<ByHand>(Connect { at_once: 1 }),
        Workload::new("connect-200", "200 at once", "connects/s", Better::More)
            .target(Target::Against(Bare::NAME, 0.7))
            .connect::<Ours>(Connect { at_once: 200 })
            .connect::<Bare>(Connect { at_once: 200 })
            .connect::<ByHand>(Connect { at_once: 200 }),
    ]
}

fn idles() -> Vec<Workload> {
    let idle = |name, what, clients| {
        Workload::new(name, what, "B/connection", Better::Less)
            .rounds(3)
            .idle::<Ours>(clients)
            .idle::<Framed>(clients)
            .idle::<Raw>(clients)
    };
    vec![
        idle("idle-1000", "1,000 idle connections: resident memory of the server", 1000),
        idle("idle-10000", "10,000 idle connections", 10_000).target(Target::Below(6.0 * 1024.0)),
        idle("idle-18000", "18,000 idle connections", 18_000),
    ]
}

fn scales() -> Vec<Workload> {
    let scale = |name, what, channels| {
        Workload::new(name, what, "× the time at 10", Better::Less)
            .target(Target::Below(1.5))
            .rounds(5)
            .scale::<Ours>(channels)
            .scale::<Framed>(channels)
            .scale::<Raw>(channels)
    };
    vec![
        scale("scale-reliable", "server time for a message with 10,000 connections against 10", "reliable"),
        scale("scale-unreliable", "the same, unreliable", "unreliable"),
    ]
}
