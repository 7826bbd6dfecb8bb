//! The rounds of one contender in one workload, in a process of its own: it finds the memory as nobody else has left it.

use std::io;
use std::time::Duration;

use crate::conversation::{ANSWER_TIME, Child, converse};
use crate::measure::{Figure, Timing};
use crate::workloads;

/// The first argument of such a process, and what it is asked for.
pub(crate) const ROUND: &str = "round";

/// Its last argument where the rounds are short.
const QUICK: &str = "quick";

/// How long a round may take: longer than the processes in it may be waited for.
const ROUND_TIME: Duration = Duration::from_secs(10 * ANSWER_TIME.as_secs());

/// A contender's process.
#[derive(Debug)]
pub(crate) struct ContenderProcess(Child);

impl ContenderProcess {
    /// Starts it.
    pub(crate) fn new(workload: &str, contender: &str, quick: bool) -> io::Result<Self> {
        let child = Child::start(&[ROUND, workload, contender, if quick { QUICK } else { "whole" }])?;
        child.answer(ANSWER_TIME)?;
        Ok(Self(child))
    }

    /// What the contender does in one round.
    pub(crate) fn round(&mut self) -> io::Result<Figure> {
        Ok(serde_json::from_str(&self.0.ask(ROUND, ROUND_TIME)?)?)
    }
}

/// What is done in that process.
pub(crate) fn child(workload: &str, contender: &str, timing: &str) -> io::Result<()> {
    let workloads = workloads::all();
    let (_, run) = workloads
        .iter()
        .find(|known| known.name == workload)
        .and_then(|workload| workload.contenders.iter().find(|(name, _)| *name == contender))
        .ok_or_else(|| io::Error::other(format!("{contender:?} has no workload {workload:?}")))?;
    let timing = Timing::new(timing == QUICK);
    converse("ready", |_| Ok(serde_json::to_string(&run(timing)?)?))
}
