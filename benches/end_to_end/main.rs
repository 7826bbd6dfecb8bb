//! The library beside what people would write by hand, end to end over loopback sockets, in one run.
//!
//! `cargo bench --bench end_to_end -- --help` names the options. Every workload runs for some rounds; in each, all contenders
//! have their turn one after the other, so that whatever the machine does besides meets all of them. Each has a process of
//! its own for all its rounds, so that nobody finds the memory as another has left it. What is reported is the median over
//! the rounds of the ratio within a round.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tables and the progress are for people to read"
)]

mod arguments;
mod contender;
mod contenders;
mod conversation;
#[path = "../common/handshake.rs"]
mod handshake;
mod load;
mod measure;
mod process;
mod report;
mod round;
mod system;
mod workloads;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{Arguments, Task, USAGE};
use conversation::CHILD;
use report::{Report, Rounds};
use round::{ContenderProcess, ROUND};
use workloads::Workload;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [CHILD, ROUND, workload, contender, timing] => {
            return ended(round::child(workload, contender, timing));
        }
        [CHILD, ref others @ ..] => return ended(process::child(others)),
        _ => {}
    }
    match Arguments::parse(arguments) {
        Ok(arguments) => ended(run(&arguments)),
        Err(error) => {
            eprintln!("{error}; --help names the options");
            ExitCode::from(2)
        }
    }
}

fn ended(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let mut workloads = workloads::all();
    match arguments.task {
        Task::Help => {
            println!("{USAGE}");
            return Ok(());
        }
        Task::List => {
            for workload in workloads {
                println!("{:28} {}", workload.name, workload.what);
            }
            return Ok(());
        }
        Task::Run => {}
    }
    if let Some(only) = &arguments.only {
        workloads.retain(|workload| workload.name == only);
        if workloads.is_empty() {
            return Err(io::Error::other(format!("there is no workload {only:?}; --list names them")));
        }
    }
    if let Some(of) = &arguments.of {
        for workload in &mut workloads {
            workload.contenders.retain(|(name, _)| name == of);
        }
        workloads.retain(|workload| !workload.contenders.is_empty());
        if workloads.is_empty() {
            return Err(io::Error::other(format!("no contender {of:?} has such a workload")));
        }
    }
    let mut report = Report::new(arguments.rounds);
    for workload in &workloads {
        report.add(workload, &measure(workload, arguments)?);
    }
    println!("{}", report::markdown::table(&report));
    if let Some(file) = &arguments.json {
        write(&repository().join(file), &report.json()?)?;
    }
    if arguments.only.is_none() && arguments.of.is_none() && !arguments.quick {
        let directory = repository().join("docs/performance");
        write(&directory.join("end_to_end.md"), &report::markdown::page(&report))?;
        write(&directory.join("end_to_end.svg"), &report::svg::plot(&report))?;
    }
    if report.has_failures() { Err(io::Error::other("some contenders failed; see above")) } else { Ok(()) }
}

fn measure(workload: &Workload, arguments: &Arguments) -> io::Result<Vec<Rounds>> {
    let start = |(name, _): &(&str, _)| ContenderProcess::new(workload.name, name, arguments.quick);
    let mut processes = workload.contenders.iter().map(start).collect::<io::Result<Vec<_>>>()?;
    let mut measured: Vec<Rounds> = workload.contenders.iter().map(|(name, _)| Rounds::new(name)).collect();
    for round in 0..arguments.rounds.min(workload.rounds) {
        eprint!("{} {}:", workload.name, round + 1);
        let mut order: Vec<usize> = (0..workload.contenders.len()).collect();
        // Nobody is always the one that follows the same other.
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let (name, _) = &workload.contenders[index];
            let result = processes[index].round();
            match &result {
                Ok(figure) if figure.lost > 0 => {
                    eprint!("  {name} {} ({} lost)", report::number(figure.value), figure.lost);
                }
                Ok(figure) => eprint!("  {name} {}", report::number(figure.value)),
                Err(error) => eprint!("  {name} failed: {error}"),
            }
            measured[index].push(result);
        }
        eprintln!("  {}", workload.unit);
    }
    Ok(measured)
}

/// The root of the repository: cargo runs a bench in its package's directory, and people type in the root.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a directory of the repository")
        .to_owned()
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(path, content).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}
