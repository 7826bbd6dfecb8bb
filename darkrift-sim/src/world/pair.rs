//! A client, its connection at the server, and the links between the two.

use std::time::Duration;

use darkrift_proto::{ClientId, ConnectionKey, Instant, Role};

use super::Path;
use crate::SERVER_ADDRESS;
use crate::datagrams::DatagramLink;
use crate::endpoint::End;
use crate::random::Random;
use crate::stream::StreamLink;

#[derive(Debug)]
pub(super) struct Pair {
    pub(super) client: End,
    pub(super) server: End,
    pub(super) key: Option<ConnectionKey>,
    pub(super) up: StreamLink,
    pub(super) down: StreamLink,
    pub(super) datagrams_up: DatagramLink,
    pub(super) datagrams_down: DatagramLink,
    pub(super) accepted_after: Duration,
    pub(super) rejected: bool,
    pub(super) accept_at: Option<Instant>,
    pub(super) id: Option<ClientId>,
    pub(super) segments: usize,
    /// When it is to be looked at, as far as the world's queue knows.
    pub(super) wake: Option<Instant>,
}

impl Pair {
    pub(super) fn new(client: End, server: End, key: Option<ConnectionKey>, path: &Path) -> Self {
        let seed = |part: u64| Random::fork(path.seed, part).number();
        let cuts = |part: u64| Random::fork(path.seed_of_cuts, part).number();
        Self {
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
        }
    }

    pub(super) const fn end(&self, role: Role) -> &End {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    pub(super) const fn end_mut(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// When something happens with it by itself, at `now` or later.
    pub(super) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let ends = [self.client.next_wake(), self.server.next_wake(), self.accept_at];
        let datagrams = [self.datagrams_up.next_arrival(), self.datagrams_down.next_arrival()];
        // What has arrived on a stream and was not read waits for its reader, not for time.
        let streams = [self.up.next_arrival(), self.down.next_arrival()].map(|at| at.filter(|&at| at > now));
        ends.into_iter().chain(datagrams).chain(streams).flatten().min()
    }
}
