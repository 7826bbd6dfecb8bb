//! How many allocations a message costs in steady state.
//!
//! The library stands at one end and plain std sockets at the other, which allocate nothing themselves, so that every
//! allocation of the process while messages flow is the library's (and its runtime's). `cargo bench --bench allocations` prints
//! the table, and fails where a figure is above what must hold.

#[path = "../common/handshake.rs"]
mod handshake;
mod workloads;

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations since the start of a region, growing ones among them.
fn allocations(region: &Region<'_, System>) -> f64 {
    let change = region.change();
    (change.allocations + change.reallocations) as f64
}

/// A table's row: what is counted, for each of how many messages, and how many there may be.
struct Row {
    what: &'static str,
    most: f64,
    figure: f64,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be started");
    let rows = match workloads::all(&runtime) {
        Ok(rows) => rows,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("| allocations for each | measured | at most |\n| --- | ---: | ---: |");
    let mut reached = true;
    for row in rows {
        // What grows once in a while, such as a queue, is not a message's.
        let holds = row.figure <= row.most + 0.01;
        reached &= holds;
        let remark = if holds { "" } else { " (not reached)" };
        println!("| {} | {:.3} | {:.0}{remark} |", row.what, row.figure, row.most);
    }
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
