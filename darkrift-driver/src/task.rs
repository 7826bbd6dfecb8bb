//! A connection's own task: it flushes what is left, keeps the time, and looks after the connection while no `recv`
//! waits.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use darkrift_proto::Instant;
use parking_lot::MutexGuard;

use crate::peer::{ATTENTION, Drive, Peer, PeerState};
use crate::runtime::Timer;

/// Runs until the connection has drained, and lets go of its sockets; also where it is dropped before. Calls `on_closed`
/// once when it has closed.
pub(crate) fn run(peer: Arc<Peer>, on_closed: impl FnOnce()) -> impl Future<Output = ()> {
    // Outside of the future's code, which never runs where the runtime stops first.
    let mut ending = Ending { peer, on_closed: Some(on_closed) };
    async move {
        let mut task = Task { timer: None, armed: None, watch: None, looks: 0 };
        poll_fn(|cx| {
            let poll = task.poll(&ending.peer, cx);
            ending.tell();
            poll
        })
        .await;
    }
}

/// Ends the connection when it is dropped.
struct Ending<F: FnOnce()> {
    peer: Arc<Peer>,
    on_closed: Option<F>,
}

impl<F: FnOnce()> Ending<F> {
    /// Tells once that the connection has closed.
    fn tell(&mut self) {
        if self.on_closed.is_some() && self.peer.lock().machine.is_closed() {
            self.on_closed.take().expect("it is there")();
        }
    }
}

impl<F: FnOnce()> Drop for Ending<F> {
    fn drop(&mut self) {
        self.peer.end();
        self.tell();
    }
}

struct Task {
    timer: Option<Pin<Box<dyn Timer>>>,
    armed: Option<Instant>,
    /// When to see whether the application still looks at its messages. While this is set, a `recv` was here a
    /// moment ago and will read the sockets itself when it is back.
    watch: Option<Instant>,
    /// What the count of its looks was when the watch began.
    looks: u64,
}

impl Task {
    fn poll(&mut self, peer: &Peer, cx: &mut Context<'_>) -> Poll<()> {
        peer.wakers().set_task(cx.waker());
        let mut state = peer.lock();
        state.begin_task();
        self.drive(peer, &mut state);
        loop {
            if state.machine.is_drained() {
                peer.settle(&mut state);
                return Poll::Ready(());
            }
            if self.poll_timer(peer, &state, cx).is_pending() {
                break;
            }
            let now = peer.runtime().now();
            state.machine.handle_timeout(now);
            if self.watch.is_some_and(|watch| watch <= now) {
                self.watch = None;
            }
            self.drive(peer, &mut state);
        }
        state.armed = self.armed;
        peer.settle(&mut state);
        let news = state.machine.has_event();
        drop(state);
        if news {
            peer.wakers().wake_receiver();
        }
        Poll::Pending
    }

    /// Sends what is queued, and receives unless the application is about to.
    fn drive(&mut self, peer: &Peer, state: &mut MutexGuard<'_, PeerState>) {
        let waiting = peer.wakers().is_receiver_waiting();
        if self.watch.is_none() && !waiting && state.looks != self.looks && !state.machine.is_closed() {
            self.looks = state.looks;
            self.watch = Some(peer.runtime().now() + ATTENTION);
        }
        peer.wakers().set_watched(self.watch.is_some());
        let attended = self.watch.is_some() || waiting;
        peer.drive(state, if attended && !state.machine.is_closed() { Drive::Output } else { Drive::All });
        state.rest();
    }

    /// Ready when the next deadline has passed; pending, with the timer set for it, until then.
    fn poll_timer(&mut self, peer: &Peer, state: &PeerState, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = [state.machine.poll_timeout(), self.watch].into_iter().flatten().min();
        let Some(at) = deadline else {
            // An idle connection holds no timer.
            self.timer = None;
            self.armed = None;
            return Poll::Pending;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if self.armed != Some(at) {
                    timer.as_mut().reset(at);
                }
                timer
            }
            none => none.insert(peer.runtime().timer(at)),
        };
        self.armed = Some(at);
        let poll = timer.as_mut().poll(cx);
        if poll.is_ready() {
            self.armed = None;
        }
        poll
    }
}
