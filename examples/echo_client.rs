//! Sends messages to an echo server, checks every answer, and prints how long they took.
//!
//! `echo_client ADDR [--udp-port N] [--count N] [--size N] [--unreliable]`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift::tokio::Client;
use darkrift::{Message, SendMode};
use lexopt::ValueExt;

/// The longest payload: as much as a client takes back.
const LONGEST: usize = 16 << 20;

const USAGE: &str = "usage: echo_client ADDR [--udp-port N] [--count N] [--size N] [--unreliable]";

/// How long an answer may take before it is missing.
const PATIENCE: Duration = Duration::from_secs(10);

struct Arguments {
    address: String,
    udp_port: Option<u16>,
    count: u32,
    size: usize,
    send_mode: SendMode,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut address = None;
    let (mut udp_port, mut count, mut size, mut send_mode) = (None, 1000, 24, SendMode::Reliable);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.string()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("count") => count = parser.value()?.parse()?,
            lexopt::Arg::Long("size") => size = parser.value()?.parse()?,
            lexopt::Arg::Long("unreliable") => send_mode = SendMode::Unreliable,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the server's address is missing")?;
    if size > LONGEST {
        return Err(
            format!("a payload of {size} bytes, more than the {LONGEST} that a client takes back").into()
        );
    }
    Ok(Arguments { address, udp_port, count, size, send_mode })
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("echo_client: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut builder = Client::builder();
    if let Some(port) = arguments.udp_port {
        builder = builder.udp_port(port);
    }
    let client = match builder.connect(arguments.address.as_str()).await {
        Ok(client) => client,
        Err(error) => {
            eprintln!("echo_client: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("connected to {} as client {}", client.tcp_address(), client.id());
    let summary = exchange(&client, &arguments).await;
    let complete = summary.print(&arguments);
    client.close().await;
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Default)]
struct Summary {
    sent: u32,
    round_trips: Vec<Duration>,
    wrong: u32,
    failure: Option<String>,
}

/// Sends one message after another, each when the one before was answered.
async fn exchange(client: &Client, arguments: &Arguments) -> Summary {
    let mut summary = Summary::default();
    for number in 0..arguments.count {
        let message = message(number, arguments.size);
        let start = Instant::now();
        if let Err(error) = client.send(arguments.send_mode, &message).await {
            summary.failure = Some(format!("message {number} was not sent: {error}"));
            break;
        }
        summary.sent += 1;
        match tokio::time::timeout(PATIENCE, client.recv()).await {
            Ok(Some(answer)) if *answer.message() == message && answer.send_mode() == arguments.send_mode => {
                summary.round_trips.push(start.elapsed());
            }
            Ok(Some(_)) => summary.wrong += 1,
            Ok(None) => {
                summary.failure = Some(format!("the connection ended: {}", client.closed().await));
                break;
            }
            Err(_) => {
                summary.failure = Some(format!("message {number} was not answered within {PATIENCE:?}"));
                break;
            }
        }
    }
    summary
}

/// Every message differs from the ones around it, in its tag and in its payload.
fn message(number: u32, size: usize) -> Message {
    let payload: Vec<u8> = (0..size).map(|place| (number as usize * 31 + place) as u8).collect();
    Message::new(number as u16, payload)
}

impl Summary {
    /// Prints what came back; whether that is everything, and right.
    fn print(mut self, arguments: &Arguments) -> bool {
        let right = self.round_trips.len();
        let missing = self.sent as usize - right - self.wrong as usize;
        let unsent = arguments.count - self.sent;
        print!(
            "{} sent as {:?}, {right} answered, {} wrong, {missing} missing",
            self.sent, arguments.send_mode, self.wrong
        );
        println!("{}", if unsent == 0 { String::new() } else { format!("; {unsent} not sent") });
        self.round_trips.sort_unstable();
        if let Some(last) = right.checked_sub(1) {
            let percentile = |percent: usize| self.round_trips[last * percent / 100];
            println!(
                "round trips: median {:?}, 90% {:?}, 99% {:?}, longest {:?}",
                percentile(50),
                percentile(90),
                percentile(99),
                percentile(100)
            );
        }
        if let Some(failure) = &self.failure {
            eprintln!("echo_client: {failure}");
        }
        self.wrong == 0 && missing == 0 && unsent == 0
    }
}
