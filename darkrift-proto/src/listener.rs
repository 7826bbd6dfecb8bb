//! A server's door: who may come in, whose token a datagram carries, and whose datagram it is.

mod addresses;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;

use self::addresses::{Address, Addresses};
use crate::connection::{Connection, ServerConfig};
use crate::time::Instant;
use crate::wire::{Acknowledgement, Hello, TOKEN_BYTES, Token};

/// How often a connection's token is answered again in a second: an honest client repeats it each second or so, and anyone
/// who has it can have it answered to the address that it came from first.
const ANSWERS: u32 = 32;
const SECOND: Duration = Duration::from_secs(1);

/// Where tokens come from: eight bytes that nobody can guess, from the operating system's randomness.
pub trait TokenSource {
    /// The next token. The listener clears the two highest bits of its first byte, and asks again while it is in use.
    fn token(&mut self) -> Token;
}

/// Names a connection for its listener. Indexes are dense, so that a caller can keep its own data in a `Vec`;
/// a key is used again only once its index has been so 2^32 times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    index: u32,
    generation: u32,
}

impl ConnectionKey {
    /// Where in a `Vec` the connection's data may stand. Given to another connection once this one is released.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

/// Why the door stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// As many connections wait for their token as may.
    #[error("{0} connections wait for their token already")]
    TooManyPending(usize),
    /// As many connections of this IP address, or of its network where it is IPv6, wait for their token as may.
    #[error("{0} connections from this address wait for their token already")]
    TooManyFromAddress(usize),
    /// As many clients are connected as may be.
    #[error("{0} clients are connected, and no more are accepted")]
    Full(usize),
}

/// What to do with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Routing {
    /// It belongs to this connection: give it to
    /// [`Connection::handle_datagram`](crate::Connection::handle_datagram).
    Deliver(ConnectionKey),
    /// It carried this connection's token: send `answer` to the address it came from, then tell the connection
    /// ([`handle_paired`](crate::Connection::handle_paired)).
    Paired {
        /// The connection whose token it was.
        key: ConnectionKey,
        /// The acknowledgement, in the listener's dialect. May be empty: an empty datagram is to be sent then.
        answer: Bytes,
        /// A connection that held the address before, and is dead therefore: close it as
        /// [`Evicted`](crate::CloseKind::Evicted). Its key stays its own until it is released.
        evicted: Option<ConnectionKey>,
    },
    /// It carried this connection's token, and there is no room for another client: close the connection as
    /// [`NoFreeId`](crate::CloseKind::NoFreeId).
    Full(ConnectionKey),
    /// A token repeated: send `answer` to the address it came from again. Given 32 times a second at most for one
    /// connection; tokens past that are ignored.
    Answer {
        /// The acknowledgement, the same as the first.
        answer: Bytes,
    },
    /// Nobody's, or nonsense: dropped and counted.
    Ignored,
}

/// The door of a server: bounds who may wait before it, matches the tokens that come on UDP with the connections
/// that came on TCP, and knows whose each datagram is by the address it came from (`docs/protocol.md`, Handshake).
///
/// It holds no connection: the caller keeps what [`accept`](Self::accept) makes, under its key, and says
/// [`release`](Self::release) when it has ended. An IPv4 address and the same address mapped into IPv6 are one.
#[derive(Debug)]
pub struct Listener {
    config: Arc<ServerConfig>,
    slots: Vec<Slot>,
    /// Slots to use again, the last one first.
    free: Vec<u32>,
    /// The slot of each token in use. Ordered maps throughout: no seed to provide, no order to depend on one, and
    /// no peer that can choose keys which collide.
    tokens: BTreeMap<Token, u32>,
    /// The connection of each address that a token came from.
    addresses: Addresses,
    /// Those that wait for their token, or were refused and have not gone.
    pending: Crowd,
    paired: usize,
    /// Those of the paired ones that take no client's place, since they have closed.
    leaving: Crowd,
    /// How many connections were accepted so far.
    accepted: u64,
    ignored: u64,
}

/// The IP address as a number, the same for an IPv4 address and its mapping into IPv6.
fn ip_number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// What counts as one address where many are kept out: an IPv4 address, and of IPv6 the first 64 bits, of which every
/// host can make up as many addresses as it likes.
fn network(ip: u128) -> u128 {
    if Ipv6Addr::from_bits(ip).to_ipv4_mapped().is_some() { ip } else { ip & (u128::MAX << 64) }
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    occupant: Option<Occupant>,
}

/// Connections that are no clients and are kept for a while, of which there may be so many, and so many from one host.
#[derive(Debug)]
struct Crowd {
    count: usize,
    /// How many there are of each IP address, as [`network`] has it.
    by_network: BTreeMap<u128, usize>,
}

impl Crowd {
    const NOBODY: Self = Self { count: 0, by_network: BTreeMap::new() };

    /// Whether there is room for one more.
    fn room(&self, config: &ServerConfig, peer_ip: u128) -> Result<(), Refused> {
        let from_address = self.by_network.get(&network(peer_ip)).copied().unwrap_or_default();
        if self.count >= config.max_pending {
            Err(Refused::TooManyPending(self.count))
        } else if from_address >= config.max_pending_per_address {
            Err(Refused::TooManyFromAddress(from_address))
        } else {
            Ok(())
        }
    }

    fn add(&mut self, peer_ip: u128) {
        self.count += 1;
        *self.by_network.entry(network(peer_ip)).or_default() += 1;
    }

    fn remove(&mut self, peer_ip: u128) {
        self.count -= 1;
        let network = network(peer_ip);
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

#[derive(Debug)]
struct Occupant {
    token: Token,
    /// How many were accepted before it.
    accepted: u64,
    /// The IP address of the TCP connection.
    peer_ip: u128,
    stage: Stage,
}

/// How far through the door a connection is.
#[derive(Debug)]
enum Stage {
    /// Its token has not come.
    Waiting,
    /// Its token came.
    Paired(Paired),
    /// It will be no client, whatever comes.
    Refused,
}

#[derive(Debug)]
struct Paired {
    /// Where its token came from, as the socket said it.
    from: SocketAddr,
    /// How often its token was answered again in the second that began then.
    answers: u32,
    since: Instant,
    /// Whether it has closed, and takes no client's place.
    is_leaving: bool,
}

impl Occupant {
    fn paired(&self) -> Option<&Paired> {
        match &self.stage {
            Stage::Paired(paired) => Some(paired),
            Stage::Waiting | Stage::Refused => None,
        }
    }

    const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }
}

impl Paired {
    /// Counts a repeated token, and says whether it is to be answered.
    fn answers_again(&mut self, now: Instant) -> bool {
        if now - self.since >= SECOND {
            (self.answers, self.since) = (0, now);
        }
        let answers = self.answers < ANSWERS;
        self.answers += u32::from(answers);
        answers
    }
}

impl Listener {
    /// A door with nobody before it.
    pub const fn new(config: Arc<ServerConfig>) -> Self {
        Self {
            config,
            slots: Vec::new(),
            free: Vec::new(),
            tokens: BTreeMap::new(),
            addresses: Addresses::new(),
            pending: Crowd::NOBODY,
            paired: 0,
            leaving: Crowd::NOBODY,
            accepted: 0,
            ignored: 0,
        }
    }

    /// The settings, which the connections share.
    pub const fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// A TCP connection came in from `peer`: makes its [`Connection`], whose hello is queued, or refuses it at once.
    /// Every key that is given out is to be [released](Self::release).
    ///
    /// # Errors
    /// [`Refused`], by the limits of the settings: drop the stream.
    pub fn accept(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        tokens: &mut dyn TokenSource,
    ) -> Result<(ConnectionKey, Connection), Refused> {
        let peer_ip = ip_number(peer.ip());
        self.check_room(peer_ip)?;
        let token = self.unused_token(tokens);
        let key = self.occupy(Occupant { token, accepted: self.accepted, peer_ip, stage: Stage::Waiting });
        self.accepted += 1;
        self.tokens.insert(token, key.index);
        self.pending.add(peer_ip);
        let hello = Hello::new(self.config.dialect.version(), token);
        Ok((key, Connection::server(self.config.clone(), now, hello)))
    }

    /// A datagram came: says whose it is, or what it was. From port 0 it is nobody's, whatever it carries: nothing could
    /// be sent back, which every system refuses as an error.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Routing {
        let routing = if from.port() == 0 { Routing::Ignored } else { self.route(now, from, datagram) };
        if matches!(routing, Routing::Ignored) {
            self.ignored += 1;
        }
        routing
    }

    fn route(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Routing {
        let address = Address::new(from);
        let holder = self.addresses.get(address);
        match (holder, self.carried_token(datagram)) {
            (Some(holder), None) => Routing::Deliver(holder),
            (Some(holder), Some(carried)) if carried == holder.index => self.answer_again(now, carried),
            (Some(holder), Some(carried)) if self.may_replace(holder, carried) => {
                self.pair(now, carried, from, address, Some(holder))
            }
            (None, Some(carried)) if self.is_waiting(carried) => self.pair(now, carried, from, address, None),
            _ => Routing::Ignored,
        }
    }

    /// The connection will be no client: the application does not want it, or it has ended before. Until it is
    /// [released](Self::release) it counts as one that waits for its token and no more as a client, so that those who are
    /// refused take no client's place while they are closed; its token and its address are nobody's. No effect on a key
    /// already released.
    pub fn refuse(&mut self, key: ConnectionKey) {
        let Some(occupant) = self.occupant_mut(key) else { return };
        let stage = core::mem::replace(&mut occupant.stage, Stage::Refused);
        let peer_ip = occupant.peer_ip;
        if let Stage::Paired(paired) = stage {
            self.no_longer_paired(key, peer_ip, &paired);
            self.pending.add(peer_ip);
        }
    }

    /// The client's connection has closed, and what it still has to send may take a while: until it is
    /// [released](Self::release) it takes no client's place, unless as many do so already, of all or from its IP address,
    /// as may wait for their tokens. No effect on a key already released, or of a connection that has not had its token.
    pub fn leave(&mut self, key: ConnectionKey) {
        let Some(peer_ip) = self.occupant(key.index).map(|occupant| occupant.peer_ip) else { return };
        let has_room = self.leaving.room(&self.config, peer_ip).is_ok();
        if let Some(Stage::Paired(paired)) = self.occupant_mut(key).map(|occupant| &mut occupant.stage) {
            if has_room && !core::mem::replace(&mut paired.is_leaving, true) {
                self.leaving.add(peer_ip);
            }
        }
    }

    /// The connection has ended: forgets its token and its address. No effect on a key already released.
    pub fn release(&mut self, key: ConnectionKey) {
        let Some(slot) = self.slots.get_mut(key.index()) else { return };
        if slot.generation != key.generation {
            return;
        }
        let Some(occupant) = slot.occupant.take() else { return };
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index);
        self.tokens.remove(&occupant.token);
        match occupant.paired() {
            None => self.pending.remove(occupant.peer_ip),
            Some(paired) => self.no_longer_paired(key, occupant.peer_ip, paired),
        }
    }

    /// How many connections wait for their token, or were refused and are not released.
    pub const fn pending(&self) -> usize {
        self.pending.count
    }

    /// How many connections have had their token and are neither refused nor released, those that [leave](Self::leave)
    /// among them.
    pub const fn paired(&self) -> usize {
        self.paired
    }

    /// Where the connection's datagrams come from and go to, as the socket said it; `None` before its token came, and
    /// once it is refused.
    pub fn datagram_address(&self, key: ConnectionKey) -> Option<SocketAddr> {
        let slot = self.slots.get(key.index()).filter(|slot| slot.generation == key.generation)?;
        Some(slot.occupant.as_ref()?.paired()?.from)
    }

    /// How many datagrams were nobody's, or nonsense.
    pub const fn datagrams_ignored(&self) -> u64 {
        self.ignored
    }

    fn check_room(&self, peer_ip: u128) -> Result<(), Refused> {
        if self.is_full() {
            Err(Refused::Full(self.paired))
        } else {
            self.pending.room(&self.config, peer_ip)
        }
    }

    fn is_full(&self) -> bool {
        self.paired - self.leaving.count >= self.config.max_clients
    }

    /// A token that no connection has. Its first byte, which the original's client takes for the flags of a message
    /// when an acknowledgement comes twice, says neither command nor ping.
    fn unused_token(&self, tokens: &mut dyn TokenSource) -> Token {
        const ATTEMPTS: usize = 16;
        let mut number = 0;
        for _ in 0..ATTEMPTS {
            number = u64::from_be_bytes(*tokens.token().as_bytes()) & (u64::MAX >> 2);
            if !self.tokens.contains_key(&token(number)) {
                return token(number);
            }
        }
        // The source is broken. It shall not hang the server besides.
        while self.tokens.contains_key(&token(number)) {
            number = (number + 1) & (u64::MAX >> 2);
        }
        token(number)
    }

    fn occupy(&mut self, occupant: Occupant) -> ConnectionKey {
        if let Some(index) = self.free.pop() {
            self.slots[index as usize].occupant = Some(occupant);
            return self.key(index);
        }
        // Fewer than 2^32: each takes part of a limit on pending connections or on clients.
        let index = self.slots.len() as u32;
        self.slots.push(Slot { generation: 0, occupant: Some(occupant) });
        self.key(index)
    }

    fn key(&self, index: u32) -> ConnectionKey {
        ConnectionKey { index, generation: self.slots[index as usize].generation }
    }

    fn occupant(&self, index: u32) -> Option<&Occupant> {
        self.slots.get(index as usize)?.occupant.as_ref()
    }

    fn occupant_mut(&mut self, key: ConnectionKey) -> Option<&mut Occupant> {
        let slot = self.slots.get_mut(key.index()).filter(|slot| slot.generation == key.generation)?;
        slot.occupant.as_mut()
    }

    /// The slot whose token the datagram is, if it is one: a version byte, which does not matter, and the token.
    fn carried_token(&self, datagram: &[u8]) -> Option<u32> {
        let (_version, token) = datagram.split_first()?;
        let token: [u8; TOKEN_BYTES] = token.try_into().ok()?;
        self.tokens.get(&Token::new(token)).copied()
    }

    fn is_leaving(&self, key: ConnectionKey) -> bool {
        self.occupant(key.index).and_then(Occupant::paired).is_some_and(|paired| paired.is_leaving)
    }

    fn is_waiting(&self, index: u32) -> bool {
        self.occupant(index).is_some_and(Occupant::is_waiting)
    }

    /// Whether the waiting connection `newcomer` may take the address of `holder`: only where both came from the
    /// same host, since anyone can forge a datagram's source, and shall not evict somebody else's client by it; and
    /// only where it came later, since the token of a client that died may still be under way when it is back.
    fn may_replace(&self, holder: ConnectionKey, newcomer: u32) -> bool {
        let (Some(holder), Some(newcomer)) = (self.occupant(holder.index), self.occupant(newcomer)) else {
            return false;
        };
        newcomer.is_waiting() && newcomer.peer_ip == holder.peer_ip && newcomer.accepted > holder.accepted
    }

    /// The token of slot `index` came from `from`, an address that `holder` had until now.
    fn pair(
        &mut self,
        now: Instant,
        index: u32,
        from: SocketAddr,
        address: Address,
        holder: Option<ConnectionKey>,
    ) -> Routing {
        let key = self.key(index);
        // Whoever replaces a dead client takes its place, if that had one.
        if self.is_full() && holder.is_none_or(|holder| self.is_leaving(holder)) {
            return Routing::Full(key);
        }
        let Some(occupant) = self.occupant_mut(key) else { return Routing::Ignored };
        occupant.stage = Stage::Paired(Paired { from, answers: 0, since: now, is_leaving: false });
        let peer_ip = occupant.peer_ip;
        self.pending.remove(peer_ip);
        self.paired += 1;
        self.addresses.insert(address, key);
        Routing::Paired { key, answer: self.acknowledgement(index), evicted: holder }
    }

    /// The token of slot `index` came again, from the address that it has.
    fn answer_again(&mut self, now: Instant, index: u32) -> Routing {
        let key = self.key(index);
        let answers = match self.occupant_mut(key).map(|occupant| &mut occupant.stage) {
            Some(Stage::Paired(paired)) => paired.answers_again(now),
            _ => false,
        };
        if answers { Routing::Answer { answer: self.acknowledgement(index) } } else { Routing::Ignored }
    }

    fn acknowledgement(&self, index: u32) -> Bytes {
        self.occupant(index).map_or_else(Bytes::new, |occupant| {
            Acknowledgement::new(self.config.dialect, occupant.token).to_bytes()
        })
    }

    fn no_longer_paired(&mut self, key: ConnectionKey, peer_ip: u128, paired: &Paired) {
        self.paired -= 1;
        if paired.is_leaving {
            self.leaving.remove(peer_ip);
        }
        // Unless it was evicted, and the address is another's.
        let address = Address::new(paired.from);
        if self.addresses.get(address) == Some(key) {
            self.addresses.remove(address);
        }
    }
}

fn token(number: u64) -> Token {
    Token::new(number.to_be_bytes())
}
