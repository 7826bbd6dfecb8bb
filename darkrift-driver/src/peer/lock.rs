//! A connection's lock while it is held, and whom to wake once it is not.

use std::ops::{Deref, DerefMut};

use parking_lot::MutexGuard;

use super::{Peer, PeerState};
use crate::notification::wake_listeners;

/// A connection's state, locked. Whoever is to be woken for what changed is woken behind the lock: an executor may do as it
/// likes within a wake, such as run the task, or drop one that holds the connection's last handle.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    // Released first, since fields are dropped in this order.
    pub(super) state: MutexGuard<'a, PeerState>,
    pub(super) wakes: Wakes<'a>,
}

/// Whom to wake.
#[derive(Debug)]
pub(super) struct Wakes<'a> {
    peer: &'a Peer,
    /// A set of [`Wake`]s, looked at whenever the lock is released.
    pending: u8,
}

/// One of those to wake.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Wake {
    /// The connection's task.
    Task = 1,
    /// The receiver that has waited longest.
    Receiver = 2,
    /// Whoever waits for room.
    Room = 4,
    /// Whoever waits for the close, or for what comes no more.
    Closed = 8,
    /// Whoever looks at the stream, once others have had their turn.
    StreamAgain = 16,
    /// Likewise at the datagrams.
    DatagramsAgain = 32,
}

impl Peer {
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_> {
        self.with_wakes(self.state.lock())
    }

    /// Of a lock that was taken where nobody is to be woken, as a rule.
    #[inline]
    pub(super) const fn with_wakes<'a>(&'a self, state: MutexGuard<'a, PeerState>) -> Locked<'a> {
        Locked { state, wakes: Wakes { peer: self, pending: 0 } }
    }
}

impl Locked<'_> {
    /// The task is to run, once for all that ask for it before it does.
    pub(crate) fn schedule(&mut self) {
        if !self.scheduled {
            self.scheduled = true;
            self.wakes.add(Wake::Task);
        }
    }

    /// Whoever must know is told what changed: that it closed, or that a deadline came nearer.
    pub(crate) fn settle(&mut self) {
        if self.machine.is_closed() && !self.announced_closed {
            self.announced_closed = true;
            self.wakes.add(Wake::Closed);
            self.schedule();
        } else if self.machine.poll_timeout().is_some_and(|timeout| timeout < self.armed) {
            self.schedule();
        }
    }
}

impl Deref for Locked<'_> {
    type Target = PeerState;

    #[inline]
    fn deref(&self) -> &PeerState {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut PeerState {
        &mut self.state
    }
}

impl Wakes<'_> {
    #[inline]
    pub(super) fn add(&mut self, wake: Wake) {
        self.pending |= wake as u8;
    }

    const fn has(&self, wake: Wake) -> bool {
        self.pending & wake as u8 != 0
    }

    #[inline(never)]
    fn wake(&self) {
        let peer = self.peer;
        if self.has(Wake::Closed) {
            wake_listeners(&peer.closed);
            peer.wakers.wake_all_receivers();
        }
        if self.has(Wake::Closed) || self.has(Wake::Room) {
            wake_listeners(&peer.room);
        }
        if self.has(Wake::DatagramsAgain) {
            peer.runtime.come_back(&peer.datagram_waker);
        }
        if self.has(Wake::StreamAgain) {
            peer.runtime.come_back(&peer.stream_waker);
        }
        if self.has(Wake::Receiver) {
            peer.wakers.wake_receiver();
        }
        if self.has(Wake::Task) {
            peer.wakers.wake_task();
        }
    }
}

impl Drop for Wakes<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.pending != 0 {
            self.wake();
        }
    }
}
