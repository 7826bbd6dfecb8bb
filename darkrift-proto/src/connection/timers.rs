//! The moments at which something happens although nothing came.

use crate::time::Instant;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The acknowledgement (client) or the token (server) is due.
    Handshake,
    /// The whole connect is due (client).
    Connect,
    /// The token is to be sent again (client).
    Token,
    /// The peer has been silent for too long, unless it was not.
    Idle,
    /// The close has waited for long enough.
    Linger,
}

const COUNT: usize = Timer::Linger as usize + 1;
/// Stands for a timer that is not set: five hundred years away.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// One moment for each [`Timer`], or none.
#[derive(Debug)]
pub(super) struct Timers([Instant; COUNT]);

impl Timers {
    pub(super) const fn new() -> Self {
        Self([NEVER; COUNT])
    }

    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = at;
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        self.set(timer, NEVER);
    }

    /// Cancels all.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Whether the timer's moment has come. If so the timer is cancelled.
    pub(super) fn expire(&mut self, timer: Timer, now: Instant) -> bool {
        let at = self.0[timer as usize];
        let expired = at != NEVER && at <= now;
        if expired {
            self.cancel(timer);
        }
        expired
    }

    /// The earliest moment.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().copied().min().filter(|&at| at != NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_next_and_expires_once() {
        let mut timers = Timers::new();
        assert_eq!(timers.next(), None);
        timers.set(Timer::Linger, Instant::from_nanos(9));
        timers.set(Timer::Token, Instant::from_nanos(5));
        assert_eq!(timers.next(), Some(Instant::from_nanos(5)));
        assert!(!timers.expire(Timer::Token, Instant::from_nanos(4)));
        assert!(timers.expire(Timer::Token, Instant::from_nanos(5)));
        assert!(!timers.expire(Timer::Token, Instant::from_nanos(6)));
        assert_eq!(timers.next(), Some(Instant::from_nanos(9)));
        timers.clear();
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_is_not_set_never_expires() {
        assert!(!Timers::new().expire(Timer::Idle, Instant::from_nanos(u64::MAX)));
    }
}
