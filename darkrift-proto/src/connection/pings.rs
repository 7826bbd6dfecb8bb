//! Pings: which codes are out, and what their acknowledgements say of the round trip.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;

/// As many samples as the original keeps (`docs/protocol.md`, Message).
const SAMPLES: usize = 10;

/// How many codes are remembered. The original keeps ten, so a server that pings in each of its frames strikes clients
/// that are only far away; this is four seconds of such pings.
const CODES: usize = 256;

/// Round-trip times measured by pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The latest sample.
    pub latest: Duration,
    /// The mean of the last samples, ten at most.
    pub mean: Duration,
    /// How many samples the mean is of.
    pub samples: usize,
}

#[derive(Debug)]
struct Sent {
    code: u16,
    at: Instant,
    /// The network may bring an acknowledgement twice: that is one sample, and nobody's fault.
    acknowledged: bool,
}

/// What an acknowledgement's code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// It is of one of the last pings.
    Known,
    /// It is of none of them.
    Unknown,
}

/// The pings of a connection; nothing until the first, since most connections send none.
#[derive(Debug, Default)]
pub(super) struct Pings(Option<Box<Log>>);

impl Pings {
    /// A code that none of the pings kept has, as long as codes are taken from here.
    pub(super) fn next_code(&self) -> u16 {
        self.0.as_ref().map_or(0, |log| log.last_code).wrapping_add(1)
    }

    /// A ping with this code went out.
    pub(super) fn sent(&mut self, code: u16, now: Instant) {
        self.0.get_or_insert_default().sent(code, now);
    }

    /// An acknowledgement with this code came.
    pub(super) fn acknowledged(&mut self, code: u16, now: Instant) -> Acknowledged {
        self.0.as_mut().map_or(Acknowledged::Unknown, |log| log.acknowledged(code, now))
    }

    pub(super) fn round_trip(&self) -> Option<RoundTrip> {
        self.0.as_ref()?.round_trip()
    }
}

/// The last codes and the last samples.
#[derive(Debug, Default)]
struct Log {
    last_code: u16,
    sent: VecDeque<Sent>,
    samples: VecDeque<Duration>,
}

impl Log {
    fn sent(&mut self, code: u16, now: Instant) {
        self.last_code = code;
        self.sent.retain(|ping| ping.code != code);
        if self.sent.len() == CODES {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { code, at: now, acknowledged: false });
    }

    fn acknowledged(&mut self, code: u16, now: Instant) -> Acknowledged {
        let Some(ping) = self.sent.iter_mut().rfind(|ping| ping.code == code) else {
            return Acknowledged::Unknown;
        };
        if !ping.acknowledged {
            ping.acknowledged = true;
            if self.samples.len() == SAMPLES {
                self.samples.pop_front();
            }
            self.samples.push_back(now - ping.at);
        }
        Acknowledged::Known
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        let samples = self.samples.len();
        let mean = self.samples.iter().sum::<Duration>() / u32::try_from(samples).ok().filter(|&n| n > 0)?;
        Some(RoundTrip { latest: *self.samples.back()?, mean, samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    #[test]
    fn there_is_no_round_trip_before_the_first_sample() {
        let mut pings = Pings::default();
        assert_eq!(pings.round_trip(), None);
        pings.sent(1, at(0));
        assert_eq!(pings.round_trip(), None);
    }

    #[test]
    fn the_mean_is_of_the_samples_that_exist() {
        let mut pings = Pings::default();
        for (code, milliseconds) in [(1, 10), (2, 30)] {
            pings.sent(code, at(0));
            assert_eq!(pings.acknowledged(code, at(milliseconds)), Acknowledged::Known);
        }
        let round_trip = pings.round_trip().unwrap();
        assert_eq!(round_trip.latest, Duration::from_millis(30));
        assert_eq!(round_trip.mean, Duration::from_millis(20));
        assert_eq!(round_trip.samples, 2);
    }

    #[test]
    fn the_mean_is_of_the_last_ten_samples() {
        let mut pings = Pings::default();
        for code in 0..20 {
            pings.sent(code, at(0));
            pings.acknowledged(code, at(if code < 10 { 1000 } else { 20 }));
        }
        let round_trip = pings.round_trip().unwrap();
        assert_eq!((round_trip.mean, round_trip.samples), (Duration::from_millis(20), 10));
    }

    #[test]
    fn only_the_last_256_codes_are_known() {
        let mut pings = Pings::default();
        for code in 1..=257 {
            pings.sent(code, at(0));
        }
        assert_eq!(pings.acknowledged(1, at(1)), Acknowledged::Unknown);
        assert_eq!(pings.acknowledged(2, at(1)), Acknowledged::Known);
    }

    #[test]
    fn code_0_is_unknown_until_it_was_sent() {
        let mut pings = Pings::default();
        assert_eq!(pings.acknowledged(0, at(1)), Acknowledged::Unknown);
        pings.sent(0, at(1));
        assert_eq!(pings.acknowledged(0, at(2)), Acknowledged::Known);
    }

    #[test]
    fn an_acknowledgement_that_comes_twice_is_one_sample() {
        let mut pings = Pings::default();
        pings.sent(7, at(0));
        pings.acknowledged(7, at(5));
        assert_eq!(pings.acknowledged(7, at(500)), Acknowledged::Known);
        assert_eq!(pings.round_trip().unwrap().samples, 1);
    }

    #[test]
    fn a_code_sent_again_counts_from_the_second_time() {
        let mut pings = Pings::default();
        pings.sent(7, at(0));
        pings.sent(7, at(100));
        pings.acknowledged(7, at(110));
        assert_eq!(pings.round_trip().unwrap().latest, Duration::from_millis(10));
    }
}
