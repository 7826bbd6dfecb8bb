//! The sockets of one loop, and who waits for them: looked at once a frame.

use std::io;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use darkrift_driver::nonblocking::{Reactor, Socket};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::bell::Bell;

/// How long one look waits at most: some systems count milliseconds in 31 bits.
const LONGEST: Duration = Duration::from_secs(3600);

/// Flags that nobody asks for, which end both reading and writing.
const FAILED: PollFlags = PollFlags::ERR.union(PollFlags::HUP).union(PollFlags::NVAL);

/// Every socket there is.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    all: Arc<Mutex<Vec<Weak<Watched>>>>,
    bell: Arc<Bell>,
}

/// One socket, and whom to wake once it may be read or written.
#[derive(Debug)]
pub(crate) struct Watched {
    socket: Socket,
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
    bell: Arc<Bell>,
}

impl Sockets {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        Self { all: Arc::default(), bell }
    }

    /// Wakes whoever waits for a socket that is ready, and waits `patience` at most until one is.
    pub(crate) fn look(&self, patience: Duration) {
        // Before it is seen who waits for what: whoever begins to wait later ends the wait.
        let waits = !patience.is_zero() && self.bell.fall_asleep();
        let patience = if waits { patience.min(LONGEST) } else { Duration::ZERO };
        let awaited = self.awaited();
        let mut polled: Vec<_> =
            awaited.iter().map(|(watched, wanted)| PollFd::new(&watched.socket, *wanted)).collect();
        if waits {
            polled.push(PollFd::new(self.bell.socket(), PollFlags::IN));
        }
        let result = poll(&mut polled, Timespec::try_from(patience).ok().as_ref());
        if waits {
            self.bell.wake_up();
        }
        for ((watched, wanted), polled) in awaited.iter().zip(&polled) {
            // Where the system does not say, since a signal came, everyone looks for himself.
            watched.wake(if result.is_ok() { polled.revents() } else { *wanted });
        }
    }

    /// The sockets that somebody waits for, and for what.
    fn awaited(&self) -> Vec<(Arc<Watched>, PollFlags)> {
        let mut all = self.all.lock();
        all.retain(|watched| watched.strong_count() > 0);
        let with_wanted = |watched: Arc<Watched>| {
            let wanted = watched.wanted();
            (!wanted.is_empty()).then_some((watched, wanted))
        };
        all.iter().filter_map(Weak::upgrade).filter_map(with_wanted).collect()
    }
}

impl Watched {
    fn wanted(&self) -> PollFlags {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, self.reader.lock().is_some());
        wanted.set(PollFlags::OUT, self.writer.lock().is_some());
        wanted
    }

    fn wake(&self, ready: PollFlags) {
        for (flag, slot) in [(PollFlags::IN, &self.reader), (PollFlags::OUT, &self.writer)] {
            if ready.intersects(flag.union(FAILED)) {
                slot.lock().take().into_iter().for_each(Waker::wake);
            }
        }
    }

    fn wait(&self, slot: &Mutex<Option<Waker>>, cx: &Context<'_>) -> Poll<io::Result<()>> {
        *slot.lock() = Some(cx.waker().clone());
        self.bell.disturb();
        Poll::Pending
    }
}

impl Reactor for Sockets {
    type Watched = Arc<Watched>;

    fn watch(&self, socket: Socket) -> io::Result<Arc<Watched>> {
        let watched =
            Watched { socket, reader: Mutex::default(), writer: Mutex::default(), bell: self.bell.clone() };
        let watched = Arc::new(watched);
        self.all.lock().push(Arc::downgrade(&watched));
        Ok(watched)
    }

    fn socket(watched: &Arc<Watched>) -> &Socket {
        &watched.socket
    }

    fn poll_readable(watched: &Arc<Watched>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        watched.wait(&watched.reader, cx)
    }

    fn poll_writable(watched: &Arc<Watched>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        watched.wait(&watched.writer, cx)
    }
}
