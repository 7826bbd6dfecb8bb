//! Clients that come and go.

use std::io;
use std::sync::Arc;

use crate::contender::{Channels, Contender, Shape};
use crate::measure::{Figure, Tally, Timing, set_up, two_workers};

/// Each of `at_once` tasks connects, disconnects, and connects anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connect {
    pub(crate) at_once: usize,
}

impl Connect {
    /// Connects a second.
    pub(crate) fn run<C: Contender>(self, timing: Timing) -> io::Result<Figure> {
        let runtime = two_workers()?;
        let shape = Shape { channels: Channels::Both, size: 0 };
        let tally = Tally::new(self.at_once);
        let _server = set_up(&runtime, async {
            let (addresses, server) = C::serve(shape).await?;
            for index in 0..self.at_once {
                let tally_of_task = Arc::clone(&tally);
                C::spawn(tally.watch(async move {
                    let mut connects = 0;
                    while !tally_of_task.is_stopping() {
                        drop(C::connect(addresses, shape).await?);
                        connects += 1;
                        tally_of_task.set_answers(index, connects);
                    }
                    Ok(())
                }));
            }
            Ok(server)
        })?;
        tally.rate(timing)
    }
}
