//! The clients that nobody has accepted yet.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::client::Handle;

/// How many clients that have left already wait to be accepted, with what they sent: a server whose application does
/// not get to accept holds no more of them than about this many, twice at most.
const LEFT: usize = 32;

/// The clients that wait for `accept`, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Arc<Handle>>,
    /// How many clients at most have left since it was last seen who has.
    left: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, handle: Arc<Handle>) {
        self.waiting.push_back(handle);
    }

    pub(super) fn pop(&mut self) -> Option<Arc<Handle>> {
        self.waiting.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// A client has left, and was perhaps one of these. Gives those that are forgotten for it, the oldest of those that have
    /// left.
    pub(super) fn someone_left(&mut self) -> Vec<Arc<Handle>> {
        self.left = if self.waiting.is_empty() { 0 } else { self.left + 1 };
        if self.left <= LEFT {
            return Vec::new();
        }
        self.left = 0;
        let has_left = |handle: &Arc<Handle>| handle.peer.lock().machine.is_closed();
        let mut excess = self.waiting.iter().filter(|handle| has_left(handle)).count().saturating_sub(LEFT);
        let mut forgotten = Vec::new();
        self.waiting.retain(|handle| {
            let keep = excess == 0 || !has_left(handle);
            if !keep {
                excess -= 1;
                forgotten.push(handle.clone());
            }
            keep
        });
        forgotten
    }
}
