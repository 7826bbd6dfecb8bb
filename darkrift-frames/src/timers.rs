//! The timers of one loop, which are looked at once a frame.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{self, Duration};

use darkrift_driver::runtime::{self, Instant};
use parking_lot::Mutex;

/// Whom to wake, and when.
#[derive(Debug)]
pub(crate) struct Timers {
    start: time::Instant,
    waiting: Mutex<BTreeMap<(Instant, u64), Waker>>,
    /// Tells apart those of the same moment.
    next: AtomicU64,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { start: time::Instant::now(), waiting: Mutex::default(), next: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    pub(crate) fn timer(self: &Arc<Self>, at: Instant) -> Timer {
        Timer { timers: self.clone(), at, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }

    /// How long it is until the first is due.
    pub(crate) fn until_first(&self) -> Duration {
        self.waiting.lock().first_key_value().map_or(Duration::MAX, |((at, _), _)| *at - self.now())
    }

    /// Wakes whoever waits for a moment that has come.
    pub(crate) fn wake_due(&self) {
        while let Some(waker) = self.next_due() {
            waker.wake();
        }
    }

    fn next_due(&self) -> Option<Waker> {
        let mut waiting = self.waiting.lock();
        let first = waiting.first_entry()?;
        (first.key().0 <= self.now()).then(|| first.remove())
    }
}

#[derive(Debug)]
pub(crate) struct Timer {
    timers: Arc<Timers>,
    at: Instant,
    number: u64,
}

impl Timer {
    fn stop(&self) {
        self.timers.waiting.lock().remove(&(self.at, self.number));
    }
}

impl runtime::Timer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.stop();
        self.at = at;
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.at <= self.timers.now() {
            return Poll::Ready(());
        }
        self.timers.waiting.lock().insert((self.at, self.number), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}
