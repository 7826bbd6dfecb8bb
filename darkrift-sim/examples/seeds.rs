//! Runs the proof for many seeds: `cargo run --release -p darkrift-sim --example seeds -- --count 2000`.

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use darkrift_sim::proof;

const USAGE: &str =
    "usage: seeds [--start SEED] [--count SEEDS] [--threads THREADS] [--stop-at VIOLATIONS] | --explain SEED";

struct Arguments {
    start: u64,
    count: u64,
    threads: NonZeroU64,
    /// After how many violations it gives up.
    stop_at: u64,
    explain: Option<u64>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    use lexopt::prelude::*;
    let mut arguments =
        Arguments { start: 0, count: 2000, threads: NonZeroU64::MIN, stop_at: 20, explain: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("start") => arguments.start = parser.value()?.parse()?,
            Long("count") => arguments.count = parser.value()?.parse()?,
            Long("stop-at") => arguments.stop_at = parser.value()?.parse()?,
            Long("explain") => arguments.explain = Some(parser.value()?.parse()?),
            Long("threads") => arguments.threads = parser.value()?.parse()?,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(arguments)
}

/// What all seeds came to.
#[derive(Default)]
struct Totals {
    next: AtomicU64,
    clients: AtomicU64,
    occurrences: AtomicU64,
    violations: AtomicU64,
    /// The hashes of all histories, added up: the same for the same seeds, in whatever order they ran.
    hash: AtomicU64,
}

impl Totals {
    fn check(&self, seed: u64) {
        match catch_unwind(AssertUnwindSafe(|| proof::check(seed))) {
            Ok(Ok(summary)) => {
                self.clients.fetch_add(summary.clients as u64, Ordering::Relaxed);
                self.occurrences.fetch_add(summary.occurrences, Ordering::Relaxed);
                self.hash.fetch_add(summary.hash, Ordering::Relaxed);
            }
            Ok(Err(violation)) => {
                self.violations.fetch_add(1, Ordering::Relaxed);
                println!("{violation}");
            }
            Err(_) => {
                self.violations.fetch_add(1, Ordering::Relaxed);
                println!("seed {seed}: panicked");
            }
        }
    }
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("seeds: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Some(seed) = arguments.explain {
        println!("{}", proof::explain(seed));
        return ExitCode::SUCCESS;
    }
    let (began, totals) = (Instant::now(), Totals::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.get() {
            scope.spawn(|| {
                loop {
                    let number = totals.next.fetch_add(1, Ordering::Relaxed);
                    if number >= arguments.count
                        || totals.violations.load(Ordering::Relaxed) >= arguments.stop_at
                    {
                        break;
                    }
                    totals.check(arguments.start + number);
                }
            });
        }
    });
    let violations = totals.violations.into_inner();
    println!(
        "{} seeds from {}: {} clients, {} occurrences, {violations} violations, hash {:016x}, {:.1} s",
        arguments.count,
        arguments.start,
        totals.clients.into_inner(),
        totals.occurrences.into_inner(),
        totals.hash.into_inner(),
        began.elapsed().as_secs_f64(),
    );
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
