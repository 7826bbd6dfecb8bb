//! The events that wait for a loop to take them: so many of each sender, and in turns.

use std::collections::VecDeque;
use std::sync::Arc;

use event_listener::Event as Notification;
use parking_lot::{Mutex, MutexGuard};

/// How many events of one sender follow on each other at most while others wait.
pub(crate) const FEW: u64 = 16;

/// The room in a round that is kept once it is over.
const KEPT: usize = 2 * FEW as usize;

/// How many events that are no messages wait at most.
const NEWS: usize = 1024;

/// How many messages wait at most. A sender alone takes half of it, as of the next.
const MESSAGES: usize = 2048;

/// How many bytes of payload wait at most.
const BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Queue<E> {
    state: Mutex<State<E>>,
    /// Notified when there is an event.
    came: Notification,
    /// Notified when there may be room again, or never will.
    taken: Notification,
}

#[derive(Debug)]
struct State<E> {
    /// In each round a sender has [`FEW`] events at most: whoever has much to say fills many, and whoever has one event
    /// finds its place in the first.
    rounds: VecDeque<VecDeque<Waiting<E>>>,
    /// The number of the first round.
    first: u64,
    total: Amount,
    /// How many wait that are no messages.
    news: usize,
    is_closed: bool,
    /// Whether somebody waits for an event.
    is_awaited: bool,
    /// Whether somebody waits for room.
    is_wanted: bool,
}

#[derive(Debug)]
struct Waiting<E> {
    event: E,
    /// Of a message, its length and whose it is.
    message: Option<(usize, Arc<Lane>)>,
}

/// What one sender has in the queue. Its lock is only taken under the queue's.
#[derive(Debug, Default)]
pub(crate) struct Lane(Mutex<Share>);

#[derive(Debug, Default)]
struct Share {
    waiting: Amount,
    /// Where its next event goes: a round for every [`FEW`].
    next: u64,
}

/// Messages that wait.
#[derive(Debug, Default)]
struct Amount {
    messages: usize,
    bytes: usize,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        let state = State {
            rounds: VecDeque::new(),
            first: 0,
            total: Amount::default(),
            news: 0,
            is_closed: false,
            is_awaited: false,
            is_wanted: false,
        };
        Self { state: Mutex::new(state), came: Notification::new(), taken: Notification::new() }
    }

    /// Adds an event of this sender's that is no message, once there is room. It is given back where the queue has closed.
    pub(crate) async fn add(&self, lane: &Arc<Lane>, event: E) -> Result<(), E> {
        loop {
            let room = {
                let mut state = self.state.lock();
                if state.is_closed || state.news < NEWS {
                    return self.insert(state, lane, event, None);
                }
                state.is_wanted = true;
                self.taken.listen()
            };
            room.await;
        }
    }

    /// Waits until this sender may add a message; where the queue has closed, not at all.
    pub(crate) async fn room(&self, lane: &Lane) {
        loop {
            let room = {
                let mut state = self.state.lock();
                if state.is_closed || state.has_room(lane) {
                    return;
                }
                state.is_wanted = true;
                self.taken.listen()
            };
            room.await;
        }
    }

    /// Adds a message of this sender's, with a payload of this length, behind a wait for [`room`](Self::room). It is given
    /// back where the queue has closed.
    pub(crate) fn add_message(&self, lane: &Arc<Lane>, event: E, bytes: usize) -> Result<(), E> {
        self.insert(self.state.lock(), lane, event, Some(bytes))
    }

    fn insert(
        &self,
        mut state: MutexGuard<'_, State<E>>,
        lane: &Arc<Lane>,
        event: E,
        message: Option<usize>,
    ) -> Result<(), E> {
        if state.is_closed {
            return Err(event);
        }
        state.add(lane, event, message);
        let is_awaited = std::mem::take(&mut state.is_awaited);
        drop(state);
        if is_awaited {
            self.came.notify(usize::MAX);
        }
        Ok(())
    }

    pub(crate) fn take(&self) -> Option<E> {
        let (waiting, is_wanted) = {
            let mut state = self.state.lock();
            let (waiting, has_room) = state.take()?;
            (waiting, has_room && std::mem::take(&mut state.is_wanted))
        };
        if is_wanted {
            self.taken.notify(usize::MAX);
        }
        Some(waiting.event)
    }

    /// Waits for an event: for ever, where none will come any more.
    pub(crate) async fn next(&self) -> E {
        loop {
            if let Some(event) = self.take() {
                return event;
            }
            self.state.lock().is_awaited = true;
            let came = self.came.listen();
            // Behind it, so that none that comes now is missed.
            if let Some(event) = self.take() {
                return event;
            }
            came.await;
        }
    }

    /// Drops what waits, and takes nothing any more.
    pub(crate) fn close(&self) {
        let left = {
            let mut state = self.state.lock();
            state.is_closed = true;
            (state.news, state.total) = (0, Amount::default());
            std::mem::take(&mut state.rounds)
        };
        self.taken.notify(usize::MAX);
        // Not under the lock: an event may hold the last handle of a connection.
        drop(left);
    }
}

impl<E> State<E> {
    /// A sender of which no message waits may always add one, whatever the others have done. Otherwise it has no more than
    /// it leaves for others, so that there is always something left for them. How long the message is that comes next, it
    /// does not know: the last one may be longer than the room.
    fn has_room(&self, lane: &Lane) -> bool {
        let (own, total) = (&lane.0.lock().waiting, &self.total);
        own.messages == 0
            || (own.messages < MESSAGES.saturating_sub(total.messages)
                && own.bytes < BYTES.saturating_sub(total.bytes))
    }

    fn add(&mut self, lane: &Arc<Lane>, event: E, message: Option<usize>) {
        let mut share = lane.0.lock();
        let place = share.next.max(self.first * FEW);
        share.next = place + 1;
        match message {
            Some(bytes) => {
                share.waiting.add(bytes);
                self.total.add(bytes);
            }
            None => self.news += 1,
        }
        let round = (place / FEW - self.first) as usize;
        if round >= self.rounds.len() {
            self.rounds.resize_with(round + 1, VecDeque::new);
        }
        self.rounds[round].push_back(Waiting { event, message: message.map(|bytes| (bytes, lane.clone())) });
    }

    /// The next event, and whether there is room now that somebody may wait for.
    fn take(&mut self) -> Option<(Waiting<E>, bool)> {
        if self.news + self.total.messages == 0 {
            return None;
        }
        let waiting = loop {
            if let Some(waiting) = self.rounds.front_mut()?.pop_front() {
                break waiting;
            }
            self.first += 1;
            // Its memory serves another, if it is no more than one sender needs.
            let over = self.rounds.pop_front().filter(|round| round.capacity() <= KEPT);
            self.rounds.extend(over);
        };
        let Some((bytes, lane)) = &waiting.message else {
            self.news -= 1;
            return Some((waiting, true));
        };
        self.total.remove(*bytes);
        let has_nothing = lane.0.lock().waiting.remove(*bytes);
        // Not for each of many: who waits is woken when there is much room, or when it has nothing left here.
        let has_room = has_nothing || (self.total.messages <= MESSAGES / 2 && self.total.bytes <= BYTES / 2);
        Some((waiting, has_room))
    }
}

impl Amount {
    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    /// Whether that was the last.
    fn remove(&mut self, bytes: usize) -> bool {
        self.messages -= 1;
        self.bytes -= bytes;
        self.messages == 0
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What comes of adding an event now; `None` where it has to wait.
    fn add<E>(queue: &Queue<E>, lane: &Arc<Lane>, event: E, message: Option<usize>) -> Option<Result<(), E>> {
        let adding = pin!(async {
            let Some(bytes) = message else { return queue.add(lane, event).await };
            queue.room(lane).await;
            queue.add_message(lane, event, bytes)
        });
        match adding.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Adds messages of one length until one has to wait; how many there were.
    fn fill(queue: &Queue<char>, lane: &Arc<Lane>, name: char, bytes: usize) -> usize {
        (0..).take_while(|_| add(queue, lane, name, Some(bytes)).is_some()).count()
    }

    fn take_all(queue: &Queue<char>) -> String {
        std::iter::from_fn(|| queue.take()).collect()
    }

    #[test]
    fn one_sender_alone_takes_half_and_has_it_again_once_it_is_taken() {
        let (queue, lane) = (Queue::new(), Arc::default());
        for _ in 0..3 {
            assert_eq!(fill(&queue, &lane, 'a', 3), MESSAGES / 2);
            assert_eq!(take_all(&queue).len(), MESSAGES / 2);
        }
    }

    #[test]
    fn no_more_bytes_wait_than_are_allowed_and_a_message_of_each_sender() {
        const LONG: usize = 100_000;
        const MANY: usize = (BYTES / 2).div_ceil(LONG);
        let (queue, lane) = (Queue::new(), Arc::default());
        assert_eq!(fill(&queue, &lane, 'a', LONG), MANY);
        assert_eq!(take_all(&queue).len(), MANY);
        assert_eq!(fill(&queue, &lane, 'a', 2 * BYTES), 1, "a single message may be longer");
        assert_eq!(fill(&queue, &Arc::default(), 'b', 2 * BYTES), 1, "of each sender");
        assert_eq!(fill(&queue, &lane, 'a', 0), 0);
    }

    #[test]
    fn whatever_others_have_added_one_that_has_nothing_here_adds_a_message() {
        let queue = Queue::new();
        let total: usize = (0..100).map(|_| fill(&queue, &Arc::default(), 'a', 3)).sum();
        assert!(total < MESSAGES + 100, "{total}");
        let quiet = Arc::default();
        assert_eq!(add(&queue, &quiet, 'b', Some(3)), Some(Ok(())));
        assert_eq!(add(&queue, &quiet, 'b', Some(3)), None, "one at a time");
        while queue.take() != Some('b') {}
        assert_eq!(add(&queue, &quiet, 'b', Some(3)), Some(Ok(())));
    }

    #[test]
    fn who_shares_in_turns_has_as_much_as_the_others() {
        const SENDERS: usize = 40;
        let queue = Queue::new();
        let lanes: Vec<Arc<Lane>> = (0..SENDERS).map(|_| Arc::default()).collect();
        let mut added = [0; SENDERS];
        for _ in 0..MESSAGES {
            for (lane, added) in lanes.iter().zip(&mut added) {
                *added += usize::from(add(&queue, lane, 'a', Some(3)).is_some());
            }
        }
        let (least, most) = (added.iter().min(), added.iter().max());
        assert!(least >= Some(&(MESSAGES / (SENDERS + 1) - 1)), "{added:?}");
        assert!(most <= Some(&(MESSAGES / SENDERS)), "{added:?}");
    }

    #[test]
    fn an_event_waits_behind_a_few_of_each_other_sender_s() {
        let queue = Queue::new();
        let (one, two, quiet) = (Arc::default(), Arc::default(), Arc::default());
        for _ in 0..100 {
            assert_eq!(add(&queue, &one, 'a', Some(3)), Some(Ok(())));
        }
        for _ in 0..100 {
            assert_eq!(add(&queue, &two, 'b', None), Some(Ok(())));
        }
        // Not at the beginning of a round only.
        assert!((0..5).all(|_| queue.take().is_some()));
        assert_eq!(add(&queue, &quiet, 'c', Some(3)), Some(Ok(())));
        let order = take_all(&queue);
        assert_eq!(order.len(), 196);
        assert!(order.find('c') <= Some(2 * FEW as usize), "{order}");
        // In every piece that is so long there is something of each.
        for piece in order.as_bytes().windows(2 * FEW as usize + 1).take(140) {
            assert!(piece.contains(&b'a') && piece.contains(&b'b'), "{order}");
        }
    }

    #[test]
    fn each_sender_s_events_come_in_its_order() {
        let queue = Queue::new();
        let lanes: [Arc<Lane>; 3] = Default::default();
        let (mut added, mut taken) = ([0; 3], [0; 3]);
        for step in 0..10_000_usize {
            let lane = step * step % 7 % 3;
            assert_eq!(add(&queue, &lanes[lane], (lane, added[lane]), None), Some(Ok(())));
            added[lane] += 1;
            for _ in 0..step % 3 {
                if let Some((lane, number)) = queue.take() {
                    assert_eq!(number, taken[lane]);
                    taken[lane] += 1;
                }
            }
            assert!(queue.state.lock().rounds.len() <= 100, "rounds that are over are used again");
        }
    }

    #[test]
    fn who_waits_is_told_of_room_and_of_the_end() {
        let queue = Queue::new();
        let (lane, other) = (Arc::default(), Arc::default());
        fill(&queue, &lane, 'a', 3);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut waiting = pin!(queue.room(&lane));
        assert!(waiting.as_mut().poll(cx).is_pending());
        assert_eq!(add(&queue, &other, 'c', Some(BYTES)), Some(Ok(())));
        take_all(&queue);
        assert!(waiting.as_mut().poll(cx).is_ready());

        fill(&queue, &lane, 'a', 3);
        while add(&queue, &lane, 'n', None).is_some() {}
        let mut waiting = pin!(queue.room(&lane));
        let mut news = pin!(queue.add(&lane, 'n'));
        assert!(waiting.as_mut().poll(cx).is_pending());
        assert!(news.as_mut().poll(cx).is_pending());
        queue.close();
        assert!(waiting.as_mut().poll(cx).is_ready());
        assert_eq!(queue.add_message(&lane, 'b', 3), Err('b'));
        assert_eq!(news.as_mut().poll(cx), Poll::Ready(Err('n')));
        assert_eq!(queue.take(), None);
        assert_eq!(add(&queue, &lane, 'a', None), Some(Err('a')));
    }
}
