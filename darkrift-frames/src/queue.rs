//! The events that wait for a loop to take them: so many of each sender, and in turns.

use std::collections::VecDeque;
use std::sync::Arc;

use event_listener::Event as Notification;
use parking_lot::Mutex;

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
        let state =
            State { rounds: VecDeque::new(), first: 0, total: Amount::default(), news: 0, is_closed: false };
        Self { state: Mutex::new(state), came: Notification::new(), taken: Notification::new() }
    }

    /// Adds an event of this sender's, once there is room: a message with a payload of this length, or something else. It
    /// is given back where the queue has closed.
    pub(crate) async fn add(&self, lane: &Arc<Lane>, event: E, message: Option<usize>) -> Result<(), E> {
        loop {
            let room = {
                let mut state = self.state.lock();
                if state.is_closed {
                    return Err(event);
                }
                if state.has_room(lane, message) {
                    state.add(lane, event, message);
                    drop(state);
                    self.came.notify(1);
                    return Ok(());
                }
                self.taken.listen()
            };
            room.await;
        }
    }

    pub(crate) fn take(&self) -> Option<E> {
        let (waiting, has_room) = self.state.lock().take()?;
        if has_room {
            self.taken.notify(usize::MAX);
        }
        Some(waiting.event)
    }

    /// Waits for an event: for ever, where none will come any more.
    pub(crate) async fn next(&self) -> E {
        loop {
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
    /// A sender of which no message waits may always add one, whatever the others have done. Otherwise it takes no more
    /// than it leaves for others, so that there is always something left for them.
    fn has_room(&self, lane: &Lane, message: Option<usize>) -> bool {
        let Some(bytes) = message else { return self.news < NEWS };
        let (own, total) = (&lane.0.lock().waiting, &self.total);
        own.messages == 0
            || (own.messages < MESSAGES.saturating_sub(total.messages)
                && own.bytes + bytes <= BYTES.saturating_sub(total.bytes))
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
