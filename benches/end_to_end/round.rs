//! One round of one contender, in a process of its own.

use std::io;
use std::time::Duration;

use crate::conversation::{ANSWER_TIME, Child, FAILED};
use crate::measure::{Figure, Timing};
use crate::workloads;

/// The first argument of such a process.
pub(crate) const ROUND: &str = "round";

/// Its last argument where the round is short.
const QUICK: &str = "quick";

/// How long a round may take: longer than the processes in it may be waited for.
const ROUND_TIME: Duration = Duration::from_secs(10 * ANSWER_TIME.as_secs());

/// What one contender does in one round of a workload, in a process of its own.
pub(crate) fn run(workload: &str, contender: &str, quick: bool) -> io::Result<Figure> {
    let child = Child::start(&[ROUND, workload, contender, if quick { QUICK } else { "whole" }])?;
    Ok(serde_json::from_str(&child.answer(ROUND_TIME)?)?)
}

/// The same in that process: prints its figure.
pub(crate) fn child(workload: &str, contender: &str, timing: &str) -> io::Result<()> {
    let figure = workloads::all()
        .iter()
        .find(|known| known.name == workload)
        .and_then(|workload| workload.contenders.iter().find(|(name, _)| *name == contender))
        .ok_or_else(|| io::Error::other(format!("{contender:?} has no workload {workload:?}")))
        .and_then(|(_, run)| run(Timing::new(timing == QUICK)));
    match figure {
        Ok(figure) => println!("{}", serde_json::to_string(&figure)?),
        Err(error) => println!("{FAILED}{error}"),
    }
    Ok(())
}
