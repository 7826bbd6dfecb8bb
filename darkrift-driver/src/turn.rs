//! How long a loop may go on before other tasks run.

use std::future::poll_fn;
use std::task::Poll;

/// How many steps in a row may each find something without waiting: a flood would keep the thread for ever.
const STEPS: u32 = 16;

/// Counts the steps of a loop since it last waited.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    steps: u32,
}

impl Turn {
    /// Begins a step; lets other tasks run first when there were many.
    pub(crate) async fn step(&mut self) {
        self.steps += 1;
        if self.steps > STEPS {
            self.steps = 0;
            yield_now().await;
        }
    }

    /// Sees whether what a step polls has to wait: others run then, and a new turn begins.
    pub(crate) fn watch<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_pending() {
            self.steps = 0;
        }
        poll
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Whether the next step begins at once.
    fn goes_on(turn: &mut Turn) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut step = pin!(turn.step());
        let at_once = step.as_mut().poll(&mut context).is_ready();
        assert!(at_once || step.poll(&mut context).is_ready(), "others run once, not for ever");
        at_once
    }

    #[test]
    fn others_run_after_so_many_steps_without_waiting() {
        let mut turn = Turn::default();
        for _ in 0..3 {
            assert!((0..STEPS).all(|_| goes_on(&mut turn)));
            assert!(!goes_on(&mut turn));
        }
    }

    #[test]
    fn a_loop_that_waits_is_never_held_up() {
        let mut turn = Turn::default();
        for _ in 0..10 * STEPS {
            assert!(goes_on(&mut turn));
            assert!(turn.watch(Poll::<()>::Pending).is_pending());
        }
    }
}
