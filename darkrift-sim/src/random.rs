//! Chance, from a seed alone.

use std::ops::Range;
use std::time::Duration;

use oorandom::Rand64;

/// A seeded source of chance. The same seed gives the same values, on every machine.
#[derive(Clone, Debug)]
pub struct Random(Rand64);

impl Random {
    /// The source of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Rand64::new(u128::from(seed)))
    }

    /// A source of its own for one part of the whole, so that what another part draws does not show in it.
    #[must_use]
    pub fn fork(seed: u64, part: u64) -> Self {
        Self(Rand64::new(u128::from(seed) << 64 | u128::from(part)))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// A number of `range`, each with the same chance; its start when the range is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() { range.start } else { self.0.rand_range(range) }
    }

    /// A length or an index of `range`, each with the same chance; its start when the range is empty.
    pub fn size(&mut self, range: Range<usize>) -> usize {
        self.within(range.start as u64..range.end as u64) as usize
    }

    /// True with this chance, from 0 (never) to 1 (always).
    pub fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.0.rand_float() < chance
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.within(0..n) == 0
    }

    /// A duration from zero up to, not including, `longest`.
    pub fn duration(&mut self, longest: Duration) -> Duration {
        Duration::from_nanos(self.within(0..u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// One of several; they must not be none.
    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.size(0..choices.len())].clone()
    }

    /// This many bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
