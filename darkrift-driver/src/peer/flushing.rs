//! What is queued, offered to the sockets.

use std::net::SocketAddr;
use std::task::Context;

use bytes::Bytes;
use parking_lot::MutexGuard;

use super::lock::Wake;
use super::{Locked, Peer, PeerState};
use crate::datagrams::{DatagramPath, Run};
use crate::stream;

/// The longest lone datagram that is sent from the stack: most of what a game sends by itself.
const LONE_DATAGRAM: usize = 256;

/// How many calls one flush makes at most before others get their turn.
const SENDS: usize = 64;

impl Peer {
    /// Offers the sockets everything that is queued.
    pub(super) fn flush(&self, state: &mut Locked<'_>) {
        if state.has_stream_output() {
            self.flush_stream(state);
        }
        // Also where none is queued: the sender may have one in its hand that the socket has just refused.
        if state.sending || state.has_datagrams() {
            self.flush_datagrams(state, &[]);
        }
    }

    fn flush_stream(&self, locked: &mut Locked<'_>) {
        let Locked { state, wakes } = locked;
        let PeerState {
            machine,
            stream: Some(stream),
            input,
            stream_ended: ended,
            burst,
            room_wanted,
            stream_full,
            now,
            ..
        } = &mut **state
        else {
            return;
        };
        burst.wrote(*now);
        let cx = &mut Context::from_waker(&self.output_waker);
        match stream::flush(stream.as_mut(), machine, *ended, &*self.runtime, cx) {
            Ok(wrote) => {
                *stream_full = machine.stream_queued() > 0;
                if wrote && std::mem::take(room_wanted) {
                    wakes.add(Wake::Room);
                }
            }
            Err(error) => {
                let now = self.runtime.now();
                stream::receive_rest(stream.as_ref(), machine, input, *ended, &error, now);
            }
        }
    }

    /// Offers the socket the datagrams that are queued, behind `first` where that is one.
    pub(super) fn flush_datagrams(&self, state: &mut Locked<'_>, first: &[u8]) {
        let Some(destination) = state.datagram_address else { return };
        // One at a time, so that they leave in the order in which they were queued.
        if state.sending {
            state.send_again = true;
            return;
        }
        state.sending = true;
        state.send_again = false;
        let unsent = self.send_datagrams(state, destination, first);
        state.sending = false;
        let Some(unsent) = unsent else { return };
        if !state.evicted {
            if let Some(datagrams) = &mut state.datagrams {
                datagrams.keep(unsent);
            }
            if state.send_again {
                // The socket may have woken the task already, which found nothing that it could send.
                state.schedule();
            }
        }
    }

    /// Sends `first`, where that is a datagram, and those that are queued; gives those that the socket does not take.
    fn send_datagrams(&self, state: &mut Locked<'_>, destination: SocketAddr, first: &[u8]) -> Option<Run> {
        if !first.is_empty() && self.send_unlocked(state, first, first.len(), destination).is_some() {
            return Some(Run { contents: Bytes::copy_from_slice(first), segment: first.len() });
        }
        for _ in 0..SENDS {
            if !state.has_datagrams() {
                return None;
            }
            let mut lone = [0; LONE_DATAGRAM];
            if let Some(length) = state.next_lone_datagram(&mut lone) {
                let datagram = &lone[..length];
                if self.send_unlocked(state, datagram, length, destination).is_some() {
                    return Some(Run { contents: Bytes::copy_from_slice(datagram), segment: length });
                }
            } else {
                let Run { contents, segment } = state.next_datagrams()?;
                if let Some(sent) = self.send_unlocked(state, &contents, segment, destination) {
                    return Some(Run { contents: contents.slice(sent..), segment });
                }
            }
        }
        // Others queue as fast as this leaves: the task goes on with it.
        state.schedule();
        None
    }

    /// Sends datagrams without the lock: over a short way the answer is there before the call returns, and whoever
    /// receives it shall not have to wait. Gives how many bytes have left when the socket does not take all of them.
    fn send_unlocked(
        &self,
        state: &mut Locked<'_>,
        contents: &[u8],
        segment: usize,
        destination: SocketAddr,
    ) -> Option<usize> {
        let sender = state.datagrams.as_ref().map(DatagramPath::sender)?;
        let now = state.now;
        state.burst.wrote(now);
        let mut cx = Context::from_waker(&self.output_waker);
        let mut longest = state.longest_segment;
        let sent = MutexGuard::unlocked(&mut state.state, || {
            sender.send(contents, segment, destination, &mut longest, &mut cx)
        });
        state.longest_segment = longest;
        sent
    }
}
