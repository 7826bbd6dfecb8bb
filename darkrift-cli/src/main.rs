//! `darkrift`, a tool for live servers: each command is a module of its name, and `darkrift --help` lists them.
#![forbid(unsafe_code)]

mod address;
mod connect;
mod connected;
mod decode;
mod dialect;
mod encoding;
mod failure;
mod guess;
mod hello;
mod hex;
mod input;
mod interrupt;
mod listen;
mod load;
mod message_line;
mod output;
mod ping;
mod pings;
mod probe;
mod text;
mod time;
mod traffic;

use std::io::Write;
use std::process::ExitCode;

use lexopt::ValueExt;
use tokio::runtime::Runtime;

use failure::Failure;
use output::Output;

const HELP: &str = "\
darkrift: a tool for live DarkRift 2 servers

usage: darkrift COMMAND ...

  probe    connect once, and say step by step what happened
  connect  talk to a server by hand: send lines, see each message that comes
  ping     measure round trips
  listen   be a server that prints who comes and what each sends
  load     send from many clients to a server that echoes, and report round trips
  decode   take the bytes of frames or of a datagram apart

darkrift COMMAND --help says more. ADDR is a host name or an address, with a port unless that is 4296. Times have a
unit: 250ms, 1.5s, 2m.
";

/// The exit code where the arguments are wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        // Who read the output has seen enough.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            if failure.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// Runs what the arguments say, on a runtime of its own.
fn start() -> Result<ExitCode, Failure> {
    let runtime = Runtime::new().map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(run(lexopt::Parser::from_env()));
    // A look-up that was given up is not waited for.
    runtime.shutdown_background();
    outcome
}

/// Runs the command that the arguments name.
async fn run(mut parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    /// Reads the arguments of a command, and runs it or prints its help.
    macro_rules! command {
        ($name:ident) => {
            match $name::options(&mut parser) {
                Ok(Some(options)) => $name::run(options).await,
                Ok(None) => print(&$name::HELP),
                Err(error) => Err(Failure::usage(stringify!($name), error)),
            }
        };
    }

    let general = |error| Failure::usage("", error);
    let name = match parser.next().map_err(general)? {
        Some(lexopt::Arg::Value(name)) => name.string().map_err(general)?,
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) => return print(&HELP),
        Some(lexopt::Arg::Long("version") | lexopt::Arg::Short('V')) => {
            return print(&concat!("darkrift ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        Some(other) => return Err(general(other.unexpected())),
        None => return Err(general("a command is missing".into())),
    };
    match name.as_str() {
        "probe" => command!(probe),
        "connect" => command!(connect),
        "ping" => command!(ping),
        "listen" => command!(listen),
        "load" => command!(load),
        "decode" => command!(decode),
        _ => Err(general(format!("there is no command {name:?}").into())),
    }
}

/// Prints a text that ends its last line.
fn print(text: &&str) -> Result<ExitCode, Failure> {
    Output::new().line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error what is wrong. Where that is closed, too, nobody is left to be told.
pub(crate) fn complain(error: &dyn std::error::Error) {
    let _ = writeln!(std::io::stderr(), "darkrift: {error}");
}
