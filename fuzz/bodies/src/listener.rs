//! A door under arbitrary datagrams from many addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use darkrift_proto::wire::Token;
use darkrift_proto::{ConnectionKey, Instant, Listener, Refused, Routing, ServerConfig, TokenSource};

use crate::input::Input;

const MAX_PENDING: usize = 4;
const MAX_PER_ADDRESS: usize = 2;
const MAX_CLIENTS: usize = 3;
/// How often a repeated token is answered in a second.
const ANSWERS: u32 = 32;

/// A client as the plainest door would know it.
#[derive(Debug)]
struct Client {
    key: ConnectionKey,
    token: [u8; 8],
    ip: IpAddr,
    paired_from: Option<SocketAddr>,
    is_refused: bool,
    is_leaving: bool,
    /// When the second began in which its token was answered again, and how often it was.
    answered: (Instant, u32),
}

/// Connections come, are refused, close and go, time passes, and datagrams come from few addresses: routing is what the plainest door says.
pub fn listener(data: &[u8]) {
    let mut config = ServerConfig::default();
    config.max_pending = MAX_PENDING;
    config.max_pending_per_address = MAX_PER_ADDRESS;
    config.max_clients = MAX_CLIENTS;
    let mut door = Door {
        listener: Listener::new(Arc::new(config)),
        clients: Vec::new(),
        addresses: BTreeMap::new(),
        tokens: 0,
        now: Instant::ZERO,
    };
    let mut input = Input::new(data);
    while !input.is_empty() {
        match input.choice(12) {
            0 | 1 => door.accept(address(&mut input)),
            2 => door.release(usize::from(input.byte())),
            3..6 => {
                let (from, whose) = (address(&mut input), usize::from(input.byte()));
                if let Some(client) = door.clients.get(whose % door.clients.len().max(1)) {
                    let datagram = [&[input.byte()], &client.token[..]].concat();
                    door.datagram(from, &datagram);
                }
            }
            6 | 7 => {
                let (from, bytes) = (address(&mut input), input.bytes());
                door.datagram(from, bytes);
            }
            8 => door.refuse(usize::from(input.byte())),
            9 => door.now = door.now + Duration::from_millis(10) * u32::from(input.byte()),
            10 => door.repeat_token(usize::from(input.byte()), input.byte()),
            _ => door.leave(usize::from(input.byte())),
        }
        door.check();
    }
}

fn address(input: &mut Input<'_>) -> SocketAddr {
    let byte = input.byte();
    let ip = Ipv4Addr::new(10, 0, 0, byte & 3);
    let port = if byte & 0x30 == 0x30 { 0 } else { 1000 + u16::from(byte >> 2 & 3) };
    let ip = match byte >> 6 {
        0 => IpAddr::V4(ip),
        // Two networks, with two hosts each.
        1 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, u16::from(byte & 1), 0, 0, 0, u16::from(byte & 2))),
        // The same address in its two forms is one.
        _ => IpAddr::V6(ip.to_ipv6_mapped()),
    };
    SocketAddr::new(ip, port)
}

/// What counts as one address: of IPv6 the first four groups.
fn network(ip: IpAddr) -> Vec<u16> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().map(u16::from).to_vec(),
        IpAddr::V6(ip) => [&ip.segments()[..4], &[0]].concat(),
    }
}

fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

struct Door {
    listener: Listener,
    /// In the order in which they were accepted.
    clients: Vec<Client>,
    addresses: BTreeMap<SocketAddr, ConnectionKey>,
    tokens: u64,
    now: Instant,
}

/// Tokens that repeat now and then, as no good source does.
struct Tokens<'a>(&'a mut u64);

impl TokenSource for Tokens<'_> {
    fn token(&mut self) -> Token {
        *self.0 += 1;
        Token::new((*self.0 / 3).to_be_bytes())
    }
}

impl Door {
    fn accept(&mut self, from: SocketAddr) {
        let ip = from.ip().to_canonical();
        // Those who were refused among them.
        let pending = |client: &&Client| client.paired_from.is_none();
        let all = self.clients.iter().filter(pending).count();
        let of_address =
            self.clients.iter().filter(pending).filter(|client| network(client.ip) == network(ip)).count();
        let paired = self.clients.len() - all;
        let expected = if self.is_full() {
            Some(Refused::Full(paired))
        } else if all >= MAX_PENDING {
            Some(Refused::TooManyPending(all))
        } else if of_address >= MAX_PER_ADDRESS {
            Some(Refused::TooManyFromAddress(of_address))
        } else {
            None
        };
        match self.listener.accept(self.now, from, &mut Tokens(&mut self.tokens)) {
            Ok((key, mut connection)) => {
                assert_eq!(expected, None);
                let hello = bytes::Buf::copy_to_bytes(&mut connection.stream_output(), 9);
                let token: [u8; 8] = hello[1..].try_into().expect("a hello is 9 bytes");
                assert!(self.clients.iter().all(|client| client.token != token && client.key != key));
                let answered = (self.now, 0);
                self.clients.push(Client {
                    key,
                    token,
                    ip,
                    paired_from: None,
                    is_refused: false,
                    is_leaving: false,
                    answered,
                });
            }
            Err(refused) => assert_eq!(expected, Some(refused)),
        }
    }

    fn release(&mut self, which: usize) {
        if self.clients.is_empty() {
            return;
        }
        let client = self.clients.remove(which % self.clients.len());
        self.listener.release(client.key);
        self.listener.release(client.key);
        self.addresses.retain(|_, key| *key != client.key);
    }

    fn refuse(&mut self, which: usize) {
        let count = self.clients.len().max(1);
        let Some(client) = self.clients.get_mut(which % count) else { return };
        (client.paired_from, client.is_refused, client.is_leaving) = (None, true, false);
        let key = client.key;
        self.listener.refuse(key);
        self.listener.refuse(key);
        self.addresses.retain(|_, holder| *holder != key);
    }

    fn leave(&mut self, which: usize) {
        let count = self.clients.len().max(1);
        let Some(client) = self.clients.get(which % count) else { return };
        let (key, ip, is_paired) = (client.key, client.ip, client.paired_from.is_some());
        let leaving = self.clients.iter().filter(|client| client.is_leaving);
        let of_address = leaving.clone().filter(|client| network(client.ip) == network(ip)).count();
        if is_paired && leaving.count() < MAX_PENDING && of_address < MAX_PER_ADDRESS {
            self.clients[which % count].is_leaving = true;
        }
        self.listener.leave(key);
        self.listener.leave(key);
    }

    /// Whether as many as there may be have their token and a client's place.
    fn is_full(&self) -> bool {
        let has_place = |client: &&Client| client.paired_from.is_some() && !client.is_leaving;
        self.clients.iter().filter(has_place).count() >= MAX_CLIENTS
    }

    /// A client sends its token again and again.
    fn repeat_token(&mut self, which: usize, times: u8) {
        let Some(client) = self.clients.get(which % self.clients.len().max(1)) else { return };
        let (token, Some(from)) = (client.token, client.paired_from) else { return };
        for _ in 0..times {
            self.datagram(from, &[&[1], &token[..]].concat());
        }
    }

    fn datagram(&mut self, from: SocketAddr, datagram: &[u8]) {
        let address = plain(from);
        let carried = (datagram.len() == 9)
            .then(|| self.clients.iter().position(|client| client.token == datagram[1..]))
            .flatten();
        let holder = self.addresses.get(&address).copied();
        let holder_at =
            holder.map(|key| self.clients.iter().position(|client| client.key == key).expect("held"));
        let is_full = self.is_full();
        let routing = self.listener.handle_datagram(self.now, from, datagram);
        if from.port() == 0 {
            return assert_eq!(routing, Routing::Ignored);
        }
        match (holder_at, carried) {
            (Some(holder), None) => assert_eq!(routing, Routing::Deliver(self.clients[holder].key)),
            (Some(holder), Some(carried)) if holder == carried => {
                let (begun, count) = &mut self.clients[holder].answered;
                if self.now - *begun >= Duration::from_secs(1) {
                    (*begun, *count) = (self.now, 0);
                }
                assert_eq!(matches!(routing, Routing::Answer { .. }), *count < ANSWERS, "{routing:?}");
                *count = ANSWERS.min(*count + 1);
            }
            (_, Some(carried))
                if self.clients[carried].paired_from.is_none() && !self.clients[carried].is_refused =>
            {
                // Only whoever came later, from the same host, takes an address over.
                let may = holder_at.is_none_or(|holder| {
                    holder < carried && self.clients[holder].ip == self.clients[carried].ip
                });
                match routing {
                    Routing::Paired { key, answer, evicted } if may => {
                        assert_eq!((key, evicted), (self.clients[carried].key, holder));
                        assert!(!is_full || holder_at.is_some_and(|holder| !self.clients[holder].is_leaving));
                        assert_eq!(answer[..8], self.clients[carried].token);
                        self.clients[carried].paired_from = Some(from);
                        self.clients[carried].answered = (self.now, 0);
                        self.addresses.insert(address, key);
                    }
                    Routing::Full(key) => {
                        assert_eq!(key, self.clients[carried].key);
                        assert!(is_full && holder_at.is_none_or(|holder| self.clients[holder].is_leaving));
                    }
                    Routing::Ignored => assert!(!may),
                    other => panic!("{other:?}"),
                }
            }
            _ => assert_eq!(routing, Routing::Ignored),
        }
    }

    fn check(&self) {
        let paired = self.clients.iter().filter(|client| client.paired_from.is_some()).count();
        assert_eq!((self.listener.paired(), self.listener.pending()), (paired, self.clients.len() - paired));
        for client in &self.clients {
            assert_eq!(self.listener.datagram_address(client.key), client.paired_from);
        }
    }
}
