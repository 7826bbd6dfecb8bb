//! One connection as it runs: the machine, its sockets, and whoever moves bytes between them.
//!
//! Whoever has a reason to is the one to drive: a `recv` that finds nothing, a `send` on a quiet connection, or the
//! connection's own task (`task.rs`) when neither is there. All of them do it under one short lock, and register
//! with the reactor under the same wakers (`wakers.rs`).

mod burst;
mod sending;

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use darkrift_proto::{CloseKind, CloseReason, Connection, Event, Initiator, Instant, Received};
use event_listener::Event as Notification;
use parking_lot::{Mutex, MutexGuard};

use self::burst::Burst;
use crate::datagrams::{DatagramPath, Run};
use crate::notification::{wait_until, wake_listeners};
use crate::runtime::{Runtime, TcpStream};
use crate::stream;
use crate::wakers::{Place, Readiness, Wakers};

/// How long a connection may go without its application looking before its own task looks.
pub(crate) const ATTENTION: Duration = Duration::from_millis(20);

/// How many looks at the sockets in a row may each bring messages before a `recv` lets other tasks run: a peer that
/// sends faster than its messages are handled would keep the thread for ever.
const TURN: u32 = 8;

/// The longest lone datagram that is sent from the stack: most of what a game sends by itself.
const LONE_DATAGRAM: usize = 256;

/// Most capacity that an input buffer keeps while nothing is in it.
const KEPT_INPUT: usize = 1024;

/// A connection that is shared by its handles, its task and its server.
#[derive(Debug)]
pub(crate) struct Peer {
    runtime: Arc<dyn Runtime>,
    wakers: Arc<Wakers>,
    /// Woken when a socket takes output again.
    output_waker: Waker,
    stream_input: Input,
    datagram_input: Input,
    state: Mutex<PeerState>,
    /// Notified when the reliable queue may have room again, or never will.
    room: Notification,
    /// Notified when the connection has closed.
    closed: Notification,
    /// Notified when the connection's task has ended and its sockets are gone.
    ended: Notification,
    pub(crate) stream_address: SocketAddr,
    /// Where datagrams go; set once it is known.
    pub(crate) datagram_address: OnceLock<SocketAddr>,
    /// The longest datagrams, in bytes, that are sent in runs: the way does not carry longer ones so.
    longest_segment: AtomicUsize,
}

/// What the reactor wakes for what comes to a socket, and whether it has.
#[derive(Debug)]
struct Input {
    readiness: Arc<Readiness>,
    waker: Waker,
}

impl Input {
    fn new(wakers: &Arc<Wakers>, is_read: bool) -> Self {
        let readiness = Readiness::new(wakers.clone(), is_read);
        Self { waker: readiness.clone().into(), readiness }
    }
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub(crate) machine: Connection,
    /// `None` once the connection has drained.
    stream: Option<Box<dyn TcpStream>>,
    datagrams: Option<DatagramPath>,
    /// What was read and not yet taken by the machine.
    input: BytesMut,
    stream_ended: bool,
    /// Whether someone sends datagrams without the lock, and will send those, too, that are queued meanwhile.
    sending: bool,
    /// The time when something was last looked for: exact enough for what only marks activity.
    now: Instant,
    /// Whether the task has been woken and has not run since.
    scheduled: bool,
    /// When the task's timer will fire.
    pub(crate) armed: Option<Instant>,
    /// Whether `Closed` was handed out, or its reason told in another way.
    finished: bool,
    announced_closed: bool,
    burst: Burst,
    /// How many messages `recv` has given, for the task to see whether anyone looks.
    pub(crate) looks: u64,
    /// How many looks at the sockets in a row have brought messages.
    fruitful: u32,
    /// Whether a `send` waits for room.
    room_wanted: bool,
}

impl Peer {
    pub(crate) fn new(
        runtime: Arc<dyn Runtime>,
        machine: Connection,
        now: Instant,
        stream: Box<dyn TcpStream>,
        stream_address: SocketAddr,
        datagrams: DatagramPath,
        datagram_address: Option<SocketAddr>,
    ) -> Arc<Self> {
        let wakers = Arc::new(Wakers::default());
        Arc::new(Self {
            output_waker: wakers.clone().into(),
            stream_input: Input::new(&wakers, true),
            datagram_input: Input::new(&wakers, datagrams.is_own()),
            wakers,
            state: Mutex::new(PeerState {
                machine,
                stream: Some(stream),
                datagrams: Some(datagrams),
                input: BytesMut::new(),
                stream_ended: false,
                sending: false,
                now,
                scheduled: false,
                armed: None,
                finished: false,
                announced_closed: false,
                burst: Burst::new(),
                looks: 0,
                fruitful: 0,
                room_wanted: false,
            }),
            runtime,
            room: Notification::new(),
            closed: Notification::new(),
            ended: Notification::new(),
            stream_address,
            datagram_address: datagram_address.map(OnceLock::from).unwrap_or_default(),
            longest_segment: AtomicUsize::new(usize::MAX),
        })
    }

    pub(crate) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    pub(crate) fn wakers(&self) -> &Wakers {
        &self.wakers
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, PeerState> {
        self.state.lock()
    }

    /// Takes the next message; `None` once the connection has closed and everything was taken.
    ///
    /// A receiver that has waited keeps its place, and must end with [`forget`](Self::forget).
    #[inline]
    pub(crate) fn poll_receive(&self, cx: &Context<'_>, place: &mut Place) -> Poll<Option<Received>> {
        let mut state = self.lock();
        // The way of most messages: it is there, and taking it changes nothing that anyone must be told.
        let message = state.machine.poll_message();
        if message.is_some() {
            state.looks = state.looks.wrapping_add(1);
            if place.is_taken() || self.wakers.is_receiver_waiting() {
                self.pass_on(&state, place);
            }
            self.attend(&mut state);
            return Poll::Ready(message);
        }
        self.take_or_wait(&mut state, cx, place)
    }

    /// Takes a message of any kind, or else looks at the sockets for one, and waits if there is none.
    #[inline(never)]
    fn take_or_wait(
        &self,
        state: &mut MutexGuard<'_, PeerState>,
        cx: &Context<'_>,
        place: &mut Place,
    ) -> Poll<Option<Received>> {
        if state.machine.has_event() || state.finished {
            let there = state.take_message();
            if there.is_ready() {
                state.looks = state.looks.wrapping_add(1);
                self.pass_on(state, place);
                self.attend(state);
                return there;
            }
        }
        if state.fruitful >= TURN {
            state.fruitful = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut taken = self.look(state);
        if taken.is_pending() {
            self.wakers.wait(place, cx.waker());
            // What came before it was in its place did not wake it.
            if self.has_input() {
                taken = self.look(state);
            }
        }
        state.fruitful = if taken.is_ready() { state.fruitful + 1 } else { 0 };
        if taken.is_ready() {
            state.looks = state.looks.wrapping_add(1);
            self.pass_on(state, place);
            self.attend(state);
        }
        taken
    }

    /// Sends what is queued, and takes the message that the sockets bring; for whoever has found none that is there.
    fn look(&self, state: &mut MutexGuard<'_, PeerState>) -> Poll<Option<Received>> {
        if !self.has_input() && !state.has_input() && !state.has_output() {
            state.rest();
            return Poll::Pending;
        }
        self.drive(state, Drive::All);
        state.rest();
        self.settle(state);
        state.take_message()
    }

    /// Whether a socket may have something that nobody has looked at.
    fn has_input(&self) -> bool {
        self.stream_input.readiness.is_ready() || self.datagram_input.readiness.is_ready()
    }

    /// This receiver has what it came for; the next one has its turn.
    #[cold]
    fn pass_on(&self, state: &PeerState, place: &mut Place) {
        self.wakers.stop_waiting(place);
        if state.machine.has_event() || state.finished {
            self.wakers.wake_receiver();
        }
    }

    /// Whoever took a message need not come back: what the sockets still have, and what was read and found no room, is
    /// looked after by the task, unless it is about to look in any case.
    #[inline]
    fn attend(&self, state: &mut PeerState) {
        if (self.has_input() || state.has_input()) && !self.wakers.is_watched() {
            self.schedule(state);
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
        self.pass_on(&state, &mut Place::default());
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
    pub(crate) fn arrived(&self, mut state: MutexGuard<'_, PeerState>, now: Instant) {
        state.now = now;
        if state.machine.stream_queued() > 0 || state.machine.has_datagram() {
            self.drive(&mut state, Drive::Output);
        }
        self.settle(&mut state);
        let news = state.machine.has_event();
        drop(state);
        if news {
            self.wakers.wake_receiver();
        }
    }

    /// Ends the connection for this reason, unless it has ended already.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        let now = self.runtime.now();
        state.machine.close_with(now, reason);
        // At once, since the program may end before the task has its turn.
        self.drive(&mut state, Drive::Output);
        self.settle(&mut state);
        self.schedule(&mut state);
    }

    /// Ends the connection, since another has its UDP address: nothing goes there for this one any more.
    pub(crate) fn evict(&self) {
        let mut state = self.lock();
        let reason = CloseReason::new(Initiator::Local, CloseKind::Evicted);
        state.machine.close_with(self.runtime.now(), reason);
        if let Some(datagrams) = &mut state.datagrams {
            datagrams.clear();
        }
        self.settle(&mut state);
        self.schedule(&mut state);
    }

    /// Waits until the connection has closed.
    pub(crate) async fn closed(&self) {
        wait_until(&self.closed, || self.lock().machine.is_closed()).await;
    }

    /// Waits until everything queued has left, or never will, and the sockets are gone.
    pub(crate) async fn ended(&self) {
        wait_until(&self.ended, || self.lock().stream.is_none()).await;
    }

    /// Wakes the task, once until it has run.
    pub(crate) fn schedule(&self, state: &mut PeerState) {
        if !state.scheduled {
            state.scheduled = true;
            self.wakers.wake_task();
        }
    }

    /// Moves bytes: what is queued to the sockets, and what has come to the machine.
    pub(crate) fn drive(&self, state: &mut MutexGuard<'_, PeerState>, what: Drive) {
        self.flush(state);
        if what != Drive::Output && self.receive(state) {
            // Acknowledgements of pings, and what a close still has to say.
            self.flush(state);
        }
    }

    /// Offers the sockets everything that is queued.
    fn flush(&self, state: &mut MutexGuard<'_, PeerState>) {
        if state.has_stream_output() {
            self.flush_stream(state);
        }
        if state.has_datagrams() {
            self.flush_datagrams(state);
        }
    }

    fn flush_stream(&self, state: &mut PeerState) {
        let PeerState {
            machine,
            stream: Some(stream),
            input,
            stream_ended: ended,
            burst,
            room_wanted,
            now,
            ..
        } = state
        else {
            return;
        };
        burst.wrote(*now);
        let cx = &mut Context::from_waker(&self.output_waker);
        match stream::flush(stream.as_mut(), machine, *ended, &*self.runtime, cx) {
            Ok(wrote) => {
                if wrote && std::mem::take(room_wanted) {
                    wake_listeners(&self.room);
                }
            }
            Err(error) => {
                let now = self.runtime.now();
                stream::receive_rest(stream.as_ref(), machine, input, *ended, error, now);
            }
        }
    }

    fn flush_datagrams(&self, state: &mut MutexGuard<'_, PeerState>) {
        let Some(&destination) = self.datagram_address.get() else { return };
        // One at a time, so that they leave in the order in which they were queued.
        if state.sending {
            return;
        }
        state.sending = true;
        let unsent = self.send_datagrams(state, destination);
        state.sending = false;
        if let (Some(unsent), false) = (unsent, state.is_evicted()) {
            if let Some(datagrams) = &mut state.datagrams {
                datagrams.keep(unsent);
            }
        }
    }

    /// Sends the datagrams that are queued; gives those that the socket does not take.
    fn send_datagrams(&self, state: &mut MutexGuard<'_, PeerState>, destination: SocketAddr) -> Option<Run> {
        let mut lone = [0; LONE_DATAGRAM];
        loop {
            if let Some(length) = state.next_lone_datagram(&mut lone) {
                let datagram = &lone[..length];
                if self.send_unlocked(state, datagram, length, destination).is_pending() {
                    return Some(Run { contents: Bytes::copy_from_slice(datagram), segment: length });
                }
            } else {
                let run = state.next_datagrams()?;
                if self.send_unlocked(state, &run.contents, run.segment, destination).is_pending() {
                    return Some(run);
                }
            }
        }
    }

    /// Sends datagrams without the lock: over a short way the answer is there before the call returns, and whoever
    /// receives it shall not have to wait.
    fn send_unlocked(
        &self,
        state: &mut MutexGuard<'_, PeerState>,
        contents: &[u8],
        segment: usize,
        destination: SocketAddr,
    ) -> Poll<()> {
        let Some(sender) = state.datagrams.as_ref().map(DatagramPath::sender) else { return Poll::Ready(()) };
        let now = state.now;
        state.burst.wrote(now);
        let mut cx = Context::from_waker(&self.output_waker);
        MutexGuard::unlocked(state, || {
            sender.send(contents, segment, destination, &self.longest_segment, &mut cx)
        })
    }

    /// Takes what has come to the sockets; false when nobody was told that there is anything.
    fn receive(&self, state: &mut PeerState) -> bool {
        let PeerState { machine, stream, datagrams, input, stream_ended, fruitful, .. } = state;
        let (Some(stream), Some(datagrams)) = (stream, datagrams) else { return false };
        let (stream_input, datagram_input) = (&self.stream_input, &self.datagram_input);
        let from_stream = machine.wants_stream_read()
            && (stream_input.readiness.is_ready() || !input.is_empty() || *stream_ended);
        let from_datagrams = datagram_input.readiness.is_ready() && !machine.is_drained();
        if !from_stream && !from_datagrams {
            return false;
        }
        let now = self.runtime.now();
        state.now = now;
        // First, since nothing is taken from them any more once the stream has ended.
        if from_datagrams {
            let Input { readiness, waker } = datagram_input;
            let server = self.datagram_address.get().copied();
            let cx = &mut Context::from_waker(waker);
            if datagrams.receive(machine, server, readiness, now, cx) && !machine.has_event() {
                waker.wake_by_ref();
            }
        }
        if from_stream {
            let Input { readiness, waker } = stream_input;
            let cx = &mut Context::from_waker(waker);
            if stream::receive(stream.as_mut(), machine, input, stream_ended, readiness, now, cx) {
                // So much that others have their turn before the next look.
                *fruitful = TURN;
                if !machine.has_event() {
                    waker.wake_by_ref();
                }
            }
            if input.is_empty() && input.capacity() > KEPT_INPUT {
                *input = BytesMut::new();
            }
        }
        true
    }

    /// Tells whoever must know what changed: that it closed, or that a deadline came nearer.
    pub(crate) fn settle(&self, state: &mut PeerState) {
        if state.machine.is_closed() && !state.announced_closed {
            state.announced_closed = true;
            wake_listeners(&self.closed);
            wake_listeners(&self.room);
            self.wakers.wake_all_receivers();
            self.schedule(state);
        } else if let Some(timeout) = state.machine.poll_timeout() {
            if state.armed.is_none_or(|armed| timeout < armed) {
                self.schedule(state);
            }
        }
    }

    /// Nobody runs the connection any more: what the socket takes at once still leaves.
    fn abandon(&self, state: &mut PeerState) {
        let reason = CloseReason::new(Initiator::Local, CloseKind::Abandoned);
        let now = self.runtime.now();
        state.machine.close_with(now, reason);
        if let Some(stream) = &state.stream {
            stream::abandon(stream.as_ref(), &mut state.machine, now);
        }
        self.settle(state);
    }

    /// The stream's address on this side, while it is there.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.lock().stream.as_ref()?.socket()?.local_addr().ok()?.as_socket()
    }

    /// Lets go of the sockets.
    pub(crate) fn end(&self) {
        let (stream, datagrams) = {
            let mut state = self.lock();
            if !state.machine.is_drained() {
                self.abandon(&mut state);
            }
            if let (true, Some(stream)) = (state.machine.wants_stream_reset(), &state.stream) {
                stream::reset(stream.as_ref());
            }
            state.input = BytesMut::new();
            (state.stream.take(), state.datagrams.take())
        };
        drop((stream, datagrams));
        self.wakers.clear_task();
        wake_listeners(&self.ended);
    }
}

/// What to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// What is queued, outwards.
    Output,
    /// Both ways.
    All,
}

impl PeerState {
    /// The next message that is there already; `Ready(None)` at the end.
    fn take_message(&mut self) -> Poll<Option<Received>> {
        // The way of most messages, which are moved less so.
        if let Some(received) = self.machine.poll_message() {
            return Poll::Ready(Some(received));
        }
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Message(received) => return Poll::Ready(Some(received)),
                Event::Closed(_) => self.finished = true,
                // Connected is told by connect and accept; strikes are counted by the machine.
                _ => {}
            }
        }
        if self.finished { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Whether something was read that the machine had no room for, or the stream's end waits to be taken.
    fn has_input(&self) -> bool {
        !self.input.is_empty() || self.stream_ended
    }

    /// Whether there is anything to offer to the sockets.
    #[inline]
    fn has_output(&self) -> bool {
        self.has_stream_output() || self.has_datagrams()
    }

    #[inline]
    fn has_stream_output(&self) -> bool {
        self.machine.stream_queued() > 0 || self.machine.wants_stream_shutdown()
    }

    /// Whether another connection has the address of this one.
    fn is_evicted(&self) -> bool {
        self.machine.close_reason().is_some_and(|reason| reason.kind == CloseKind::Evicted)
    }

    #[inline]
    fn has_datagrams(&self) -> bool {
        self.datagrams.as_ref().is_some_and(|datagrams| datagrams.has_next(&self.machine))
    }

    /// Whether the socket has not taken what it was offered last.
    pub(super) fn has_blocked_datagrams(&self) -> bool {
        self.datagrams.as_ref().is_some_and(DatagramPath::is_blocked)
    }

    /// The next datagrams to send.
    fn next_datagrams(&mut self) -> Option<Run> {
        self.datagrams.as_mut()?.next(&mut self.machine)
    }

    /// The next datagram in `buffer`, and its length, where it is the only one and fits.
    fn next_lone_datagram(&mut self, buffer: &mut [u8]) -> Option<usize> {
        self.datagrams.as_ref()?.next_lone(&mut self.machine, buffer)
    }

    /// The task begins to run: whatever changes from here on must wake it again.
    pub(crate) fn begin_task(&mut self) {
        self.scheduled = false;
    }

    /// Everything queued has been offered to the sockets.
    pub(crate) fn rest(&mut self) {
        self.burst.rest();
    }

    /// The sockets, for what the listener has to tell them.
    pub(crate) fn datagrams(&mut self) -> Option<&mut DatagramPath> {
        self.datagrams.as_mut()
    }
}
