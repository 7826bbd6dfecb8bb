//! A server, its clients, and the network between them, in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use darkrift_proto::wire::Token;
use darkrift_proto::{
    ClientConfig, ClientIds, CloseKind, CloseReason, Connection, ConnectionKey, EncodedMessage, Event,
    Initiator, Instant, Listener, Refused, Role, Routing, SendError, SendMode, ServerConfig, State,
    ToMessage, TokenSource,
};

use crate::SERVER_ADDRESS;
use crate::datagrams::{DatagramConditions, DatagramLink};
use crate::endpoint::{End, Endpoint, Raw};
use crate::random::Random;
use crate::stream::{StreamConditions, StreamLink};

/// More rounds than this at one moment are work for ever.
const ROUNDS_AT_ONCE: usize = 1 << 20;

/// One side of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// Which pair: the number that [`World::connect`] gave.
    pub pair: usize,
    /// Which side of it.
    pub role: Role,
}

impl Place {
    /// The client's side of a pair.
    pub const fn client(pair: usize) -> Self {
        Self { pair, role: Role::Client }
    }

    /// The server's side of a pair.
    pub const fn server(pair: usize) -> Self {
        Self { pair, role: Role::Server }
    }

    /// The other side of the same pair.
    #[must_use]
    pub const fn other(self) -> Self {
        match self.role {
            Role::Client => Self::server(self.pair),
            Role::Server => Self::client(self.pair),
        }
    }
}

/// Something that happened in the world. Games look at [`Event`](Self::Event) alone; the rest is for models that check
/// the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurrence {
    /// The application was given an event.
    Event(Place, Event),
    /// A connection put this datagram on the network.
    DatagramSent(Place, Bytes),
    /// The network brought a connection this datagram, while it was in this state.
    DatagramDelivered(Place, Bytes, State),
    /// A connection has a reason to close. The application sees it as its last event.
    Closed(Place, CloseReason),
    /// A connection has nothing left to do, and its sockets are gone.
    Drained(Place),
    /// The server matched a token with this pair, which is at this UDP address from now on.
    Paired(usize, SocketAddr),
    /// The server put this pair out, since the next [`Paired`](Self::Paired) took its address.
    Evicted(usize),
    /// The listener refused this pair's stream.
    Refused(usize, Refused),
}

/// What happened and was not polled, each with its time.
#[derive(Debug, Default)]
pub(crate) struct Log {
    now: Instant,
    entries: VecDeque<(Instant, Occurrence)>,
}

impl Log {
    pub(crate) fn push(&mut self, occurrence: Occurrence) {
        self.entries.push_back((self.now, occurrence));
    }
}

/// The way between one client and the server, and how the server's application treats the client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Path {
    /// The client's address as the server sees it, for both transports.
    pub address: SocketAddr,
    /// The stream from the client to the server.
    pub stream_up: StreamConditions,
    /// The stream from the server to the client.
    pub stream_down: StreamConditions,
    /// Datagrams from the client to the server.
    pub datagrams_up: DatagramConditions,
    /// Datagrams from the server to the client.
    pub datagrams_down: DatagramConditions,
    /// What chance on this path comes from.
    pub seed: u64,
    /// What the cuts of its streams come from.
    pub seed_of_cuts: u64,
    /// How long the server's application takes to accept the client.
    pub accepted_after: Duration,
    /// Whether it turns the client away then.
    pub rejected: bool,
    /// How many datagrams the sockets take at once, as segmentation offload does.
    pub segments: usize,
}

impl Path {
    /// A perfect path from this address, over which everything arrives at once.
    pub fn new(address: SocketAddr, seed: u64) -> Self {
        Self {
            address,
            stream_up: StreamConditions::default(),
            stream_down: StreamConditions::default(),
            datagrams_up: DatagramConditions::default(),
            datagrams_down: DatagramConditions::default(),
            seed,
            seed_of_cuts: seed,
            accepted_after: Duration::ZERO,
            rejected: false,
            segments: 1,
        }
    }
}

#[derive(Debug)]
struct Pair {
    client: End,
    server: End,
    key: Option<ConnectionKey>,
    up: StreamLink,
    down: StreamLink,
    datagrams_up: DatagramLink,
    datagrams_down: DatagramLink,
    accepted_after: Duration,
    rejected: bool,
    accept_at: Option<Instant>,
    id: Option<darkrift_proto::ClientId>,
    segments: usize,
    /// When it is to be looked at, as far as the world's queue knows.
    wake: Option<Instant>,
}

/// A server, its clients, and the network between them, in virtual time.
///
/// The listener and every connection are real; only the network, the clock and the source of tokens are not. Nothing
/// happens but in [`advance`](Self::advance) and in the calls that do something; what happened comes out of
/// [`poll`](Self::poll).
#[derive(Debug)]
pub struct World {
    now: Instant,
    pairs: Vec<Pair>,
    wakes: BinaryHeap<Reverse<(Instant, usize)>>,
    log: Log,
    listener: Listener,
    ids: ClientIds,
    tokens: Tokens,
    /// The pair of each connection key's index.
    keys: Vec<Option<usize>>,
    /// Which pair the datagrams to each address reach.
    addresses: BTreeMap<SocketAddr, usize>,
}

impl World {
    /// A world of a server with these settings and nobody else.
    pub fn new(seed: u64, server: ServerConfig) -> Self {
        Self {
            now: Instant::ZERO,
            pairs: Vec::new(),
            wakes: BinaryHeap::new(),
            log: Log::default(),
            listener: Listener::new(Arc::new(server)),
            ids: ClientIds::new(),
            tokens: Tokens(Random::fork(seed, u64::MAX)),
            keys: Vec::new(),
            addresses: BTreeMap::new(),
        }
    }

    /// The time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The server's listener.
    pub const fn listener(&self) -> &Listener {
        &self.listener
    }

    /// The ids of the server's clients.
    pub const fn ids(&self) -> &ClientIds {
        &self.ids
    }

    /// How many pairs there have been.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The connection at a place; `None` where there is none (any more), or a raw peer.
    pub fn connection(&self, place: Place) -> Option<&Connection> {
        self.end(place).endpoint().map(|endpoint| &endpoint.connection)
    }

    /// Bytes at a place that were read and that the connection has not taken.
    pub fn input_len(&self, place: Place) -> usize {
        self.end(place).endpoint().map_or(0, Endpoint::input_len)
    }

    /// Whether the connection at a place has ended and given its last event, or is none.
    pub fn is_over(&self, place: Place) -> bool {
        self.end(place).endpoint().is_none_or(Endpoint::is_over)
    }

    /// Takes the next thing that happened, and when that was.
    pub fn poll(&mut self) -> Option<(Instant, Occurrence)> {
        self.log.entries.pop_front()
    }

    /// A client connects; the number of its pair. Its stream is open at once.
    pub fn connect(&mut self, config: Arc<ClientConfig>, path: &Path) -> usize {
        let client = self.client(config);
        self.connect_end(client, path)
    }

    /// A raw peer connects to the server in place of a client.
    pub fn connect_raw(&mut self, path: &Path) -> usize {
        self.connect_end(End::Raw(Raw::default()), path)
    }

    /// A client connects to a raw peer in place of the server.
    pub fn connect_to_raw(&mut self, config: Arc<ClientConfig>, path: &Path) -> usize {
        let client = self.client(config);
        let pair = self.add(client, End::Raw(Raw::default()), None, path);
        self.touch(pair);
        pair
    }

    fn client(&self, config: Arc<ClientConfig>) -> End {
        let connection = Connection::client(config.clone(), self.now);
        End::Connection(Endpoint::new(connection, &config.limits, config.max_frame))
    }

    fn connect_end(&mut self, client: End, path: &Path) -> usize {
        match self.listener.accept(self.now, path.address, &mut self.tokens) {
            Ok((key, connection)) => {
                let config = self.listener.config();
                let server = Endpoint::new(connection, &config.limits, config.max_frame);
                let pair = self.add(client, End::Connection(server), Some(key), path);
                if self.keys.len() <= key.index() {
                    self.keys.resize(key.index() + 1, None);
                }
                self.keys[key.index()] = Some(pair);
                self.touch(pair);
                pair
            }
            Err(refused) => {
                let pair = self.add(client, End::Gone, None, path);
                self.log.push(Occurrence::Refused(pair, refused));
                self.pairs[pair].down.reset(self.now);
                self.touch(pair);
                pair
            }
        }
    }

    fn add(&mut self, client: End, server: End, key: Option<ConnectionKey>, path: &Path) -> usize {
        let pair = self.pairs.len();
        let seed = |part: u64| Random::fork(path.seed, part).number();
        let cuts = |part: u64| Random::fork(path.seed_of_cuts, part).number();
        self.pairs.push(Pair {
            client,
            server,
            key,
            up: StreamLink::new(path.stream_up.clone(), seed(0), cuts(4)),
            down: StreamLink::new(path.stream_down.clone(), seed(1), cuts(5)),
            datagrams_up: DatagramLink::new(path.datagrams_up.clone(), seed(2), path.address),
            datagrams_down: DatagramLink::new(path.datagrams_down.clone(), seed(3), SERVER_ADDRESS),
            accepted_after: path.accepted_after,
            rejected: path.rejected,
            accept_at: None,
            id: None,
            segments: path.segments,
            wake: None,
        });
        self.addresses.insert(path.address, pair);
        pair
    }

    /// Lets time pass up to `until`, and everything happen that does meanwhile.
    pub fn advance(&mut self, until: Instant) {
        while self.next_wake().is_some_and(|at| at <= until) {
            self.step();
        }
        self.set_now(until);
    }

    /// [`advance`](Self::advance) by a duration.
    pub fn advance_by(&mut self, duration: Duration) {
        self.advance(self.now + duration);
    }

    /// When something happens next by itself.
    pub fn next_wake(&mut self) -> Option<Instant> {
        // Entries whose pair has been looked at since are of no use.
        while let Some(&Reverse((at, pair))) = self.wakes.peek() {
            if self.pairs[pair].wake == Some(at) {
                return Some(at);
            }
            self.wakes.pop();
        }
        None
    }

    /// Goes to [`next_wake`](Self::next_wake) and lets that happen; false when nothing is to come.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next_wake() else { return false };
        let Some(Reverse((_, pair))) = self.wakes.pop() else { return false };
        self.set_now(at);
        self.pairs[pair].wake = None;
        self.touch(pair);
        true
    }

    fn set_now(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.log.now = self.now;
    }

    /// Sends a message from a place.
    ///
    /// # Errors
    /// As [`Connection::send`]; [`SendError::Closed`] where there is no connection.
    pub fn send<M: ToMessage + ?Sized>(
        &mut self,
        place: Place,
        mode: SendMode,
        message: &M,
    ) -> Result<(), SendError> {
        self.with(place, |now, connection| connection.send(now, mode, message))
            .unwrap_or(Err(SendError::Closed))
    }

    /// Sends an encoded message from a place.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_encoded(
        &mut self,
        place: Place,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> Result<(), SendError> {
        self.with(place, |now, connection| connection.send_encoded(now, mode, message))
            .unwrap_or(Err(SendError::Closed))
    }

    /// Closes the connection at a place, as its application would.
    pub fn close(&mut self, place: Place) {
        self.with(place, |now, connection| connection.close(now));
    }

    /// Does something with the connection at a place, and lets happen what follows from it at once; `None` where there
    /// is no connection.
    pub fn with<T>(&mut self, place: Place, action: impl FnOnce(Instant, &mut Connection) -> T) -> Option<T> {
        let now = self.now;
        let end = Self::end_mut(&mut self.pairs[place.pair], place.role);
        let endpoint = end.endpoint_mut()?;
        let result = action(now, &mut endpoint.connection);
        endpoint.note_closed(place, &mut self.log);
        self.touch(place.pair);
        Some(result)
    }

    /// The application at a place stops taking events, or takes them again.
    pub fn set_takes_events(&mut self, place: Place, takes_events: bool) {
        self.change(place, |endpoint| endpoint.takes_events = takes_events);
    }

    /// The application at a place, which has stopped taking events, takes up to `count`.
    pub fn take_events(&mut self, place: Place, count: usize) {
        for _ in 0..count {
            let end = Self::end_mut(&mut self.pairs[place.pair], place.role);
            if !end.endpoint_mut().is_some_and(|endpoint| endpoint.take_events(1, place, &mut self.log)) {
                break;
            }
            // It may have room for another now.
            self.touch(place.pair);
        }
    }

    /// The UDP socket at a place stops taking datagrams, or takes them again.
    pub fn set_sends_datagrams(&mut self, place: Place, sends_datagrams: bool) {
        self.change(place, |endpoint| endpoint.sends_datagrams = sends_datagrams);
    }

    fn change(&mut self, place: Place, change: impl FnOnce(&mut Endpoint)) {
        if let Some(endpoint) = Self::end_mut(&mut self.pairs[place.pair], place.role).endpoint_mut() {
            change(endpoint);
            self.touch(place.pair);
        }
    }

    /// The client's machine dies: nothing comes from it any more, and nothing reaches it.
    pub fn vanish(&mut self, pair: usize) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        it.client = End::Gone;
        it.up.die(now);
        it.down.die(now);
    }

    /// The stream of a pair is reset from the middle: both sides see it fail.
    pub fn reset(&mut self, pair: usize) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        it.up.reset(now);
        it.down.reset(now);
        self.touch(pair);
    }

    /// Nothing arrives on either stream of a pair for this long.
    pub fn stall(&mut self, pair: usize, duration: Duration) {
        let (now, until, it) = (self.now, self.now + duration, &mut self.pairs[pair]);
        it.up.stall(now, until);
        it.down.stall(now, until);
        self.touch(pair);
    }

    /// Every datagram of a pair that is sent in this time is lost.
    pub fn black_hole(&mut self, pair: usize, duration: Duration) {
        let (until, it) = (self.now + duration, &mut self.pairs[pair]);
        it.datagrams_up.black_hole(until);
        it.datagrams_down.black_hole(until);
    }

    /// The path of a pair has no faults any more but its latency. What has vanished stays so.
    pub fn heal(&mut self, pair: usize) {
        let it = &mut self.pairs[pair];
        for link in [&mut it.datagrams_up, &mut it.datagrams_down] {
            let latency = link.conditions_mut().latency;
            *link.conditions_mut() = DatagramConditions { latency, ..DatagramConditions::default() };
            link.black_hole(Instant::ZERO);
        }
        for link in [&mut it.up, &mut it.down] {
            let latency = link.conditions_mut().latency;
            *link.conditions_mut() = StreamConditions { latency, ..StreamConditions::default() };
        }
        self.touch(pair);
    }

    /// The address that datagrams of a pair's client come from.
    pub fn client_address(&self, pair: usize) -> SocketAddr {
        self.pairs[pair].datagrams_up.source()
    }

    /// A NAT gives the client's datagrams another address. What the server sends to the old one is lost.
    pub fn rebind(&mut self, pair: usize, address: SocketAddr) {
        let old = self.pairs[pair].datagrams_up.source();
        if self.addresses.get(&old) == Some(&pair) {
            self.addresses.remove(&old);
        }
        self.addresses.insert(address, pair);
        self.pairs[pair].datagrams_up.rebind(address);
    }

    /// The raw peer of a pair writes bytes to its stream.
    pub fn raw_write(&mut self, pair: usize, bytes: &[u8]) {
        self.raw(pair, |raw| raw.output.extend_from_slice(bytes));
    }

    /// The raw peer of a pair ends its stream, in good order or by a reset.
    pub fn raw_end(&mut self, pair: usize, reset: bool) {
        self.raw(pair, |raw| if reset { raw.resets = true } else { raw.ends = true });
    }

    /// The raw peer of a pair reads no more.
    pub fn raw_stop_reading(&mut self, pair: usize) {
        self.raw(pair, |raw| raw.stops_reading = true);
    }

    /// The beginning of what the raw peer of a pair has read, 4 KiB at most.
    pub fn raw_received(&mut self, pair: usize) -> Bytes {
        let received = self.raw(pair, |raw| Bytes::copy_from_slice(&raw.received));
        received.unwrap_or_default()
    }

    /// The last datagram that the raw peer of a pair was sent.
    pub fn raw_last_datagram(&mut self, pair: usize) -> Option<Bytes> {
        self.raw(pair, |raw| raw.datagram.clone()).flatten()
    }

    /// The raw peer of a pair sends a datagram to the other side.
    pub fn raw_datagram(&mut self, pair: usize, contents: Bytes) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        match it.client {
            End::Raw(_) => it.datagrams_up.send(now, contents),
            _ => it.datagrams_down.send(now, contents),
        }
        self.touch(pair);
    }

    fn raw<T>(&mut self, pair: usize, action: impl FnOnce(&mut Raw) -> T) -> Option<T> {
        let it = &mut self.pairs[pair];
        let raw = match &mut it.client {
            End::Raw(raw) => Some(raw),
            _ => it.server.raw_mut(),
        };
        let result = raw.map(action);
        self.touch(pair);
        result
    }

    fn end(&self, place: Place) -> &End {
        let pair = &self.pairs[place.pair];
        match place.role {
            Role::Client => &pair.client,
            Role::Server => &pair.server,
        }
    }

    fn end_mut(pair: &mut Pair, role: Role) -> &mut End {
        match role {
            Role::Client => &mut pair.client,
            Role::Server => &mut pair.server,
        }
    }

    /// Lets everything happen with a pair that can happen now.
    fn touch(&mut self, pair: usize) {
        let mut rounds = 0;
        while self.round(pair) {
            assert!(rounds < ROUNDS_AT_ONCE, "pair {pair} never comes to rest");
            rounds += 1;
        }
        let it = &self.pairs[pair];
        let ends = [it.client.next_wake(), it.server.next_wake(), it.accept_at];
        let datagrams = [it.datagrams_up.next_arrival(), it.datagrams_down.next_arrival()];
        // What has arrived on a stream and was not read waits for its reader, not for time.
        let streams = [it.up.next_arrival(), it.down.next_arrival()].map(|at| at.filter(|&at| at > self.now));
        let next = ends.into_iter().chain(datagrams).chain(streams).flatten().min();
        self.wake_at(pair, next);
    }

    fn wake_at(&mut self, pair: usize, at: Option<Instant>) {
        if self.pairs[pair].wake != at {
            self.pairs[pair].wake = at;
            self.wakes.extend(at.map(|at| Reverse((at, pair))));
        }
    }

    fn round(&mut self, pair: usize) -> bool {
        let now = self.now;
        let mut progress = false;
        while let Some((_, contents)) = self.pairs[pair].datagrams_down.receive(now) {
            progress = true;
            match &mut self.pairs[pair].client {
                End::Connection(client) => {
                    client.handle_datagram(now, Place::client(pair), contents, &mut self.log);
                }
                End::Raw(raw) => raw.datagram = Some(contents),
                End::Gone => {}
            }
        }
        while let Some((from, contents)) = self.pairs[pair].datagrams_up.receive(now) {
            progress = true;
            match &mut self.pairs[pair].server {
                End::Raw(raw) => raw.datagram = Some(contents),
                _ => self.route(pair, from, contents),
            }
        }
        if self.pairs[pair].accept_at.is_some_and(|at| at <= now) {
            self.accept(pair);
            progress = true;
        }
        let it = &mut self.pairs[pair];
        progress |= it.client.drive(now, Place::client(pair), &mut it.down, &mut it.up, &mut self.log);
        progress |= it.server.drive(now, Place::server(pair), &mut it.up, &mut it.down, &mut self.log);
        if it.up.takes_reset() {
            it.down.reset(now);
        }
        if it.down.takes_reset() {
            it.up.reset(now);
        }
        progress | self.send_datagrams(pair) | self.release(pair)
    }

    /// A datagram reached the server's socket.
    fn route(&mut self, current: usize, from: SocketAddr, contents: Bytes) {
        let now = self.now;
        let pair_of = |keys: &[Option<usize>], key: ConnectionKey| keys[key.index()].expect("a key in use");
        match self.listener.handle_datagram(now, from, &contents) {
            Routing::Deliver(key) => {
                let pair = pair_of(&self.keys, key);
                if let Some(server) = self.pairs[pair].server.endpoint_mut() {
                    server.handle_datagram(now, Place::server(pair), contents, &mut self.log);
                }
                self.look_at(pair, current);
            }
            Routing::Paired { key, answer, evicted } => {
                if let Some(evicted) = evicted.map(|key| pair_of(&self.keys, key)) {
                    self.log.push(Occurrence::Evicted(evicted));
                    self.close_server(evicted, CloseKind::Evicted);
                    self.look_at(evicted, current);
                }
                let pair = pair_of(&self.keys, key);
                self.log.push(Occurrence::Paired(pair, from));
                self.answer(current, from, answer);
                self.paired(pair);
                self.look_at(pair, current);
            }
            Routing::Full(key) => {
                let pair = pair_of(&self.keys, key);
                self.close_server(pair, CloseKind::NoFreeId);
                self.look_at(pair, current);
            }
            Routing::Answer { answer } => self.answer(current, from, answer),
            Routing::Ignored | _ => {}
        }
    }

    fn paired(&mut self, pair: usize) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        if let Some(server) = it.server.endpoint_mut() {
            server.connection.handle_paired(now);
        }
        it.id = self.ids.allocate();
        match it.id {
            Some(_) => it.accept_at = Some(now + it.accepted_after),
            None => self.close_server(pair, CloseKind::NoFreeId),
        }
    }

    /// The server's application has looked at the client.
    fn accept(&mut self, pair: usize) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        it.accept_at = None;
        if it.rejected {
            self.close_server(pair, CloseKind::Rejected);
        } else if let (Some(server), Some(id)) = (it.server.endpoint_mut(), it.id) {
            server.connection.configure(now, id);
        }
    }

    fn close_server(&mut self, pair: usize, kind: CloseKind) {
        let now = self.now;
        if let Some(server) = self.pairs[pair].server.endpoint_mut() {
            server.connection.close_with(now, CloseReason::new(Initiator::Local, kind));
            server.note_closed(Place::server(pair), &mut self.log);
        }
    }

    fn answer(&mut self, current: usize, to: SocketAddr, answer: Bytes) {
        if let Some(&pair) = self.addresses.get(&to) {
            self.pairs[pair].datagrams_down.send(self.now, answer);
            self.look_at(pair, current);
        }
    }

    /// Puts a pair in line, unless it is the one that is being looked at.
    fn look_at(&mut self, pair: usize, current: usize) {
        if pair != current {
            self.wake_at(pair, Some(self.now));
        }
    }

    fn send_datagrams(&mut self, pair: usize) -> bool {
        let now = self.now;
        let mut progress = false;
        let it = &mut self.pairs[pair];
        if let Some(client) = it.client.endpoint_mut() {
            for contents in client.poll_datagrams(it.segments, Place::client(pair), &mut self.log) {
                it.datagrams_up.send(now, contents);
                progress = true;
            }
        }
        let address = it.key.and_then(|key| self.listener.datagram_address(key));
        if let (Some(server), Some(address)) = (it.server.endpoint_mut(), address) {
            for contents in server.poll_datagrams(it.segments, Place::server(pair), &mut self.log) {
                self.answer(pair, address, contents);
                progress = true;
            }
        }
        progress
    }

    /// Gives key and id of a server's side back once it has drained.
    fn release(&mut self, pair: usize) -> bool {
        let it = &mut self.pairs[pair];
        if !it.server.endpoint().is_some_and(|server| server.drained_told) {
            return false;
        }
        let Some(key) = it.key.take() else { return false };
        it.accept_at = None;
        self.listener.release(key);
        self.keys[key.index()] = None;
        if let Some(id) = it.id.take() {
            self.ids.release(id);
        }
        true
    }
}

/// Seeded tokens, for a world in which nobody guesses.
#[derive(Debug)]
struct Tokens(Random);

impl TokenSource for Tokens {
    fn token(&mut self) -> Token {
        Token::new(self.0.number().to_be_bytes())
    }
}
