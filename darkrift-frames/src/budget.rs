//! How much comes in within one call: a peer that never stops sending would keep the thread for ever.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use darkrift_driver::runtime::{self, RecvMeta, SockRef, Transmit};
use parking_lot::Mutex;

/// How long one task takes what comes before the others have their turn.
const TURN: Duration = Duration::from_micros(250);

/// The time that the sockets of a loop are read for.
///
/// Whoever is refused waits as for a socket that has nothing, so what else there is to do, and what is to leave, is done
/// all the same.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Until when; without it there is no limit, since the loop is not running its tasks.
    end: Option<Instant>,
    /// Whether nothing was read yet that `end` is for: the first read is always allowed, so that a thread that had to
    /// wait for its processor gets on, too.
    is_first: bool,
    /// Until when the task that runs may read, since it began to.
    turn_end: Option<Instant>,
    /// Who has to wait for the next look, in this order: the first of them is the first then, too.
    refused: Vec<Waker>,
}

impl Budget {
    /// The sockets are read for this long, from now on.
    pub(crate) fn begin(&self, time: Duration) {
        let mut state = self.0.lock();
        state.end = Some(Instant::now() + time);
        state.is_first = !time.is_zero();
    }

    /// Another task runs.
    pub(crate) fn begin_turn(&self) {
        self.0.lock().turn_end = None;
    }

    /// The loop's tasks do not run any more.
    pub(crate) fn end(&self) {
        self.0.lock().end = None;
    }

    /// Wakes who was refused.
    pub(crate) fn wake_refused(&self) {
        let refused = std::mem::take(&mut self.0.lock().refused);
        refused.into_iter().for_each(Waker::wake);
    }

    /// Ready if a socket may be read now; wakes the waker later if not.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        let Some(end) = state.end else { return Poll::Ready(()) };
        let now = Instant::now();
        if now >= end && !state.is_first {
            state.refused.push(cx.waker().clone());
            return Poll::Pending;
        }
        state.is_first = false;
        if now <= *state.turn_end.get_or_insert(now + TURN) {
            return Poll::Ready(());
        }
        drop(state);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A socket that is read within a budget.
#[derive(Debug)]
pub(crate) struct Budgeted<S: ?Sized> {
    budget: Arc<Budget>,
    socket: Box<S>,
}

impl<S: ?Sized> Budgeted<S> {
    pub(crate) fn new(budget: &Arc<Budget>, socket: Box<S>) -> Box<Self> {
        Box::new(Self { budget: budget.clone(), socket })
    }
}

impl runtime::TcpStream for Budgeted<dyn runtime::TcpStream> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.budget.poll(cx));
        self.socket.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.socket.poll_write(cx, slices)
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        self.socket.socket()
    }
}

impl runtime::TcpListener for Budgeted<dyn runtime::TcpListener> {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        ready!(self.budget.poll(cx));
        let (stream, address) = ready!(self.socket.poll_accept(cx))?;
        Poll::Ready(Ok((Budgeted::new(&self.budget, stream), address)))
    }
}

impl runtime::UdpSocket for Budgeted<dyn runtime::UdpSocket> {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        ready!(self.budget.poll(cx));
        self.socket.poll_receive(cx, buffers, meta)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    fn max_segments(&self) -> usize {
        self.socket.max_segments()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether one may read, and how often its waker was woken over that.
    fn reads(budget: &Budget) -> (bool, usize) {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let may = budget.poll(&Context::from_waker(&waker)).is_ready();
        (may, woken.0.load(Ordering::Relaxed))
    }

    #[test]
    fn there_is_no_limit_while_the_loop_is_elsewhere() {
        let budget = Budget::default();
        assert_eq!(reads(&budget), (true, 0));
        budget.begin(Duration::ZERO);
        budget.end();
        assert_eq!(reads(&budget), (true, 0));
    }

    #[test]
    fn without_any_time_nothing_is_read_before_the_next_look() {
        let budget = Budget::default();
        budget.begin(Duration::ZERO);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        assert!(budget.poll(&Context::from_waker(&waker)).is_pending());
        budget.end();
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        budget.wake_refused();
        budget.wake_refused();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "once for each time it was refused");
    }

    #[test]
    fn the_first_may_read_however_late_it_is() {
        let budget = Budget::default();
        budget.begin(Duration::from_nanos(1));
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(reads(&budget), (true, 0));
        assert_eq!(reads(&budget), (false, 0));
    }

    #[test]
    fn who_has_read_for_a_while_lets_others_and_reads_on() {
        let budget = Budget::default();
        budget.begin(LONG);
        budget.begin_turn();
        assert_eq!(reads(&budget), (true, 0));
        std::thread::sleep(2 * TURN);
        assert_eq!(reads(&budget), (false, 1), "it runs again behind the others");
        budget.begin_turn();
        assert_eq!(reads(&budget), (true, 0));
    }
}
