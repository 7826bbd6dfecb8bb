//! The server's part: its door, its ids, and what its application decides.

use std::net::SocketAddr;

use bytes::Bytes;
use darkrift_proto::wire::Token;
use darkrift_proto::{CloseKind, CloseReason, ConnectionKey, Initiator, Routing, TokenSource};

use super::{Occurrence, Path, Place, World};
use crate::random::Random;

impl World {
    /// A datagram reached the server's socket.
    pub(super) fn route(&mut self, current: usize, from: SocketAddr, contents: Bytes) {
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
                self.refuse(pair, CloseKind::NoFreeId);
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
            None => self.refuse(pair, CloseKind::NoFreeId),
        }
    }

    /// The server's application has looked at the client.
    pub(super) fn accept(&mut self, pair: usize) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        it.accept_at = None;
        if it.rejected {
            self.refuse(pair, CloseKind::Rejected);
        } else if let (Some(server), Some(id)) = (it.server.endpoint_mut(), it.id) {
            server.connection.configure(now, id);
            server.note_closed(Place::server(pair), &mut self.log);
        }
    }

    /// The server will not have this client.
    fn refuse(&mut self, pair: usize, kind: CloseKind) {
        self.close_server(pair, kind);
        if let Some(key) = self.pairs[pair].key {
            self.listener.refuse(key);
        }
    }

    fn close_server(&mut self, pair: usize, kind: CloseKind) {
        let now = self.now;
        if let Some(server) = self.pairs[pair].server.endpoint_mut() {
            server.connection.close_with(now, CloseReason::new(Initiator::Local, kind));
            server.note_closed(Place::server(pair), &mut self.log);
        }
    }

    pub(super) fn answer(&mut self, current: usize, to: SocketAddr, answer: Bytes) {
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

    /// Gives key and id of a server's side back once it has drained.
    pub(super) fn release(&mut self, pair: usize) -> bool {
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

/// Seeded tokens, for a world in which nobody guesses. They depend on the client's path and on no other client: one that
/// comes late may be taken for a message, and then it is seen.
#[derive(Debug)]
pub(super) struct Tokens(Random);

impl Tokens {
    pub(super) fn new(seed: u64, path: &Path) -> Self {
        Self(Random::fork(seed.wrapping_add(path.seed), u64::MAX))
    }
}

impl TokenSource for Tokens {
    fn token(&mut self) -> Token {
        Token::new(self.0.number().to_be_bytes())
    }
}
