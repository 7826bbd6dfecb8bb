//! Whom the reactor wakes: a receiver that waits, or else the connection's own task.
//!
//! When a `recv` waits, the reactor wakes it, and it reads the socket itself: no second task stands between the
//! socket and the application. When none waits, the connection's task is woken instead, so pings are answered and
//! ends are noticed all the same. Each socket's input is registered under a waker of its own, which also remembers that it
//! was woken, so that nobody looks at a socket that has nothing new. Output is the task's: a socket that was full wakes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use parking_lot::Mutex;
use smallvec::SmallVec;

/// A receiver's place in the line of those that wait.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Names it while it waits, or has been woken and was not there since.
    key: Option<u64>,
    /// Whether the place is kept although nobody may ever come back to it: then the reactor does not rely on the
    /// receiver alone.
    pub(crate) kept: bool,
}

impl Place {
    /// Whether the receiver has waited and has not been there since.
    #[inline]
    pub(crate) const fn is_taken(&self) -> bool {
        self.key.is_some()
    }
}

/// The wakers of one connection.
#[derive(Debug)]
pub(crate) struct Wakers {
    slots: Mutex<Slots>,
    /// The length of the queue of receivers, to be read without the lock.
    waiting: AtomicUsize,
    /// Whether the task's timer watches for a receiver that was here a moment ago: the reactor need not wake the
    /// task meanwhile.
    watched: AtomicBool,
    pub(crate) stream: Readiness,
    pub(crate) datagrams: Readiness,
}

#[derive(Debug, Default)]
struct Slots {
    task: Option<Waker>,
    /// In the order in which they came. As a rule there is one.
    receivers: SmallVec<[Waiting; 1]>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    key: u64,
    waker: Waker,
    kept: bool,
}

/// Whether a socket may have something that was not looked at.
#[derive(Debug)]
pub(crate) struct Readiness(AtomicBool);

impl Readiness {
    /// Whether to look at the socket.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The caller is about to look. Where it finds nothing more, the waker is registered, and sets this again.
    #[inline]
    pub(crate) fn clear(&self) {
        // Whatever woke before this is seen by the look.
        self.0.store(false, Ordering::Release);
    }

    /// There may be more, and no waker is registered.
    #[inline]
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// For what comes to the stream.
impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_for(&self.stream);
    }
}

/// For what comes to the connection's own socket for datagrams.
struct DatagramWaker(Arc<Wakers>);

impl Wake for DatagramWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_for(&self.0.datagrams);
    }
}

/// For a socket that takes output again.
struct OutputWaker(Arc<Wakers>);

impl Wake for OutputWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_task();
    }
}

impl Wakers {
    /// Of sockets that were not looked at yet; where the connection has no socket of its own for datagrams, nobody looks at
    /// that.
    pub(crate) fn new(has_own_datagrams: bool) -> Arc<Self> {
        Arc::new(Self {
            slots: Mutex::default(),
            waiting: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
            stream: Readiness(AtomicBool::new(true)),
            datagrams: Readiness(AtomicBool::new(has_own_datagrams)),
        })
    }

    /// What the reactor wakes for what comes to the stream.
    pub(crate) fn stream_waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    /// What the reactor wakes for what comes to the connection's own socket for datagrams.
    pub(crate) fn datagram_waker(self: &Arc<Self>) -> Waker {
        Arc::new(DatagramWaker(self.clone())).into()
    }

    /// What the reactor wakes when a socket takes output again.
    pub(crate) fn output_waker(self: &Arc<Self>) -> Waker {
        Arc::new(OutputWaker(self.clone())).into()
    }

    /// Something may have come to a socket.
    fn wake_for(&self, readiness: &Readiness) {
        // Before anyone is woken, and before it is seen whether a receiver waits: one that is about to wait looks
        // here once more.
        readiness.set();
        if !self.wake_receiver() && !self.is_watched() {
            self.wake_task();
        }
    }

    /// Whether a socket may have something that nobody has looked at.
    #[inline]
    pub(crate) fn has_input(&self) -> bool {
        self.stream.is_ready() || self.datagrams.is_ready()
    }

    /// Remembers how to wake the connection's task.
    pub(crate) fn set_task(&self, waker: &Waker) {
        let mut slots = self.slots.lock();
        match &mut slots.task {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Forgets the task, which has ended.
    pub(crate) fn clear_task(&self) {
        self.slots.lock().task = None;
    }

    /// Wakes the connection's task.
    pub(crate) fn wake_task(&self) {
        let waker = self.slots.lock().task.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the task's timer watches for the receiver to come back.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// The task's timer begins or ends to watch for the receiver to come back. The task looks at what is ready behind it,
    /// and the reactor at this behind what it has made ready: in one order for both, or each could miss the other.
    pub(crate) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::SeqCst);
    }

    /// Lets a receiver wait, in the place it has or a new one.
    pub(crate) fn wait(&self, place: &mut Place, waker: &Waker) {
        let mut slots = self.slots.lock();
        if let Some(known) = place.key {
            if let Some(waiting) = slots.receivers.iter_mut().find(|waiting| waiting.key == known) {
                waiting.waker.clone_from(waker);
                waiting.kept = place.kept;
                return;
            }
        }
        let new = *place.key.get_or_insert(slots.next);
        slots.next = slots.next.max(new + 1);
        slots.receivers.push(Waiting { key: new, waker: waker.clone(), kept: place.kept });
        self.waiting.store(slots.receivers.len(), Ordering::SeqCst);
    }

    /// Ends a receiver's waiting; false when it was not waiting any more, since it has been woken.
    pub(crate) fn stop_waiting(&self, place: &mut Place) -> bool {
        let Some(key) = place.key.take() else { return false };
        if !self.is_receiver_waiting() {
            return false;
        }
        let mut slots = self.slots.lock();
        let before = slots.receivers.len();
        slots.receivers.retain(|waiting| waiting.key != key);
        self.waiting.store(slots.receivers.len(), Ordering::SeqCst);
        slots.receivers.len() < before
    }

    /// Whether a receiver waits.
    #[inline]
    pub(crate) fn is_receiver_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Wakes the receiver that has waited longest, and all before it that may never come back; false when nobody waits who
    /// surely does.
    pub(crate) fn wake_receiver(&self) -> bool {
        while let Some(receiver) = self.pop_receiver() {
            receiver.waker.wake();
            if !receiver.kept {
                return true;
            }
        }
        false
    }

    /// Wakes every receiver.
    pub(crate) fn wake_all_receivers(&self) {
        while self.wake_receiver() {}
    }

    fn pop_receiver(&self) -> Option<Waiting> {
        if !self.is_receiver_waiting() {
            return None;
        }
        let mut slots = self.slots.lock();
        let popped = (!slots.receivers.is_empty()).then(|| slots.receivers.remove(0));
        self.waiting.store(slots.receivers.len(), Ordering::SeqCst);
        popped
    }
}
