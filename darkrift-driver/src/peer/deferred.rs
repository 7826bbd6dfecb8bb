//! Messages of a broadcast that leave behind it, for a group of connections at a time.
//!
//! A write takes microseconds, so that one thread with thousands of them to make is late with the last ones. Woken one by
//! one, the tasks of the connections would make them on all threads, each for a wake-up and a turn of its own. So one task
//! is woken for a group and sends for all of it, and another so that the first is not the last one woken.

use std::sync::Arc;

use darkrift_proto::{EncodedMessage, SendError, SendMode};

use super::{Drive, Peer, PeerState};

/// For how many connections one task sends.
const GROUP: usize = 64;

/// The connections of one broadcast for which a task will send. Dropped, it sees to it that all of them have one.
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    /// The one that was added last, which knows the one before it, and so on.
    last: Option<Arc<Peer>>,
    length: usize,
}

impl Deferred {
    /// Queues a message, which a task will send.
    ///
    /// # Errors
    /// As [`Connection::send_encoded`](darkrift_proto::Connection::send_encoded).
    pub(crate) fn send(
        &mut self,
        peer: &Arc<Peer>,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> Result<(), SendError> {
        let mut state = peer.lock();
        peer.queue_encoded(&mut state, mode, message).inspect_err(|error| state.refused(error))?;
        state.burst.add_to_others();
        if state.sends_soon(mode) {
            peer.send_soon(&mut state);
            return Ok(());
        }
        if state.scheduled || state.deferred {
            return Ok(());
        }
        state.deferred = true;
        state.next_deferred = self.last.replace(peer.clone());
        drop(state);
        self.length += 1;
        if self.length == GROUP {
            *self = Self::default();
        }
        Ok(())
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if let Some(last) = self.last.take() {
            let mut state = last.lock();
            let Some(other) = state.next_deferred.clone() else {
                drop(state);
                return send_all(Some(last));
            };
            state.schedule();
            drop(state);
            // Whom a task wakes last may have to wait for it, as on tokio, where no other thread takes that one over. It
            // is this one then, and the first does its work.
            other.wakers().wake_task();
        }
    }
}

impl PeerState {
    /// The connections behind this one that wait to be sent for; who takes them does it.
    pub(crate) fn take_deferred(&mut self) -> Option<Arc<Peer>> {
        self.deferred = false;
        self.next_deferred.take()
    }
}

/// Sends for this connection, and all that are behind it.
pub(crate) fn send_all(mut next: Option<Arc<Peer>>) {
    while let Some(peer) = next {
        let mut state = peer.lock();
        next = state.take_deferred();
        if state.has_output() {
            peer.drive(&mut state, Drive::Output);
            state.rest();
            state.settle();
        }
    }
}
