//! The protocol in an event loop of one's own: `darkrift-proto` alone, driven by mio, on one thread.
//!
//! `custom_event_loop [--listen ADDR] [--clients N] [--seconds N]`
//!
//! A server that returns every message, and holds thousands of clients. With `--clients N` as many clients run in the
//! same loop. Each has ten messages returned, and stays until all of them have; then they leave, and the program ends.
//! They take three file descriptors each: `ulimit -n` says how many there are.
//!
//! This is the manual to read beside `docs/sans-io.md`, in this order:
//!
//! - `event_loop.rs`: the loop, and who gets a turn in it;
//! - `peer.rs`: one connection, and what its turn does;
//! - `door.rs`: the server's door, for connections that begin and datagrams from anybody;
//! - `application.rs`: the only part that a game would change.

mod application;
mod door;
mod event_loop;
mod peer;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use darkrift::proto::Instant;
use lexopt::ValueExt;

use crate::application::Tally;
use crate::event_loop::Loop;

const USAGE: &str = "usage: custom_event_loop [--listen ADDR] [--clients N] [--seconds N]";

struct Arguments {
    listen: SocketAddr,
    clients: Option<usize>,
    seconds: Option<u64>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments { listen: ([127, 0, 0, 1], 0).into(), clients: None, seconds: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("listen") => arguments.listen = parser.value()?.parse()?,
            lexopt::Arg::Long("clients") => arguments.clients = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("seconds") => arguments.seconds = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("custom_event_loop: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match hold(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("custom_event_loop: {failed} clients were not served to the end");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("custom_event_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves as long as it is told to; gives how many of its own clients failed.
fn hold(arguments: &Arguments) -> Result<usize, Box<dyn Error>> {
    let mut event_loop = Loop::new(arguments.listen)?;
    let address = event_loop.server.streams.local_addr()?;
    println!("listening on {address}");
    event_loop.to_begin = arguments.clients.unwrap_or_default();
    let limit = arguments.seconds.map_or(Duration::MAX, Duration::from_secs);
    let until = Instant::ZERO + limit;
    let all = arguments.clients;
    event_loop.run(|tally, now| now >= until || all == Some(tally.done), until)?;
    event_loop.close_clients();
    event_loop.run(|tally, now| now >= until || all == Some(tally.left), until)?;
    let Tally { most, left, returned, returned_unreliably, failed, .. } = event_loop.tally;
    println!("{most} clients at once, {left} left, in {:?}", event_loop.start.elapsed());
    println!("{returned} messages returned, {returned_unreliably} of them unreliably as well");
    Ok(failed + all.map_or(0, |all| all - left))
}
