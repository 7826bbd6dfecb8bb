//! The command line.

use std::path::PathBuf;

use lexopt::prelude::{Long, ValueExt};

pub(crate) const USAGE: &str = "\
cargo bench --bench end_to_end -- [OPTIONS]

    --only NAME    run one workload
    --of NAME      run one contender, for a profile: there are no ratios then
    --list         name the workloads
    --json FILE    write every figure to FILE (a path from the root of the repository)
    --rounds N     at most so many rounds for each workload (21)
    --quick        2 short rounds, to see that everything runs; figures mean little

A run of all workloads that is not quick rewrites docs/performance/end_to_end.md and .svg.";

/// What to run.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) only: Option<String>,
    pub(crate) of: Option<String>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) task: Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Run,
    List,
    Help,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let (mut only, mut of, mut json, mut rounds, mut quick, mut task) =
            (None, None, None, None, false, Task::Run);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("only") => only = Some(parser.value()?.string()?),
                Long("of") => of = Some(parser.value()?.string()?),
                Long("json") => json = Some(parser.value()?.into()),
                Long("rounds") => {
                    let wanted: usize = parser.value()?.parse()?;
                    if wanted == 0 {
                        return Err("--rounds needs at least 1".into());
                    }
                    rounds = Some(wanted);
                }
                Long("quick") => quick = true,
                Long("list") => task = Task::List,
                Long("help") => task = Task::Help,
                // Cargo adds it to the arguments of every bench.
                Long("bench") => {}
                unknown => return Err(unknown.unexpected()),
            }
        }
        Ok(Self { only, of, json, rounds: rounds.unwrap_or(if quick { 2 } else { 21 }), quick, task })
    }
}
