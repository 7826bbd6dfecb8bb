//! A link for datagrams, one way: what a network does to UDP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use darkrift_proto::Instant;

use crate::random::Random;

/// How a [`DatagramLink`] treats what it carries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatagramConditions {
    /// How long each datagram is under way, at least. Default 0.
    pub latency: Duration,
    /// How much longer it may be under way, by chance. Default 0. Datagrams keep their order nevertheless, unless they
    /// are reordered.
    pub jitter: Duration,
    /// The chance from 0 to 1 that a datagram is lost. Default 0.
    pub loss: f64,
    /// The chance that a datagram arrives twice. Default 0.
    pub duplication: f64,
    /// The chance that a datagram does not keep its place: it may overtake others, and be overtaken. Default 0.
    pub reordering: f64,
    /// How much later than others a reordered datagram may be. Default 0.
    pub reordering_delay: Duration,
    /// Bytes per second. Default `None`: no limit.
    pub bandwidth: Option<u64>,
    /// How long a datagram may wait for the bandwidth; past it, it is dropped. Default 200 ms.
    pub longest_queue: Duration,
}

impl Default for DatagramConditions {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            reordering_delay: Duration::ZERO,
            bandwidth: None,
            longest_queue: Duration::from_millis(200),
        }
    }
}

/// What a [`DatagramLink`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatagramCounts {
    /// Datagrams given to the link.
    pub sent: u64,
    /// Datagrams lost, by chance, in a black hole, or for want of bandwidth.
    pub lost: u64,
    /// Second copies made.
    pub duplicated: u64,
    /// Datagrams that were let out of order.
    pub reordered: u64,
}

/// One direction of a path for datagrams.
///
/// [`send`](Self::send) puts a datagram in, [`receive`](Self::receive) takes out what has arrived, and
/// [`next_arrival`](Self::next_arrival) says when something will. Bits are never flipped: UDP has a checksum.
#[derive(Clone, Debug)]
pub struct DatagramLink {
    conditions: DatagramConditions,
    random: Random,
    /// The address that the receiver sees.
    source: SocketAddr,
    /// By arrival, and among equals by the order in which they were sent.
    under_way: BTreeMap<(Instant, u64), (SocketAddr, Bytes)>,
    sequence: u64,
    busy_until: Instant,
    last_arrival: Instant,
    black_hole_until: Instant,
    counts: DatagramCounts,
}

impl DatagramLink {
    /// A link under these conditions, whose receiver sees datagrams come from `source`.
    pub fn new(conditions: DatagramConditions, seed: u64, source: SocketAddr) -> Self {
        Self {
            conditions,
            random: Random::new(seed),
            source,
            under_way: BTreeMap::new(),
            sequence: 0,
            busy_until: Instant::ZERO,
            last_arrival: Instant::ZERO,
            black_hole_until: Instant::ZERO,
            counts: DatagramCounts::default(),
        }
    }

    /// The conditions, to look at or to change from now on.
    pub fn conditions_mut(&mut self) -> &mut DatagramConditions {
        &mut self.conditions
    }

    /// The address that the receiver sees.
    pub const fn source(&self) -> SocketAddr {
        self.source
    }

    /// What the link has done so far.
    pub const fn counts(&self) -> DatagramCounts {
        self.counts
    }

    /// A NAT on the way forgot the flow and gives it another address: what is sent from now on comes from `source`.
    pub fn rebind(&mut self, source: SocketAddr) {
        self.source = source;
    }

    /// Loses everything that is sent before `until`.
    pub fn black_hole(&mut self, until: Instant) {
        self.black_hole_until = until;
    }

    /// Puts a datagram on its way.
    pub fn send(&mut self, now: Instant, contents: Bytes) {
        self.counts.sent += 1;
        let lost = self.random.chance(self.conditions.loss);
        let Some(departure) = self.departure(now, contents.len()) else {
            self.counts.lost += 1;
            return;
        };
        if lost || now < self.black_hole_until {
            self.counts.lost += 1;
            return;
        }
        if self.random.chance(self.conditions.duplication) {
            self.counts.duplicated += 1;
            self.carry(departure, contents.clone());
        }
        self.carry(departure, contents);
    }

    /// When the bandwidth lets a datagram of this length go; `None` when it would wait too long.
    fn departure(&mut self, now: Instant, length: usize) -> Option<Instant> {
        let Some(bandwidth) = self.conditions.bandwidth else { return Some(now) };
        let start = self.busy_until.max(now);
        if start - now > self.conditions.longest_queue {
            return None;
        }
        let nanos = (length as u64).saturating_mul(1_000_000_000) / bandwidth.max(1);
        self.busy_until = start + Duration::from_nanos(nanos);
        Some(self.busy_until)
    }

    fn carry(&mut self, departure: Instant, contents: Bytes) {
        let mut arrival = departure + self.conditions.latency + self.random.duration(self.conditions.jitter);
        if self.random.chance(self.conditions.reordering) {
            self.counts.reordered += 1;
            arrival = arrival + self.random.duration(self.conditions.reordering_delay);
        } else {
            arrival = arrival.max(self.last_arrival);
            self.last_arrival = arrival;
        }
        self.under_way.insert((arrival, self.sequence), (self.source, contents));
        self.sequence += 1;
    }

    /// When the next datagram arrives, if any is under way.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|(&(arrival, _), _)| arrival)
    }

    /// Takes the next datagram that has arrived by `now`, with the address that it came from.
    pub fn receive(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        if self.next_arrival()? > now {
            return None;
        }
        self.under_way.pop_first().map(|(_, datagram)| datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: SocketAddr = crate::SERVER_ADDRESS;

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    fn link(change: impl FnOnce(&mut DatagramConditions)) -> DatagramLink {
        let mut conditions = DatagramConditions::default();
        change(&mut conditions);
        DatagramLink::new(conditions, 1, SOURCE)
    }

    fn numbers(link: &mut DatagramLink, now: Instant) -> Vec<u8> {
        std::iter::from_fn(|| link.receive(now)).map(|(_, contents)| contents[0]).collect()
    }

    fn send(link: &mut DatagramLink, now: Instant, count: u8) {
        for number in 0..count {
            link.send(now, Bytes::copy_from_slice(&[number]));
        }
    }

    #[test]
    fn a_datagram_arrives_after_its_latency_and_not_before() {
        let mut link = link(|conditions| conditions.latency = Duration::from_millis(30));
        send(&mut link, at(5), 1);
        assert_eq!(link.next_arrival(), Some(at(35)));
        assert_eq!(link.receive(at(34)), None);
        assert_eq!(numbers(&mut link, at(35)), [0]);
        assert_eq!(link.next_arrival(), None);
    }

    #[test]
    fn jitter_alone_changes_no_order() {
        let mut link = link(|conditions| conditions.jitter = Duration::from_millis(30));
        send(&mut link, at(0), 100);
        assert!(numbers(&mut link, at(30)).is_sorted());
    }

    #[test]
    fn reordering_does() {
        let mut link = link(|conditions| {
            conditions.reordering = 0.5;
            conditions.reordering_delay = Duration::from_millis(30);
        });
        send(&mut link, at(0), 100);
        let arrived = numbers(&mut link, at(30));
        assert_eq!(arrived.len(), 100);
        assert!(!arrived.is_sorted());
    }

    #[test]
    fn about_as_many_are_lost_and_repeated_as_the_conditions_say() {
        let mut link = link(|conditions| {
            conditions.loss = 0.3;
            conditions.duplication = 0.1;
        });
        for _ in 0..100 {
            send(&mut link, at(0), 100);
        }
        let counts = link.counts();
        assert!((2700..3300).contains(&counts.lost), "{counts:?}");
        assert!((600..800).contains(&counts.duplicated), "{counts:?}");
        assert_eq!(numbers(&mut link, at(0)).len() as u64, counts.sent - counts.lost + counts.duplicated);
    }

    #[test]
    fn bandwidth_spaces_datagrams_and_drops_those_that_would_wait_too_long() {
        let mut link = link(|conditions| conditions.bandwidth = Some(100));
        send(&mut link, at(0), 100);
        assert_eq!(numbers(&mut link, at(100)).len(), 10);
        assert_eq!(numbers(&mut link, at(5000)).len(), 11);
        assert_eq!(link.counts().lost, 79);
    }

    #[test]
    fn a_black_hole_takes_what_is_sent_into_it_and_a_rebinding_changes_the_source() {
        let mut link = link(|_| {});
        link.black_hole(at(10));
        send(&mut link, at(9), 3);
        assert_eq!(link.next_arrival(), None);
        let other = SocketAddr::from(([192, 0, 2, 9], 9));
        link.rebind(other);
        send(&mut link, at(10), 1);
        assert_eq!(link.receive(at(10)).unwrap().0, other);
    }
}
