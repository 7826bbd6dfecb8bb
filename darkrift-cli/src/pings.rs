//! Which pings were sent and have not been answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many are remembered, as many as a connection does.
const REMEMBERED: usize = 256;

/// The pings that were sent last and have not been answered, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pings(VecDeque<(u16, Instant)>);

impl Pings {
    /// A ping of this code was sent.
    pub(crate) fn sent(&mut self, code: u16, at: Instant) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((code, at));
    }

    /// The ping of this code was answered now: how long that took, unless it is none of these.
    pub(crate) fn answered(&mut self, code: u16) -> Option<Duration> {
        let place = self.0.iter().position(|&(sent, _)| sent == code)?;
        self.0.remove(place).map(|(_, at)| at.elapsed())
    }

    /// How many have not been answered.
    pub(crate) fn waiting(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_answered_once() {
        let mut pings = Pings::default();
        pings.sent(7, Instant::now());
        assert_eq!(pings.answered(8), None);
        assert!(pings.answered(7).is_some());
        assert_eq!(pings.answered(7), None);
    }

    #[test]
    fn the_last_are_remembered() {
        let mut pings = Pings::default();
        (0..300).for_each(|code| pings.sent(code, Instant::now()));
        assert_eq!(pings.waiting(), 256);
        assert_eq!(pings.answered(43), None);
        assert!(pings.answered(44).is_some());
    }
}
