//! Round-trip times of any number of messages, in memory of a fixed size.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many buckets there are from one power of two to the next: a percentile is at most 1/32 too long.
const STEPS: u64 = 32;

/// Up to 2^40 microseconds.
const BUCKETS: usize = 36 * STEPS as usize;

/// Round-trip times, counted in buckets that grow with the times.
#[derive(Debug)]
pub(crate) struct RoundTrips {
    buckets: Vec<AtomicU64>,
}

impl Default for RoundTrips {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl RoundTrips {
    /// Counts one.
    pub(crate) fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros).min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// The time that this share of all took at most, of 1; `None` where there are none.
    pub(crate) fn percentile(&self, share: f64) -> Option<Duration> {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let place = counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(Duration::from_micros(longest(place)))
    }
}

/// The bucket of a time in microseconds: exact below [`STEPS`], and then [`STEPS`] for each power of two.
fn bucket(micros: u64) -> usize {
    let Some(power) = micros.checked_ilog2().and_then(|power| power.checked_sub(STEPS.ilog2())) else {
        return micros as usize;
    };
    ((u64::from(power) + 1) * STEPS + (micros >> power) - STEPS) as usize
}

/// The longest time of a bucket.
fn longest(bucket: usize) -> u64 {
    let (power, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    match power.checked_sub(1) {
        None => step,
        Some(power) => ((STEPS + step + 1) << power) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_a_bucket_hardly_longer_than_itself() {
        for micros in (0..5000).chain([99_999, 1_000_000, 123_456_789, (1 << 39) + 12_345]) {
            let longest = longest(bucket(micros));
            assert!(longest >= micros && longest <= micros + micros / 32, "{micros} {longest}");
        }
    }

    #[test]
    fn percentiles_are_of_all() {
        let times = RoundTrips::default();
        assert_eq!(times.percentile(0.5), None);
        (1..=100).for_each(|millis| times.record(Duration::from_millis(millis)));
        for (share, millis) in [(0.0, 1), (0.5, 50), (0.9, 90), (1.0, 100)] {
            let time = times.percentile(share).unwrap().as_micros();
            assert!(time >= millis * 1000 && time <= millis * 1000 * 33 / 32, "{share} {time}");
        }
        times.record(Duration::MAX);
        assert!(times.percentile(1.0).unwrap() > Duration::from_secs(3600));
    }
}
