//! How a connection ends: one reason, what was queued flushed, both halves of the stream shut.

use core::time::Duration;

use super::state::{Occurrence, State};
use super::timers::Timer;
use super::{CloseKind, CloseReason, Connection, Initiator, TransportError};
use crate::time::Instant;

/// How long at most the close of a connection lingers that never was up: there is next to nothing to flush, and those whom a
/// server refuses shall not keep its sockets.
const LINGER_BEFORE_CONFIGURE: Duration = Duration::from_millis(500);

impl Connection {
    /// Ends the connection by the application's wish: queued messages are flushed, the stream is shut down, and the
    /// peer is given [`Limits::linger`](super::Limits::linger) to end its own. Legal at any moment, before the
    /// connection is up, too; no effect once it is closed.
    pub fn close(&mut self, now: Instant) {
        self.end(now, Initiator::User, CloseKind::Requested);
    }

    /// [`close`](Self::close), for drivers that close on grounds of their own. Whoever is
    /// [`Evicted`](CloseKind::Evicted) sends no datagram any more, also where the connection is closed already.
    pub fn close_with(&mut self, now: Instant, reason: CloseReason) {
        self.end_with(now, reason);
    }

    /// Whether the write half of the stream should be shut down now: closing, everything flushed, and not shut down
    /// yet. True until [`handle_stream_shutdown`](Self::handle_stream_shutdown).
    pub const fn wants_stream_shutdown(&self) -> bool {
        matches!(self.state, State::Closing) && self.stream.queued() == 0 && !self.stream_shut
    }

    /// The write half of the stream was shut down, as [`wants_stream_shutdown`](Self::wants_stream_shutdown) wanted.
    /// No effect where it did not.
    pub fn handle_stream_shutdown(&mut self, _now: Instant) {
        if self.wants_stream_shutdown() {
            self.stream_shut = true;
            self.drain_if_done();
        }
    }

    /// Whether the stream should be reset, and not ended, as its socket goes (`SO_LINGER` of zero): the linger time passed,
    /// or the transport failed, before everything queued had left, and an orderly end would tell the peer that it has
    /// everything.
    pub const fn wants_stream_reset(&self) -> bool {
        self.stream_cut
    }

    /// The stream failed: the connection ends at once, and what was queued is dropped.
    pub fn handle_transport_error(&mut self, now: Instant, error: TransportError) {
        self.end(now, Initiator::Transport, CloseKind::Transport(error));
        self.drained();
    }

    // Out of the way of the messages that do not end the connection.
    #[cold]
    pub(super) fn end(&mut self, now: Instant, initiator: Initiator, kind: CloseKind) {
        self.end_with(now, CloseReason::new(initiator, kind));
    }

    #[cold]
    pub(super) fn end_with(&mut self, now: Instant, reason: CloseReason) {
        if reason.kind == CloseKind::Evicted {
            // They would reach the one who has the address now, whatever else ended this connection before.
            self.datagrams.clear();
        }
        if !self.state.advance(Occurrence::Closed) {
            return;
        }
        self.timers.clear();
        let linger = self.limits().linger;
        let linger = if self.id.is_some() { linger } else { linger.min(LINGER_BEFORE_CONFIGURE) };
        self.timers.set(Timer::Linger, now + linger);
        self.token_due = false;
        self.input_missing = 0;
        self.events.close(reason);
    }

    /// Nothing is left once both halves of the stream are shut.
    pub(super) fn drain_if_done(&mut self) {
        if self.stream_shut && self.stream_ended {
            self.drained();
        }
    }

    /// Nothing is left to send, or nobody to take it.
    pub(super) fn drained(&mut self) {
        if self.state.advance(Occurrence::Drained) {
            self.timers.clear();
            self.counted.stream_unsent = self.stream.queued() as u64;
            self.stream_cut = self.stream.queued() > 0;
            self.stream.clear();
            self.datagrams.clear();
        }
    }
}
