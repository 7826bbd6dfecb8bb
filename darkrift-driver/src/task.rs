//! A connection's own task: it flushes what is left, keeps the time, and looks after the connection while no `recv`
//! waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use darkrift_proto::Instant;

use crate::peer::{ATTENTION, Drive, Locked, NEVER, Peer, PeerState, send_all};
use crate::runtime::Timer;

/// A deadline that is noticed so long behind it was late since this thread was kept from looking. Whoever else was, such as
/// the task that receives a server's datagrams, has as long before it is believed.
const LATE: Duration = Duration::from_millis(20);

/// Runs until the connection has drained, and lets go of its sockets; also where it is dropped before.
pub(crate) struct Task<O: Observer> {
    peer: Arc<Peer>,
    upkeep: Upkeep,
    /// Whether the observer knows that the connection has closed.
    told: bool,
    /// Gone once it knows that the sockets are.
    observer: Option<O>,
}

/// Who is told how a connection ends.
pub(crate) trait Observer: Unpin {
    /// It has closed. Told once.
    fn closed(&self, peer: &Peer);

    /// Its sockets are gone. Told once, behind `closed`.
    fn ended(&self, peer: &Peer);
}

/// Nobody.
impl Observer for () {
    fn closed(&self, _: &Peer) {}
    fn ended(&self, _: &Peer) {}
}

impl<O: Observer> Task<O> {
    pub(crate) fn new(peer: Arc<Peer>, observer: O) -> Self {
        Self { peer, upkeep: Upkeep::new(), told: false, observer: Some(observer) }
    }

    /// Begins with a timer that is there already, and set for this moment.
    pub(crate) fn with_timer(mut self, timer: Pin<Box<dyn Timer>>, at: Instant) -> Self {
        self.upkeep.timer = Some(timer);
        self.upkeep.armed = at;
        self
    }

    /// The connection has closed.
    fn tell(&mut self) {
        if let (Some(observer), false) = (&self.observer, self.told) {
            self.told = true;
            observer.closed(&self.peer);
        }
    }

    /// Lets go of everything.
    fn end(&mut self) {
        self.peer.end();
        self.tell();
        self.upkeep.timer = None;
        if let Some(observer) = self.observer.take() {
            observer.ended(&self.peer);
        }
    }
}

impl<O: Observer> Future for Task<O> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { peer, upkeep, .. } = &mut *self;
        let (poll, is_closed) = upkeep.poll(peer, cx);
        if poll.is_ready() {
            // Now, since an executor may keep a future that has ended.
            self.end();
        } else if is_closed {
            self.tell();
        }
        poll
    }
}

impl<O: Observer> Drop for Task<O> {
    fn drop(&mut self) {
        if self.observer.is_some() {
            self.end();
        }
    }
}

/// A deadline that passed while nobody ran here.
#[derive(Clone, Copy)]
struct Doubt {
    deadline: Instant,
    /// When it is believed after all.
    until: Instant,
}

/// What the task knows from one time it runs to the next.
struct Upkeep {
    timer: Option<Pin<Box<dyn Timer>>>,
    armed: Instant,
    /// When to see whether the application still looks at its messages. While this is set, a `recv` was here a
    /// moment ago and will read the sockets itself when it is back.
    watch: Option<Instant>,
    doubt: Option<Doubt>,
    /// What the count of its looks was when the watch began.
    looks: u32,
}

impl Upkeep {
    const fn new() -> Self {
        Self { timer: None, armed: NEVER, watch: None, doubt: None, looks: 0 }
    }

    /// Ready once the connection has drained; and whether it has closed.
    fn poll(&mut self, peer: &Peer, cx: &mut Context<'_>) -> (Poll<()>, bool) {
        peer.wakers().set_task(cx.waker());
        let mut state = peer.lock();
        state.begin_task();
        self.drive(peer, &mut state);
        loop {
            if state.machine.is_drained() {
                state.settle();
                return (Poll::Ready(()), true);
            }
            if self.poll_timer(peer, &state, cx).is_pending() {
                break;
            }
            let now = peer.runtime().now();
            if let Some(timeout) = state.machine.poll_timeout().filter(|timeout| *timeout <= now) {
                // What has come meanwhile may be all that the deadline waits for.
                peer.look_for_news(&mut state);
                if now - timeout > LATE && self.doubt.is_none_or(|doubt| doubt.deadline != timeout) {
                    self.doubt = Some(Doubt { deadline: timeout, until: now + LATE });
                }
            }
            if self.deadline(&state).is_some_and(|deadline| deadline <= now) {
                state.machine.handle_timeout(now);
            }
            if self.watch.is_some_and(|watch| watch <= now) {
                self.watch = None;
                // A receiver that comes by now and then takes what is there already, and does not look for what is behind it.
                peer.drive(&mut state, Drive::All);
            }
            self.drive(peer, &mut state);
        }
        // A deadline that is doubted is no news.
        state.armed = self.doubt_of(&state).map_or(self.armed, |doubt| self.armed.min(doubt.deadline));
        state.settle();
        let (news, is_closed) = (state.machine.has_event(), state.machine.is_closed());
        // A look that stopped before the sockets were empty has left no waker with the reactor. Whoever takes the news looks
        // for what is behind them; where nobody waits for any, this task does, once others have had their turn.
        let more = (self.watch.is_none() || is_closed) && peer.has_more(&state);
        let deferred = state.take_deferred();
        drop(state);
        send_all(deferred);
        if news && !peer.wakers().wake_receiver() && more {
            peer.runtime().come_back(cx.waker());
        }
        (Poll::Pending, is_closed)
    }

    /// Sends what is queued, and receives unless the application is about to.
    fn drive(&mut self, peer: &Peer, state: &mut Locked<'_>) {
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

    /// The machine's next deadline, or when it is believed.
    fn deadline(&self, state: &PeerState) -> Option<Instant> {
        self.doubt_of(state).map(|doubt| doubt.until).or_else(|| state.machine.poll_timeout())
    }

    /// What is doubted, while it still is the machine's next deadline.
    fn doubt_of(&self, state: &PeerState) -> Option<Doubt> {
        self.doubt.filter(|doubt| state.machine.poll_timeout() == Some(doubt.deadline))
    }

    /// Ready when the next deadline has passed; pending, with the timer set for it, until then.
    fn poll_timer(&mut self, peer: &Peer, state: &PeerState, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = [self.deadline(state), self.watch].into_iter().flatten().min();
        let Some(at) = deadline else {
            // An idle connection holds no timer.
            self.timer = None;
            self.armed = NEVER;
            return Poll::Pending;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if self.armed != at {
                    timer.as_mut().reset(at);
                }
                timer
            }
            none => none.insert(peer.runtime().timer(at)),
        };
        self.armed = at;
        let poll = timer.as_mut().poll(cx);
        if poll.is_ready() {
            self.armed = NEVER;
        }
        poll
    }
}
