//! A server, its clients, and the network between them, in virtual time.

mod faults;
mod occurrence;
mod pair;
mod path;
mod raw;
mod server;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use darkrift_proto::{
    ClientConfig, ClientIds, Connection, ConnectionKey, EncodedMessage, Instant, Listener, SendError,
    SendMode, ServerConfig, ToMessage,
};

use self::pair::Pair;
use self::server::Tokens;
use crate::endpoint::{End, Endpoint, Raw};

pub(crate) use self::occurrence::Log;
pub use self::occurrence::{Occurrence, Place};
pub use self::path::Path;

/// More rounds than this at one moment are work for ever.
const ROUNDS_AT_ONCE: usize = 1 << 20;

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
    seed: u64,
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
            seed,
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
        let mut tokens = Tokens::new(self.seed, path);
        match self.listener.accept(self.now, path.address, &mut tokens) {
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
        self.pairs.push(Pair::new(client, server, key, path));
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
        let end = self.pairs[place.pair].end_mut(place.role);
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
            let end = self.pairs[place.pair].end_mut(place.role);
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
        if let Some(endpoint) = self.pairs[place.pair].end_mut(place.role).endpoint_mut() {
            change(endpoint);
            self.touch(place.pair);
        }
    }

    fn end(&self, place: Place) -> &End {
        self.pairs[place.pair].end(place.role)
    }

    /// Lets everything happen with a pair that can happen now.
    fn touch(&mut self, pair: usize) {
        let mut rounds = 0;
        while self.round(pair) {
            assert!(rounds < ROUNDS_AT_ONCE, "pair {pair} never comes to rest");
            rounds += 1;
        }
        let next = self.pairs[pair].next_wake(self.now);
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
}
