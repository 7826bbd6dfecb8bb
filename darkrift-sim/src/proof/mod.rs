//! The proof: random histories, each compared with a model of what must be observed.
//!
//! A seed makes up a plan: clients connect over paths of their own, send in both modes, ping, acknowledge by hand, stop
//! taking events and go on, close, vanish, come back from the same address; streams stall and are reset, datagrams fall
//! into black holes, NATs forget; and hostile peers, clients and servers, write whatever they like. Real connections go
//! through it, a model beside them says what each side must observe, and these properties are checked on every history:
//!
//! - *Reliable messages arrive once, in order, whole.* Where a stream ended in good order, all of them did; where it was
//!   cut off, none is missing before the last that came.
//! - *Unreliable messages arrive once for each copy that the network made, whole*, unless a queue dropped them, and then
//!   exactly those that its rule drops.
//! - *Both sides agree on the id*, and no two clients have one at the same time.
//! - *One connected event and one closed event*, in this order, nothing before the one and nothing after the other; and a
//!   close has a cause.
//! - *A client connects* over every network on which nothing was lost.
//! - *Every connection ends*: whatever happened, once it is told to close it drains, and leaves no id, address or pending
//!   handshake behind.
//! - *Queues never pass their bounds*, neither for the peer nor for the application.
//! - *No poll returns work for ever*: at one moment a pair comes to rest.
//! - *A refused send is refused for what it says*, and an accepted one was acceptable.
//! - *A hostile peer changes nothing for another*: without the hostile steps, everybody else observes the same at the same
//!   moments. (Run as a second history, and compared.)
//! - *The same seed gives the same history*, byte for byte. (Run twice and compared, for one seed in eight.)
//! - *The stream's cuts never change what is observed.* (Run with other cuts and compared, for one seed in four.)
//!
//! [`check`] does all this for one seed; `examples/seeds.rs` for as many as you like. Of a seed that fails, [`explain`]
//! says what happened, step by step.

mod hostile;
mod model;
mod observed;
mod plan;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_proto::{EncodedMessage, Event, Message, MessageKind, Role, SendMode};

use crate::{DatagramConditions, Occurrence, Path, Place, World};
use hostile::Hostile;
use model::{Model, Side};
use observed::Observed;
use plan::{Plan, Step, Way};

/// Where a NAT puts a flow that it forgot; ports above those of the clients.
const FIRST_REBOUND_PORT: u16 = 62_000;

/// What one history came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// A hash of everything that happened, byte for byte and moment for moment.
    pub hash: u64,
    /// How many things happened.
    pub occurrences: u64,
    /// How many honest clients there were.
    pub clients: usize,
}

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    seed: u64,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.what)
    }
}

impl std::error::Error for Violation {}

/// Runs the history of this seed, with all that it is compared with.
///
/// # Errors
/// The first property that did not hold.
///
/// # Panics
/// When the protocol does, or when it passes a bound that the world itself checks.
pub fn check(seed: u64) -> Result<Summary, Violation> {
    let plan = Plan::new(seed);
    let violation = |what: &str| Violation { seed, what: what.to_owned() };
    let first = History::run(&plan)?;
    if seed % 8 == 0 && History::run(&plan)?.observed != first.observed {
        return Err(violation("the same seed gave another history"));
    }
    // Where the door is narrow, whoever stands in it keeps others out.
    if plan.is_hostile()
        && !first.limited
        && first.observed.honest() != History::run(&plan.without_hostility())?.observed.honest()
    {
        return Err(violation("hostile peers changed what others observed"));
    }
    if seed % 4 == 1 {
        let mut plan = plan.without_hostility();
        // Nothing but the cuts may differ: no window that fills, and no moment that depends on how much was read at once.
        plan.server.strike_weights.unidentified_ping = 0;
        plan.change(
            |path| {
                path.stream_up.window = usize::MAX;
                path.stream_down.window = usize::MAX;
            },
            |limits| {
                limits.idle_timeout = None;
                limits.undelivered_bytes = usize::MAX;
            },
        );
        let cut = History::run(&plan)?;
        plan.change(
            |path| {
                path.seed_of_cuts += 1;
                let longest = &mut path.stream_up.longest_read;
                *longest = if *longest == usize::MAX { 2 } else { usize::MAX };
                path.stream_down.longest_read = *longest;
            },
            |_| {},
        );
        if History::run(&plan)?.observed.honest() != cut.observed.honest() {
            return Err(violation("other cuts of the stream changed what was observed"));
        }
    }
    Ok(Summary {
        hash: first.observed.hash(),
        occurrences: first.observed.count(),
        clients: first.clients.len(),
    })
}

/// The history of this seed in words: each step of its plan, and what happened then. To look into a violation.
pub fn explain(seed: u64) -> String {
    let plan = Plan::new(seed);
    let mut history = History::new(&plan);
    history.words = Some(format!("{:#?}\n", plan.server));
    let result = history.follow(&plan);
    let mut words = history.words.unwrap_or_default();
    if let Err(violation) = result {
        words.push_str(&violation.to_string());
    }
    words
}

/// A world as it goes through a plan, and all who watch it.
struct History {
    world: World,
    model: Model,
    observed: Observed,
    hostile: Hostile,
    /// The pairs of the honest clients.
    clients: Vec<usize>,
    /// Vanished clients that come back.
    back: Vec<(darkrift_proto::Instant, std::sync::Arc<darkrift_proto::ClientConfig>, Path)>,
    messages: u32,
    /// How many times an address was changed.
    rebound: u16,
    limited: bool,
    seed: u64,
    /// Everything in words, where that is wanted.
    words: Option<String>,
}

impl History {
    fn run(plan: &Plan) -> Result<Self, Violation> {
        let mut history = Self::new(plan);
        history.follow(plan)?;
        Ok(history)
    }

    fn new(plan: &Plan) -> Self {
        Self {
            world: World::new(plan.seed, plan.server.clone()),
            model: Model::default(),
            observed: Observed::default(),
            hostile: Hostile::default(),
            clients: Vec::new(),
            back: Vec::new(),
            messages: 0,
            rebound: 0,
            limited: plan.server.max_clients < 65_536 || plan.server.max_pending < 4096,
            seed: plan.seed,
            words: None,
        }
    }

    fn follow(&mut self, plan: &Plan) -> Result<(), Violation> {
        for step in &plan.steps {
            self.say(|| format!("{step:?}"));
            self.step(step);
            self.watch();
            self.verdict()?;
        }
        self.say(|| "settle".to_owned());
        self.settle();
        self.verdict()?;
        self.say(|| "end".to_owned());
        self.end();
        self.verdict()
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(words) = &mut self.words {
            words.push_str(&format!("{:?}: {:.2000}\n", self.world.now(), what()));
        }
    }

    /// Looks at everything that happened. Applications that acknowledge pings by hand do it here.
    fn watch(&mut self) {
        while let Some((at, occurrence)) = self.world.poll() {
            self.say(|| format!("    {occurrence:?}"));
            self.observed.add(at, &occurrence);
            self.model.occurred(&occurrence, at);
            if let Occurrence::Event(place, Event::Message(received)) = &occurrence {
                if let MessageKind::Ping(code) = received.kind() {
                    self.acknowledge(*place, received.send_mode(), code);
                }
            }
        }
        self.model.check_bounds(&self.world);
    }

    fn verdict(&self) -> Result<(), Violation> {
        match self.model.violation() {
            Some(what) => Err(Violation { seed: self.seed, what: what.to_owned() }),
            None => Ok(()),
        }
    }

    fn acknowledge(&mut self, place: Place, mode: SendMode, code: u16) {
        let by_hand = self.model.side(place).is_some_and(|side| !side.limits.answer_pings);
        if by_hand && code % 3 != 0 {
            let message = self.message(u32::from(code) as usize % 7, MessageKind::Acknowledgement(code));
            self.send(place, mode, message, Way::Send);
        }
    }

    /// The next message, unlike every other.
    fn message(&mut self, size: usize, kind: MessageKind) -> Message {
        self.messages += 1;
        let number = self.messages;
        let mut payload = vec![number as u8; size];
        for (byte, value) in payload.iter_mut().zip(number.to_be_bytes()) {
            *byte = value;
        }
        Message::new(number as u16, payload).with_kind(kind)
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Advance(duration) => self.advance(*duration),
            Step::Connect(config, path) => self.connect(config, path, false),
            Step::Hostile(hostility) => self.hostile.act(&mut self.world, hostility),
            Step::Broadcast { mode, size } => {
                let message = self.message(*size, MessageKind::Ordinary);
                for pair in self.clients.clone() {
                    self.send(Place::server(pair), *mode, message.clone(), Way::Encoded);
                }
            }
            Step::Send { who, role, mode, size, count, way } => {
                let Some(place) = self.place(*who, *role) else { return };
                for _ in 0..*count {
                    let message = self.message(*size, MessageKind::Ordinary);
                    self.send(place, *mode, message, *way);
                }
            }
            Step::TakesEvents { who, role, takes } => {
                let Some(place) = self.place(*who, *role) else { return };
                self.world.set_takes_events(place, *takes);
            }
            Step::TakeEvents { who, role, count } => {
                let Some(place) = self.place(*who, *role) else { return };
                self.world.take_events(place, *count);
            }
            Step::SendsDatagrams { who, role, sends } => {
                let Some(place) = self.place(*who, *role) else { return };
                self.world.set_sends_datagrams(place, *sends);
                self.disturb(place.pair, step);
            }
            Step::Close { who, role } => {
                let Some(place) = self.place(*who, *role) else { return };
                self.close(place);
            }
            Step::Vanish { who, .. }
            | Step::Reset { who }
            | Step::Stall { who, .. }
            | Step::BlackHole { who, .. }
            | Step::Rebind { who } => {
                let Some(place) = self.place(*who, Role::Client) else { return };
                self.disturb(place.pair, step);
            }
        }
    }

    fn place(&self, who: usize, role: Role) -> Option<Place> {
        self.clients.get(who).map(|&pair| Place { pair, role })
    }

    fn connect(
        &mut self,
        config: &std::sync::Arc<darkrift_proto::ClientConfig>,
        path: &Path,
        comes_back: bool,
    ) {
        let pair = self.world.connect(config.clone(), path);
        let now = self.world.now();
        let mut client = Side::new(&config.limits, now);
        let server_config = self.world.listener().config();
        let mut server = Side::new(&server_config.limits, now);
        client.must_connect = !self.limited && !path.rejected && is_good(path);
        server.must_connect = client.must_connect;
        server.may.rejected = path.rejected;
        server.may.no_free_id = self.limited;
        // Whoever had the address before may still be sent to, and then it is this client that hears it, and answers.
        server.struck = comes_back;
        self.clients.push(pair);
        self.observed.name(pair, self.clients.len());
        self.model.add(pair, client, server);
    }

    fn disturb(&mut self, pair: usize, step: &Step) {
        for place in [Place::client(pair), Place::server(pair)] {
            if let Some(side) = self.model.side(place) {
                side.must_connect = false;
                side.may.reset |= matches!(step, Step::Reset { .. });
            }
        }
        match step {
            Step::Reset { .. } => self.world.reset(pair),
            Step::Stall { duration, .. } => self.world.stall(pair, *duration),
            Step::BlackHole { duration, .. } => self.world.black_hole(pair, *duration),
            Step::Rebind { .. } => {
                self.rebound += 1;
                let ip = self.world.client_address(pair).ip();
                self.world.rebind(pair, SocketAddr::new(ip, FIRST_REBOUND_PORT + self.rebound));
            }
            // Nobody vanishes twice.
            Step::Vanish { .. } if self.world.connection(Place::client(pair)).is_none() => {}
            Step::Vanish { back, .. } => {
                let address = self.world.client_address(pair);
                self.world.vanish(pair);
                if let Some((after, config, path)) = back {
                    let mut path = (**path).clone();
                    path.address = address;
                    self.back.push((self.world.now() + *after, config.clone(), path));
                }
            }
            _ => {}
        }
    }

    fn advance(&mut self, duration: Duration) {
        let now = self.world.now() + duration;
        while self.world.next_wake().is_some_and(|at| at <= now) {
            self.world.step();
            self.watch();
        }
        self.world.advance(now);
        let (due, later) = std::mem::take(&mut self.back).into_iter().partition(|(at, ..)| *at <= now);
        self.back = later;
        let due: Vec<_> = due;
        for (_, config, path) in due {
            self.connect(&config, &path, true);
        }
    }

    fn close(&mut self, place: Place) {
        if let Some(side) = self.model.side(place) {
            side.may.close = true;
            side.must_connect = false;
        }
        if let Some(side) = self.model.side(place.other()) {
            side.must_connect = false;
        }
        self.world.close(place);
    }

    fn send(&mut self, place: Place, mode: SendMode, message: Message, way: Way) {
        // What happened before this goes before it.
        self.watch();
        let Some(connection) = self.world.connection(place) else { return };
        let before = (connection.state(), connection.stream_queued());
        let mut message = message;
        let result = match way {
            Way::Send => self.world.send(place, mode, &message),
            Way::Encoded => {
                let encoded = EncodedMessage::new(&message).expect("a message encodes");
                self.world.send_encoded(place, mode, &encoded)
            }
            Way::Ping => {
                let result = self.world.with(place, |now, connection| connection.ping(now, mode, &message));
                match result.expect("there is a connection") {
                    Ok(code) => {
                        message = message.with_kind(MessageKind::Ping(code));
                        Ok(())
                    }
                    Err(error) => {
                        message = message.with_kind(MessageKind::Ping(0));
                        Err(error)
                    }
                }
            }
        };
        if message.payload().len() > 65_000 {
            for place in [place, place.other()] {
                if let Some(side) = self.model.side(place) {
                    side.may.too_long |= place.role == Role::Server;
                    side.must_connect = false;
                }
            }
        }
        self.say(|| format!("    {place:?} sends {mode:?} {message:?}: {result:?}"));
        self.observed.sent(place, &result);
        self.model.sent(place, mode, &message, before, &result);
    }

    /// Makes the network good and the applications attentive, and lets everything arrive.
    fn settle(&mut self) {
        self.advance(Duration::from_secs(4));
        self.watch();
        for pair in self.clients.clone() {
            self.world.heal(pair);
            for place in [Place::client(pair), Place::server(pair)] {
                self.world.set_takes_events(place, true);
                self.world.set_sends_datagrams(place, true);
            }
        }
        self.watch();
        self.advance(Duration::from_secs(16));
        self.watch();
        self.model.check_settled(&self.world);
    }

    /// Closes everything, and sees it end.
    fn end(&mut self) {
        for pair in 0..self.world.pairs() {
            let sides = [Place::client(pair), Place::server(pair)];
            let number = self.clients.iter().position(|&client| client == pair);
            let closing = match number {
                // One side of an honest pair is enough.
                Some(number) if self.world.connection(sides[0]).is_some() => &sides[number % 2..][..1],
                _ => &sides[..],
            };
            for &place in closing {
                self.close(place);
                self.watch();
            }
        }
        self.advance(Duration::from_secs(12));
        self.watch();
        self.model.check_ended(&self.world);
    }
}

/// Whether nothing on this path, and not the server's application, can keep a client from connecting.
fn is_good(path: &Path) -> bool {
    let good = |conditions: &DatagramConditions| {
        conditions.loss == 0.0
            && conditions.bandwidth.is_none()
            && conditions.latency < Duration::from_secs(1)
    };
    // The whole connect has ten seconds.
    good(&path.datagrams_up) && good(&path.datagrams_down) && path.accepted_after < Duration::from_secs(7)
}
