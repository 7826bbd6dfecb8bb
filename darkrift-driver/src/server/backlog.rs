//! The clients that nobody has accepted yet.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::handle::Handle;

/// How many clients that have left already wait to be accepted, with what they sent: a server whose application does
/// not get to accept holds no more of them than about this many, twice at most.
const LEFT: usize = 512;

/// How many bytes of payload they may hold together, twice that at most, and of one more client.
const HELD: usize = 4 << 20;

/// The clients that wait for `accept`, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Arc<Handle>>,
    /// How many clients at most have left since it was last seen who has.
    left: usize,
    /// How many bytes of payload those hold at most.
    held: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, handle: Arc<Handle>) {
        self.waiting.push_back(handle);
    }

    pub(super) fn pop(&mut self) -> Option<Arc<Handle>> {
        self.waiting.pop_front()
    }

    pub(super) fn take_all(&mut self) -> VecDeque<Arc<Handle>> {
        std::mem::take(&mut self.waiting)
    }

    /// A client has left with so many bytes of payload that nobody has taken, and was perhaps one of these. Gives those that
    /// are forgotten for it, the oldest of those that have left.
    pub(super) fn someone_left(&mut self, held: usize) -> Vec<Arc<Handle>> {
        if self.waiting.is_empty() {
            (self.left, self.held) = (0, 0);
            return Vec::new();
        }
        self.left += 1;
        self.held += held;
        if self.left <= LEFT && self.held <= HELD {
            return Vec::new();
        }
        (self.left, self.held) = (0, 0);
        let (mut count, mut bytes) = (0, 0);
        let mut forgotten = Vec::new();
        // The last ones first, which are kept.
        for index in (0..self.waiting.len()).rev() {
            let Some(held) = held_by_left(&self.waiting[index]) else { continue };
            count += 1;
            bytes += held;
            if count > LEFT || bytes > HELD {
                forgotten.extend(self.waiting.remove(index));
            }
        }
        forgotten
    }
}

/// How many bytes of payload a client has left behind, if it has left.
fn held_by_left(handle: &Handle) -> Option<usize> {
    let state = handle.peer.lock();
    state.machine.is_closed().then(|| state.machine.events_queued())
}
