//! `darkrift load`: many clients that send to a server that echoes.

mod client;
mod report;
mod round_trips;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use darkrift_tokio::proto::{Encoding, Message, SendMode};
use darkrift_tokio::{Client, ConnectError};
use lexopt::ValueExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, timeout_at};

use crate::address::HostPort;
use crate::connect::command::message;
use crate::encoding::EncodingName;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use client::{LoadClient, SEQUENCE_BYTES};
use report::Report;
use round_trips::RoundTrips;

pub(crate) const HELP: &str = "\
usage: darkrift load ADDR [--udp-port N] [--clients N] [--rate R] [--size S] [--seconds T] [--tag N] [--unreliable]
                     [--first 'TAG VALUES'] [--encoding NAME]

Connects many clients, each of which sends messages to a server that returns them, such as `darkrift listen ADDR --echo
--quiet`; reports how many came back, after how long, and who was disconnected and why. It is for servers that echo: of
any other it shows how many clients stay, and how long. Load only servers of your own.

  --udp-port N          the server's UDP port, where it is not the TCP port's number
  --clients N           how many clients; 10 unless given
  --rate R              messages a second of each; 10 unless given
  --size S              bytes of a payload, 4 at least; 64 unless given
  --seconds T           for how long; 10 unless given. Connecting takes 30 s more at most, and the last answers 5 s
  --tag N               the messages' tag; 65535 unless given
  --unreliable          on UDP, where they may be lost
  --first 'TAG VALUES'  what each client sends first, on TCP, where the server asks who comes; with VALUES as in
                        `darkrift connect --help`
  --encoding NAME       how text in it is encoded: utf16le unless given (DarkRift's), utf8 (DarkRiftPy's), utf16be,
                        utf32le, ascii

A message that the connection has no room for when it is due is not sent, and counted. The exit code is 1 where a client
could not connect or was disconnected, or nothing came back. Each client takes two files (`ulimit -n`).
";

/// How many clients connect at a time: a server lets 256 of one address wait.
const CONNECTING: usize = 64;

/// How long all of them may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// What the arguments say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    address: HostPort,
    udp_port: Option<u16>,
    clients: u32,
    rate: u32,
    size: usize,
    duration: Duration,
    tag: u16,
    send_mode: SendMode,
    first: Option<Message>,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut address, mut udp_port, mut clients, mut rate) = (None, None, 10, 10);
    let (mut size, mut seconds, mut tag, mut send_mode) = (64, 10, u16::MAX, SendMode::Reliable);
    let (mut first, mut encoding) = (None, Encoding::default());
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.parse()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("clients") => clients = parser.value()?.parse()?,
            lexopt::Arg::Long("rate") => rate = parser.value()?.parse()?,
            lexopt::Arg::Long("size") => size = parser.value()?.parse()?,
            lexopt::Arg::Long("seconds") => seconds = parser.value()?.parse()?,
            lexopt::Arg::Long("tag") => tag = parser.value()?.parse()?,
            lexopt::Arg::Long("unreliable") => send_mode = SendMode::Unreliable,
            lexopt::Arg::Long("first") => first = Some(parser.value()?),
            lexopt::Arg::Long("encoding") => encoding = parser.value()?.parse::<EncodingName>()?.0,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the server's address is missing")?;
    let longest = match send_mode {
        SendMode::Reliable => 16 << 20,
        SendMode::Unreliable => 65_504,
    };
    for (name, value, least, most) in [
        ("clients", u64::from(clients), 1, 65_536),
        ("rate", u64::from(rate), 1, 100_000),
        ("size", size as u64, SEQUENCE_BYTES as u64, longest),
        ("seconds", seconds, 1, 86_400),
    ] {
        if !(least..=most).contains(&value) {
            return Err(format!("--{name} {value} is not from {least} to {most}").into());
        }
    }
    let first = first.map(|text| text.parse_with(|text| message(text, encoding))).transpose()?;
    let duration = Duration::from_secs(seconds);
    Ok(Some(Options { address, udp_port, clients, rate, size, duration, tag, send_mode, first }))
}

/// Connects the clients, and lets them send.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let mut interrupt = Interrupt::new()?;
    let mut report = Report::new(options.clone());
    let started = Instant::now();
    let connected = tokio::select! {
        connected = connect(&options, &mut report) => connected,
        () = interrupt.wait() => Vec::new(),
    };
    report.connected(connected.len(), started.elapsed(), output)?;
    if connected.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let round_trips = Arc::new(RoundTrips::default());
    let start = Moment::now();
    let mut running = JoinSet::new();
    let (end, is_over) = watch::channel(());
    for (number, client) in (0..).zip(connected) {
        // Spread over an interval, as players are.
        let first = start + Duration::from_secs(1) * number / options.rate / options.clients;
        let client = LoadClient::new(client, round_trips.clone(), &options);
        running.spawn(client.run(first, start + options.duration, is_over.clone()));
    }
    let mut end = Some(end);
    loop {
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(ended) => report.add(ended),
                None => break,
            },
            // Whoever waits for the channel is told by its end.
            () = interrupt.wait() => end = None,
        }
    }
    drop(end);
    report.print(&round_trips, output)
}

/// Connects as many as can.
async fn connect(options: &Options, report: &mut Report) -> Vec<Client> {
    let deadline = Moment::now() + CONNECT_LIMIT;
    let turns = Arc::new(Semaphore::new(CONNECTING));
    let mut attempts = JoinSet::new();
    for _ in 0..options.clients {
        let (options, turns) = (options.clone(), turns.clone());
        attempts.spawn(async move {
            let _turn = turns.acquire().await;
            let mut builder = Client::builder();
            if let Some(port) = options.udp_port {
                builder = builder.udp_port(port);
            }
            let client = builder.connect(options.address).await?;
            if let Some(first) = options.first {
                // There is room for one message. Where it cannot be sent the connection has closed, which is told later.
                let _ = client.try_send(SendMode::Reliable, &first);
            }
            Ok::<_, ConnectError>(client)
        });
    }
    let mut clients = Vec::new();
    while let Ok(Some(attempt)) = timeout_at(deadline, attempts.join_next()).await {
        match attempt {
            Ok(Ok(client)) => clients.push(client),
            Ok(Err(error)) => report.not_connected(error.to_string()),
            Err(error) => report.not_connected(error.to_string()),
        }
    }
    for _ in 0..attempts.len() {
        report.not_connected(format!("not within {CONNECT_LIMIT:?}"));
    }
    clients
}
