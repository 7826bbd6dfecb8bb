//! Random operations: a whole history before it happens, from its seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use darkrift_proto::{ClientConfig, Dialect, Limits, Role, SendMode, ServerConfig};

use super::hostile::Hostility;
use crate::{DatagramConditions, Path, Random, StreamConditions};

/// What is to happen, step by step. Clients are numbered in the order of their connecting, hostile peers apart from
/// them, so that a plan without its hostile steps is the same for all others.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) server: ServerConfig,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Advance(Duration),
    Connect(Arc<ClientConfig>, Box<Path>),
    Send {
        who: usize,
        role: Role,
        mode: SendMode,
        size: usize,
        count: usize,
        way: Way,
    },
    /// From the server to all.
    Broadcast {
        mode: SendMode,
        size: usize,
    },
    TakesEvents {
        who: usize,
        role: Role,
        takes: bool,
    },
    TakeEvents {
        who: usize,
        role: Role,
        count: usize,
    },
    SendsDatagrams {
        who: usize,
        role: Role,
        sends: bool,
    },
    Close {
        who: usize,
        role: Role,
    },
    /// The client dies, and another comes back from the same address after a while.
    Vanish {
        who: usize,
        back: Option<(Duration, Arc<ClientConfig>, Box<Path>)>,
    },
    Reset {
        who: usize,
    },
    Stall {
        who: usize,
        duration: Duration,
    },
    BlackHole {
        who: usize,
        duration: Duration,
    },
    Rebind {
        who: usize,
    },
    Hostile(Hostility),
}

/// By which method a message is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Send,
    Encoded,
    Ping,
}

const MILLISECOND: Duration = Duration::from_millis(1);

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let server = server_config(&mut random);
        let (clients, steps) = match random.within(0..1000) {
            0..800 => (random.size(1..4), random.size(8..40)),
            800..997 => (random.size(3..10), random.size(30..120)),
            _ => (random.size(20..60), random.size(200..400)),
        };
        let hostile = random.one_in(3);
        let mut plan = Self { seed, server, steps: Vec::new() };
        for number in 0..clients {
            let (config, path) = (client_config(&mut random), path(&mut random, number));
            plan.steps.push(Step::Connect(config, path));
            if random.one_in(3) {
                plan.steps.push(Step::Advance(random.duration(200 * MILLISECOND)));
            }
        }
        if random.one_in(2) {
            plan.steps.push(Step::Advance(random.duration(2000 * MILLISECOND)));
        }
        let mut newcomers = clients;
        for _ in 0..steps {
            if hostile && random.one_in(4) {
                plan.steps.push(Step::Hostile(Hostility::new(&mut random)));
            }
            let step = step(&mut random, clients, &mut newcomers);
            plan.steps.push(step);
            if random.one_in(2) {
                let longest = random.pick(&[1, 10, 50, 300, 3000]) * MILLISECOND;
                plan.steps.push(Step::Advance(random.duration(longest)));
            }
        }
        plan
    }

    pub(super) fn is_hostile(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Hostile(_)))
    }

    pub(super) fn without_hostility(&self) -> Self {
        let steps = self.steps.iter().filter(|step| !matches!(step, Step::Hostile(_))).cloned().collect();
        Self { steps, ..self.clone() }
    }

    /// Changes every path and the limits on both sides.
    pub(super) fn change(&mut self, mut path: impl FnMut(&mut Path), limits: impl Fn(&mut Limits)) {
        limits(&mut self.server.limits);
        for step in &mut self.steps {
            if let Step::Connect(config, way) | Step::Vanish { back: Some((_, config, way)), .. } = step {
                path(way);
                limits(&mut Arc::make_mut(config).limits);
            }
        }
    }
}

fn step(random: &mut Random, clients: usize, newcomers: &mut usize) -> Step {
    let who = random.size(0..clients);
    let role = random.pick(&[Role::Client, Role::Server]);
    let mode = random.pick(&[SendMode::Reliable, SendMode::Unreliable]);
    match random.within(0..100) {
        0..45 => {
            let count = if random.one_in(6) { random.size(2..60) } else { 1 };
            let way = random.pick(&[Way::Send, Way::Send, Way::Encoded, Way::Ping]);
            Step::Send { who, role, mode, size: size(random, count), count, way }
        }
        45..50 => Step::Broadcast { mode, size: size(random, clients) },
        50..62 => Step::Advance(random.duration(100 * MILLISECOND)),
        62..68 => Step::TakesEvents { who, role, takes: false },
        68..74 => Step::TakesEvents { who, role, takes: true },
        74..77 => Step::TakeEvents { who, role, count: random.size(1..6) },
        77..79 => Step::SendsDatagrams { who, role, sends: false },
        79..81 => Step::SendsDatagrams { who, role, sends: true },
        81..84 => Step::Close { who, role },
        84..87 => {
            let back = random.one_in(2).then(|| {
                *newcomers += 1;
                let (after, config) = (random.duration(3000 * MILLISECOND), client_config(random));
                (after, config, path(random, *newcomers))
            });
            Step::Vanish { who, back }
        }
        87..89 => Step::Reset { who },
        89..93 => Step::Stall { who, duration: random.duration(4000 * MILLISECOND) },
        93..96 => Step::BlackHole { who, duration: random.duration(4000 * MILLISECOND) },
        96..97 => Step::Rebind { who },
        _ => Step::Connect(client_config(random), {
            *newcomers += 1;
            path(random, *newcomers)
        }),
    }
}

/// Bytes of a payload: small as a rule, at the edges now and then.
fn size(random: &mut Random, count: usize) -> usize {
    match random.within(0..1000) {
        0..700 => random.size(0..40),
        700..900 => random.size(0..400),
        900..980 => random.size(0..3000),
        980..990 if count < 4 => random.size(0..70_000),
        990..996 if count < 4 => {
            random.pick(&[65_501, 65_502, 65_504, 65_505, 65_529, 65_530, 65_531, 65_532])
        }
        996..998 if count < 4 => random.size(70_000..300_000),
        _ => 0,
    }
}

fn limits(random: &mut Random) -> Limits {
    let mut limits = Limits::default();
    if random.one_in(2) {
        limits.reliable_queue = random.size(0..4096);
        limits.unreliable_queue = random.size(0..2048);
        limits.undelivered = random.size(0..8);
        limits.undelivered_bytes = random.size(0..2000);
        limits.undelivered_unreliable_bytes = random.size(0..2000);
        limits.linger = random.duration(4000 * MILLISECOND);
    }
    if random.one_in(6) {
        limits.idle_timeout = Some(random.duration(20_000 * MILLISECOND) + MILLISECOND);
    }
    limits.max_send = random.pick(&[limits.max_send, 65_534, 65_534, 65_534, 500]);
    limits.answer_pings = random.one_in(2);
    limits
}

fn server_config(random: &mut Random) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.limits = limits(random);
    config.dialect = random.pick(&[Dialect::V1, Dialect::V1, Dialect::V0, Dialect::Legacy]);
    config.strike_weights.unidentified_ping = random.pick(&[0, 1]);
    if random.one_in(10) {
        config.max_clients = random.size(0..4);
    }
    if random.one_in(20) {
        config.max_pending = random.size(0..4);
    }
    config
}

fn client_config(random: &mut Random) -> Arc<ClientConfig> {
    let mut config = ClientConfig::default();
    config.limits = limits(random);
    config.token_interval = random.pick(&[1000, 1000, 100, 0]) * MILLISECOND;
    Arc::new(config)
}

/// A path from an address of its own.
fn path(random: &mut Random, number: usize) -> Box<Path> {
    let mut path = Path::new(client_address(number), random.number());
    let (up, down) = (datagrams(random), datagrams(random));
    let (stream_up, stream_down) = (stream(random), stream(random));
    path.datagrams_up = up;
    path.datagrams_down = down;
    path.stream_up = stream_up;
    path.stream_down = stream_down;
    if random.one_in(4) {
        let longest = random.pick(&[2000, 8000]) * MILLISECOND;
        path.accepted_after = random.duration(longest);
    }
    path.rejected = random.one_in(40);
    path.segments = random.pick(&[1, 1, 2, 64]);
    Box::new(path)
}

fn datagrams(random: &mut Random) -> DatagramConditions {
    let mut conditions = DatagramConditions::default();
    match random.within(0..5) {
        0 | 1 => {}
        2 => {
            conditions.latency = random.duration(40 * MILLISECOND);
            conditions.jitter = 5 * MILLISECOND;
            conditions.loss = 0.01;
        }
        3 => {
            conditions.latency = random.duration(200 * MILLISECOND);
            conditions.jitter = 100 * MILLISECOND;
            conditions.loss = 0.05;
            conditions.duplication = 0.05;
            conditions.reordering = 0.1;
            conditions.reordering_delay = 100 * MILLISECOND;
        }
        _ => {
            conditions.latency = random.duration(600 * MILLISECOND);
            conditions.jitter = random.duration(800 * MILLISECOND);
            conditions.loss = 0.3;
            conditions.duplication = 0.2;
            conditions.reordering = 0.4;
            conditions.reordering_delay = 500 * MILLISECOND;
            conditions.bandwidth = Some(random.within(2000..50_000));
        }
    }
    conditions
}

fn stream(random: &mut Random) -> StreamConditions {
    let mut conditions = StreamConditions::default();
    if random.one_in(2) {
        conditions.latency = random.duration(300 * MILLISECOND);
        conditions.jitter = random.duration(100 * MILLISECOND);
    }
    if random.one_in(4) {
        conditions.window = random.size(16..8192);
    }
    if random.one_in(2) {
        conditions.longest_read = random.pick(&[1, 3, 7, 100, 2000]);
        conditions.longest_write = random.pick(&[1, 5, 9, 200, usize::MAX]);
    }
    conditions
}

/// Addresses of honest clients.
fn client_address(number: usize) -> SocketAddr {
    let [.., a, b] = (number as u32).to_be_bytes();
    SocketAddr::from(([10, 0, a, b], 1024 + (number % 60_000) as u16))
}
