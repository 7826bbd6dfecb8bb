//! Messages on their way in: taken, or looked for at the sockets, or waited for.

use std::task::{Context, Poll};

use bytes::BytesMut;
use darkrift_proto::{Instant, Received};

use super::lock::Wake;
use super::{Drive, Locked, Peer, PeerState};
use crate::stream;
use crate::wakers::Place;

/// How many looks at the sockets in a row may each bring messages before a `recv` lets other tasks run: a peer that
/// sends faster than its messages are handled would keep the thread for ever.
const TURN: u8 = 8;

/// Most capacity that an input buffer keeps while nothing is in it.
const KEPT_INPUT: usize = 1024;

impl Peer {
    /// Takes the next message; `None` once the connection has closed and everything was taken.
    ///
    /// A receiver that has waited keeps its place, and must end with [`forget`](Self::forget).
    #[inline]
    pub(crate) fn poll_receive(&self, cx: &Context<'_>, place: &mut Place) -> Poll<Option<Received>> {
        let mut state = self.state.lock();
        let message = state.machine.poll_message();
        if message.is_none() {
            return self.take_or_wait(self.with_wakes(state), cx, place);
        }
        state.looks = state.looks.wrapping_add(1);
        // The way of most messages: it is there, and taking it changes nothing that anyone must be told.
        let is_alone = !place.is_taken() && !self.wakers.is_receiver_waiting();
        if !is_alone || self.wakers.has_input() || state.has_input() {
            let mut state = self.with_wakes(state);
            if !is_alone {
                self.pass_on(&mut state, place);
            }
            self.attend(&mut state);
        }
        Poll::Ready(message)
    }

    /// Takes a message of any kind, or else looks at the sockets for one, and waits if there is none.
    #[inline(never)]
    fn take_or_wait(
        &self,
        mut state: Locked<'_>,
        cx: &Context<'_>,
        place: &mut Place,
    ) -> Poll<Option<Received>> {
        if state.machine.has_event() || state.finished {
            let there = state.take_message();
            if there.is_ready() {
                state.looks = state.looks.wrapping_add(1);
                self.pass_on(&mut state, place);
                self.attend(&mut state);
                return there;
            }
        }
        if state.fruitful >= TURN {
            state.fruitful = 0;
            drop(state);
            self.runtime.come_back(cx.waker());
            return Poll::Pending;
        }
        let mut taken = self.look(&mut state);
        if taken.is_pending() {
            self.wakers.wait(place, cx.waker());
            // What came before it was in its place did not wake it.
            if self.wakers.has_input() {
                taken = self.look(&mut state);
                // More strikes than one turn reads, and no message: no waker is with the reactor.
                if taken.is_pending() && self.has_more(&state) {
                    state.wakes.add(Wake::StreamAgain);
                }
            }
        }
        state.fruitful = if taken.is_ready() { state.fruitful + 1 } else { 0 };
        if taken.is_ready() {
            state.looks = state.looks.wrapping_add(1);
            self.pass_on(&mut state, place);
            self.attend(&mut state);
        }
        taken
    }

    /// Sends what is queued, and takes the message that the sockets bring; for whoever has found none that is there.
    fn look(&self, state: &mut Locked<'_>) -> Poll<Option<Received>> {
        if !self.wakers.has_input() && !state.has_input() && !state.has_output() {
            state.rest();
            return Poll::Pending;
        }
        self.drive(state, Drive::All);
        state.rest();
        state.settle();
        state.take_message()
    }

    /// Looks at the sockets, whether or not the reactor has said that they have anything.
    pub(crate) fn look_for_news(&self, state: &mut Locked<'_>) {
        self.wakers.stream.set();
        if state.has_own_datagrams() {
            self.wakers.datagrams.set();
        }
        self.drive(state, Drive::All);
    }

    /// Whether a look at the sockets now gets anywhere: it brings something, or finds them empty, and then the reactor says
    /// when they are not. Never so while the machine wants no more.
    pub(crate) fn has_more(&self, state: &PeerState) -> bool {
        let machine = &state.machine;
        let wants_stream = machine.wants_stream_read() && !state.stream_ended;
        (wants_stream && self.wakers.stream.is_ready())
            || (!machine.is_drained() && self.wakers.datagrams.is_ready())
    }

    /// This receiver has what it came for; the next one has its turn.
    #[cold]
    fn pass_on(&self, state: &mut Locked<'_>, place: &mut Place) {
        self.wakers.stop_waiting(place);
        if state.machine.has_event() || state.finished || self.wakers.has_input() || state.has_input() {
            state.wakes.add(Wake::Receiver);
        }
    }

    /// Whoever took a message need not come back: what the sockets still have, and what was read and found no room, is
    /// looked after by the task, unless it is about to look in any case.
    #[inline]
    fn attend(&self, state: &mut Locked<'_>) {
        if (self.wakers.has_input() || state.has_input()) && !self.wakers.is_watched() {
            state.schedule();
        }
    }

    /// Takes a message that is there already, or that one look at the sockets brings.
    pub(crate) fn try_receive(&self) -> Option<Received> {
        let mut state = self.lock();
        let mut taken = state.take_message();
        if taken.is_pending() {
            taken = self.look(&mut state);
        }
        state.looks = state.looks.wrapping_add(1);
        self.pass_on(&mut state, &mut Place::default());
        self.attend(&mut state);
        match taken {
            Poll::Ready(received) => received,
            Poll::Pending => None,
        }
    }

    /// Gives up a receiver's place. If it was woken and did nothing about it, the task does it.
    pub(crate) fn forget(&self, place: &mut Place) {
        if place.is_taken() && !self.wakers.stop_waiting(place) && !self.wakers.wake_receiver() {
            self.wakers.wake_task();
        }
    }

    /// After datagrams were given to the machine, at `now`: what they ask for is sent, and a receiver is told of them.
    /// Where there is no time for it, since others' datagrams wait, the task sends.
    pub(crate) fn arrived(&self, mut state: Locked<'_>, now: Instant, has_time: bool) {
        state.now = now;
        if state.machine.stream_queued() > 0 || state.machine.has_datagram() {
            if has_time {
                self.drive(&mut state, Drive::Output);
            } else {
                state.schedule();
            }
        }
        state.settle();
        if state.machine.has_event() {
            state.wakes.add(Wake::Receiver);
        }
    }

    /// Takes what has come to the sockets; false when nobody was told that there is anything.
    pub(super) fn receive(&self, locked: &mut Locked<'_>) -> bool {
        let Locked { state, wakes } = locked;
        let PeerState {
            machine,
            stream,
            datagrams,
            datagram_address,
            input,
            stream_ended,
            fruitful,
            now: last,
            ..
        } = &mut **state;
        let (Some(stream), Some(datagrams)) = (stream, datagrams) else { return false };
        let wakers = &self.wakers;
        let from_stream =
            machine.wants_stream_read() && (wakers.stream.is_ready() || !input.is_empty() || *stream_ended);
        let from_datagrams = wakers.datagrams.is_ready() && !machine.is_drained();
        if !from_stream && !from_datagrams {
            return false;
        }
        let now = self.runtime.now();
        *last = now;
        // First, since nothing is taken from them any more once the stream has ended.
        if from_datagrams {
            let server = *datagram_address;
            let cx = &mut Context::from_waker(&self.datagram_waker);
            if datagrams.receive(machine, server, &wakers.datagrams, now, cx) && !machine.has_event() {
                wakes.add(Wake::DatagramsAgain);
            }
        }
        if from_stream {
            let cx = &mut Context::from_waker(&self.stream_waker);
            let readiness = &wakers.stream;
            if stream::receive(stream.as_mut(), machine, input, stream_ended, readiness, now, cx) {
                // So much that others have their turn before the next look.
                *fruitful = TURN;
                if !machine.has_event() {
                    wakes.add(Wake::StreamAgain);
                }
            }
            if input.is_empty() && input.capacity() > KEPT_INPUT {
                *input = BytesMut::new();
            }
        }
        true
    }
}
