//! Messages on their way out: queued, and sent at once where they are lone ones.

use std::future::Future;

use darkrift_proto::{Connection, EncodedMessage, Instant, MessageKind, SendError, SendMode, ToMessage};

use super::{Drive, Locked, Peer, PeerState};
use crate::notification::wait_for;
use crate::scratch::with_outgoing;

/// As much waits to leave on UDP as is offered to the socket at once, however long the burst goes on, unless half of what may
/// wait is less: half of what may wait by default.
const SOON: usize = 32 << 10;

impl Peer {
    /// Queues a message, and sends it now if it looks like a lone one.
    #[inline]
    pub(crate) fn send<M: ToMessage + ?Sized>(&self, mode: SendMode, message: &M) -> Result<(), SendError> {
        let mut state = self.state.lock();
        let now = self.send_time(&state, message.kind());
        if mode == SendMode::Unreliable && state.is_quiet() {
            return self.send_first_datagram(&mut self.with_wakes(state), now, message);
        }
        let result = state.machine.send(now, mode, message);
        if result.is_ok() && state.leaves_with_others(mode) {
            state.burst.add_to_others();
            return Ok(());
        }
        let mut state = self.with_wakes(state);
        let result = self.or_with_room(&mut state, result, |machine| machine.send(now, mode, message));
        self.sent(&mut state, mode, result)
    }

    /// What came of queueing a message, or comes of it `again` once the socket has been offered what stands in its way. Many
    /// messages at once may fill the queue before anything of them was.
    #[inline]
    fn or_with_room<T>(
        &self,
        state: &mut Locked<'_>,
        result: Result<T, SendError>,
        again: impl FnOnce(&mut Connection) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        match result {
            Err(SendError::Full { .. }) if !state.stream_full => {
                self.drive(state, Drive::Output);
                // The socket may have failed, and nobody else look.
                state.settle_close();
                again(&mut state.machine)
            }
            other => other,
        }
    }

    /// Sends an unreliable message while nothing else is to be sent: a lone one past the queue.
    fn send_first_datagram<M: ToMessage + ?Sized>(
        &self,
        state: &mut Locked<'_>,
        now: Instant,
        message: &M,
    ) -> Result<(), SendError> {
        if !state.burst.add(|| self.runtime.now()) {
            state.machine.send(now, SendMode::Unreliable, message)?;
            if state.sends_soon(SendMode::Unreliable) {
                self.send_soon(state);
            } else {
                state.schedule();
            }
            return Ok(());
        }
        with_outgoing(|datagram| {
            state.machine.send_datagram(now, message, datagram)?;
            self.send_lone_datagram(state, datagram);
            Ok(())
        })
    }

    #[inline(never)]
    fn send_lone_datagram(&self, state: &mut Locked<'_>, datagram: &[u8]) {
        self.flush_datagrams(state, datagram);
        state.burst.wrote(self.runtime.now());
        state.settle_close();
    }

    /// Queues a message of whatever kind, as `queue` does it.
    pub(crate) fn queue<T>(
        &self,
        mode: SendMode,
        mut queue: impl FnMut(&mut Connection) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let mut state = self.lock();
        let result = queue(&mut state.machine);
        let result = self.or_with_room(&mut state, result, queue);
        self.sent(&mut state, mode, result)
    }

    /// Queues a message that is encoded already.
    pub(crate) fn send_encoded(&self, mode: SendMode, message: &EncodedMessage) -> Result<(), SendError> {
        let mut state = self.lock();
        let result = self.queue_encoded(&mut state, mode, message);
        self.sent(&mut state, mode, result)
    }

    /// Queues a message that is encoded already and goes to many, which began at `begun`: whether it is one of a burst is
    /// seen by that, and not by a look at the clock for each of them.
    pub(crate) fn send_to_many(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
        begun: Instant,
    ) -> Result<(), SendError> {
        let mut state = self.lock();
        let result = self.queue_encoded(&mut state, mode, message);
        self.sent_at(&mut state, mode, result, || begun)
    }

    /// Queues a message that is encoded already. That it leaves, or is waited for, is the caller's affair.
    pub(super) fn queue_encoded(
        &self,
        state: &mut Locked<'_>,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> Result<(), SendError> {
        let now = self.send_time(state, message.kind());
        let result = state.machine.send_encoded(now, mode, message);
        self.or_with_room(state, result, |machine| machine.send_encoded(now, mode, message))
    }

    /// The time at which a message is queued: exact for a ping, whose round trip begins with it.
    #[inline]
    fn send_time(&self, state: &PeerState, kind: MessageKind) -> Instant {
        match kind {
            MessageKind::Ping(_) => self.runtime.now(),
            _ => state.now,
        }
    }

    /// Does what a message that was queued asks for; of one refused for want of room, sees whether there is some.
    #[inline]
    pub(crate) fn sent<T>(
        &self,
        state: &mut Locked<'_>,
        mode: SendMode,
        result: Result<T, SendError>,
    ) -> Result<T, SendError> {
        self.sent_at(state, mode, result, || self.runtime.now())
    }

    // Taken apart and put together again: moved as a whole, the result would be read back in larger pieces than it was
    // written in, which stalls the processor.
    #[inline]
    fn sent_at<T>(
        &self,
        state: &mut Locked<'_>,
        mode: SendMode,
        result: Result<T, SendError>,
        clock: impl FnOnce() -> Instant,
    ) -> Result<T, SendError> {
        match result {
            Ok(value) => {
                if state.leaves_with_others(mode) {
                    state.burst.add_to_others();
                } else if state.sends_soon(mode) {
                    state.burst.add_to_others();
                    self.send_soon(state);
                } else {
                    self.sent_first(state, clock);
                }
                Ok(value)
            }
            Err(error) => {
                state.refused(&error);
                Err(error)
            }
        }
    }

    /// So much waits to leave on UDP that more would push out what is there, although the socket may take it.
    #[cold]
    pub(super) fn send_soon(&self, state: &mut Locked<'_>) {
        if state.has_blocked_datagrams() {
            state.schedule();
        } else {
            self.drive(state, Drive::Output);
            state.settle_close();
        }
    }

    #[inline(never)]
    fn sent_first(&self, state: &mut Locked<'_>, clock: impl FnOnce() -> Instant) {
        if state.burst.add(clock) {
            self.drive(state, Drive::Output);
            // A system whose calls are slow shall not make every message of a burst look like a lone one.
            state.burst.wrote(self.runtime.now());
            state.settle_close();
        } else {
            state.schedule();
        }
    }

    /// Queues a message for which there was no room, once there is. It is encoded once, and not for each attempt.
    pub(crate) async fn send_once_there_is_room<M: ToMessage + ?Sized>(
        &self,
        mode: SendMode,
        message: &M,
    ) -> Result<(), SendError> {
        let encoding = self.state.lock().machine.limits().encoding;
        let message = EncodedMessage::with_encoding(message, encoding)?;
        self.when_there_is_room(|| self.send_encoded(mode, &message)).await
    }

    /// Waits until `attempt` is not refused for want of room.
    #[inline]
    pub(crate) fn when_there_is_room<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, SendError>,
    ) -> impl Future<Output = Result<T, SendError>> {
        wait_for(&self.room, move || match attempt() {
            Err(SendError::Full { .. }) => None,
            other => Some(other),
        })
    }
}

impl Locked<'_> {
    /// Whoever must know is told where the socket has failed; a message moves no deadline.
    #[inline]
    fn settle_close(&mut self) {
        if self.machine.is_closed() {
            self.settle();
        }
    }

    #[cold]
    pub(super) fn refused(&mut self, error: &SendError) {
        if matches!(error, SendError::Full { .. }) {
            self.room_wanted = true;
            self.schedule();
        }
    }
}

impl PeerState {
    /// Whether what was queued is one of a burst, which a task will send.
    #[inline]
    fn leaves_with_others(&self, mode: SendMode) -> bool {
        (self.scheduled || self.deferred) && !self.sends_soon(mode)
    }

    /// Whether a datagram that is queued now would leave at once or begin a burst.
    #[inline]
    fn is_quiet(&self) -> bool {
        let others_send = self.scheduled || self.deferred || self.sending;
        !others_send && !self.has_datagrams() && self.datagram_address.is_some()
    }

    /// Whether so much waits to leave on UDP that it must leave now.
    #[inline]
    pub(super) fn sends_soon(&self, mode: SendMode) -> bool {
        mode == SendMode::Unreliable
            && self.machine.datagrams_queued() >= SOON.min(self.machine.limits().unreliable_queue / 2)
            && !self.sending
    }
}
