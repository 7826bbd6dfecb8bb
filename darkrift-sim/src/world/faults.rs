//! What networks do to those who use them, on demand.

use std::net::SocketAddr;
use std::time::Duration;

use darkrift_proto::Instant;

use super::World;
use crate::datagrams::DatagramConditions;
use crate::endpoint::End;
use crate::stream::StreamConditions;

impl World {
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
}
