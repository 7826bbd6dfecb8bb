//! Whether a message is a lone one, which leaves at once, or one of a burst, which leave together.

use std::time::Duration;

use darkrift_proto::Instant;

/// Past this since the last write, a message is taken for the first of a new burst.
const BURST_GAP: Duration = Duration::from_micros(50);

/// Tells lone messages, which leave at once, from bursts, which leave together.
#[derive(Debug)]
pub(crate) struct Burst {
    /// Messages sent since the connection was last at rest.
    length: u32,
    last_length: u32,
    last_write: Instant,
}

impl Burst {
    /// Of a connection on which nothing was sent yet.
    pub(crate) const fn new() -> Self {
        Self { length: 0, last_length: 0, last_write: Instant::ZERO }
    }

    /// Counts a message; whether it should leave at once.
    pub(crate) fn add(&mut self, now: impl FnOnce() -> Instant) -> bool {
        self.length += 1;
        if self.length > 1 {
            let now = now();
            if now - self.last_write < BURST_GAP {
                return false;
            }
            // Nobody said that the connection came to rest, but the clock does.
            self.last_length = self.length - 1;
            self.length = 1;
            self.last_write = now;
            return self.last_length <= 1;
        }
        self.last_length <= 1
    }

    /// Counts a message that will leave with others in any case.
    pub(crate) fn add_to_others(&mut self) {
        self.length += 1;
    }

    /// Something is written, at `now` or after it.
    pub(crate) fn wrote(&mut self, now: Instant) {
        self.last_write = self.last_write.max(now);
    }

    /// Everything queued has been offered to the sockets.
    pub(crate) fn rest(&mut self) {
        if self.length > 0 {
            self.last_length = self.length;
            self.length = 0;
        }
    }
}
