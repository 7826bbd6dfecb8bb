//! What runs the tasks: a small executor, within these calls and at no other time.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_executor::{Executor, Task};
use darkrift_driver::runtime::Runtime;

use crate::bell::Bell;
use crate::budget::Budget;
use crate::queue::Queue;
use crate::sockets::Sockets;
use crate::timers::Timers;
use crate::{EventSender, Frames};

/// How long tasks run before there is a look at the sockets, and how long these are read meanwhile.
const BUDGET: Duration = Duration::from_millis(4);

/// The tasks of a game loop, and the events that they send it. They run within these calls, on the caller's thread, and at
/// no other time.
///
/// Any number of clients and servers share one, and any number of loops a program. Its calls may be made anywhere, in a
/// task of a runtime as well; there too, [`wait`](Self::wait), [`block_on`](Self::block_on) and [`finish`](Self::finish)
/// keep the thread until they return. What other threads send and close meanwhile ends such a wait.
///
/// Dropping it runs what has something to do once more, so that what a connection's end has to say leaves as far as the
/// sockets take it, and then drops every task.
#[derive(Debug)]
pub struct FrameLoop<E> {
    executor: Arc<Executor<'static>>,
    runtime: Arc<Frames>,
    bell: Arc<Bell>,
    events: Arc<Queue<E>>,
    /// What [`wait`](Self::wait) has waited for.
    next: Option<E>,
}

impl<E> FrameLoop<E> {
    /// A loop without tasks.
    ///
    /// # Errors
    /// When the system has no socket left that another thread could end a wait with.
    pub fn new() -> io::Result<Self> {
        let bell = Bell::new()?;
        let executor = Arc::default();
        let runtime = Arc::new(Frames {
            sockets: Sockets::new(bell.clone()),
            timers: Arc::new(Timers::new()),
            budget: Arc::default(),
            executor: Arc::downgrade(&executor),
        });
        Ok(Self { executor, runtime, bell, events: Arc::new(Queue::new()), next: None })
    }

    /// What to connect and bind on: for [`connect_on`](darkrift_driver::ClientBuilder::connect_on) and
    /// [`bind_on`](darkrift_driver::ServerBuilder::bind_on).
    pub fn runtime(&self) -> Arc<Frames> {
        self.runtime.clone()
    }

    /// Where tasks send events to this loop.
    pub fn events(&self) -> EventSender<E> {
        EventSender::new(&self.events)
    }

    /// Adds a task, which the next call runs. Dropping the [`Task`] cancels it; detach it to let it run to its end.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Task<T> {
        self.executor.spawn(task)
    }

    /// Moves what has come and what waits to leave; call it once a frame. It never waits.
    ///
    /// What was sent in this frame leaves first, as far as the sockets take it. What comes is then taken for about 4 ms:
    /// whatever is left is done in the next frame, and those come first then who did not have their turn. A program that
    /// has time left calls it again.
    pub fn update(&mut self) {
        self.flush();
        self.look(Duration::ZERO);
        self.run(BUDGET);
    }

    /// Runs the tasks that have something to do, and does not ask which sockets are ready, nor reads them: what was sent
    /// in this frame leaves now, and not with the next update.
    pub fn flush(&mut self) {
        self.run(Duration::ZERO);
    }

    /// The next of the events that [`update`](Self::update) or [`wait`](Self::wait) has brought.
    pub fn next_event(&mut self) -> Option<E> {
        self.next.take().or_else(|| self.events.take())
    }

    /// Updates, and then sleeps until there is an event or `patience` has passed; for programs that have nothing else to do.
    pub fn wait(&mut self, patience: Duration) {
        self.update();
        self.next = self.next_event().or_else(|| {
            let mut time = self.runtime.timer(self.runtime.now() + patience);
            let mut event = pin!(self.events.next());
            self.run_until(poll_fn(|cx| match event.as_mut().poll(cx) {
                Poll::Ready(event) => Poll::Ready(Some(event)),
                Poll::Pending => time.as_mut().poll(cx).map(|()| None),
            }))
        });
    }

    /// Runs the tasks until this future is ready, and waits for sockets and time meanwhile.
    pub fn block_on<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.run_until(future)
    }

    /// Takes no more events of any of its tasks, and runs them until this future is ready: the end of the last connection,
    /// most often. Events that are left are dropped, and no task waits until one is taken.
    pub fn finish<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.events.close();
        self.next = None;
        self.run_until(future)
    }

    fn run_until<T>(&self, future: impl Future<Output = T>) -> T {
        let waker = Waker::from(self.bell.clone());
        let cx = &mut Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            self.bell.reset();
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            let is_idle = self.run(BUDGET);
            // While it waits, a task that has something to do rings.
            let mut next = pin!(self.executor.tick());
            let may_sleep = is_idle && next.as_mut().poll(cx).is_pending();
            self.look(if may_sleep { self.runtime.timers.until_first() } else { Duration::ZERO });
        }
    }

    /// Runs the tasks until none has anything to do, or for as long as the budget allows, and reads sockets for `input`.
    /// Whoever has something to do at the beginning runs in any case. Whether none has anything to do any more.
    fn run(&self, input: Duration) -> bool {
        let budget: &Budget = &self.runtime.budget;
        let end = Instant::now() + BUDGET;
        budget.begin(input);
        let is_idle = loop {
            if !self.round() {
                break true;
            }
            if Instant::now() >= end {
                break false;
            }
        };
        budget.end();
        is_idle
    }

    /// Runs each task that has something to do now, once; whether there was any.
    fn round(&self) -> bool {
        // The tasks run in the order in which they were woken, so this one is behind all of them.
        let last = self.executor.spawn(async {});
        let mut ran = false;
        loop {
            self.runtime.budget.begin_turn();
            if !self.executor.try_tick() || last.is_finished() {
                return ran;
            }
            ran = true;
        }
    }

    /// Wakes the tasks whose sockets are ready or whose time has come, and waits `patience` at most until there is one.
    fn look(&self, patience: Duration) {
        // Before the others, since they have waited longer.
        self.runtime.budget.wake_refused();
        self.runtime.sockets.look(patience);
        self.runtime.timers.wake_due();
    }
}

impl<E> Drop for FrameLoop<E> {
    fn drop(&mut self) {
        // In a panic it may be a task that has panicked, and the next might, too.
        if !std::thread::panicking() {
            self.flush();
        }
        // Tasks of other loops wait for room no longer.
        self.events.close();
    }
}
