//! How long a loop may go on before other tasks run.

use std::future::poll_fn;
use std::task::Poll;

use crate::runtime::Runtime;

/// How many steps in a row may each find something without waiting: a flood would keep the thread for ever.
const STEPS: u32 = 16;

/// How much work counts as a step: one may bring a thousand datagrams.
const STEP: u32 = 16;

/// Counts the steps of a loop since it last waited.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Steps, each counted as so much work.
    work: u32,
}

impl Turn {
    /// Begins a step; whether there were so many that others are to run first.
    pub(crate) fn is_over(&mut self) -> bool {
        self.add(STEP);
        let is_over = self.work > STEPS * STEP;
        if is_over {
            self.work = 0;
        }
        is_over
    }

    /// A step turned out to be this much work, beyond what each is.
    pub(crate) fn add(&mut self, work: u32) {
        self.work = self.work.saturating_add(work);
    }

    /// Sees whether what a step polls has to wait: others run then, and a new turn begins.
    pub(crate) fn watch<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_pending() {
            self.work = 0;
        }
        poll
    }
}

/// Lets other tasks run, and the runtime look at its sockets.
pub(crate) async fn yield_now(runtime: &dyn Runtime) {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        runtime.come_back(cx.waker());
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_run_after_so_many_steps_without_waiting() {
        let mut turn = Turn::default();
        for _ in 0..3 {
            assert!((0..STEPS).all(|_| !turn.is_over()));
            assert!(turn.is_over());
        }
    }

    #[test]
    fn a_step_that_was_much_work_counts_as_several() {
        let mut turn = Turn::default();
        assert!(!turn.is_over());
        turn.add(STEPS * STEP);
        assert!(turn.is_over());
        assert!(!turn.is_over());
    }

    #[test]
    fn a_loop_that_waits_is_never_held_up() {
        let mut turn = Turn::default();
        for _ in 0..10 * STEPS {
            assert!(!turn.is_over());
            assert!(turn.watch(Poll::<()>::Pending).is_pending());
        }
    }
}
