//! `darkrift ping`: round trips.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift_tokio::Client;
use darkrift_tokio::proto::{Message, MessageKind, SendError, SendMode};
use lexopt::ValueExt;
use tokio::time::{Instant as Moment, sleep_until};

use crate::address::HostPort;
use crate::connected::Connected;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::pings::Pings;
use crate::time::{Milliseconds, parse};

pub(crate) const HELP: &str = "\
usage: darkrift ping ADDR [--udp-port N] [--count N] [--interval TIME] [--tag N] [--unreliable]

Sends pings, prints each round trip, and at the end or at Ctrl-C their minimum, median and maximum, and how many were
lost.

A server of this library answers pings by itself. One in C# answers only where its game does, and one of DarkRiftPy
never: that none is answered does not mean that a server is down.

  --udp-port N     the server's UDP port, where it is not the TCP port's number
  --count N        how many; 10 unless given
  --interval TIME  from one to the next; 1s unless given
  --tag N          the messages' tag, one that the game does nothing with; 65535 unless given
  --unreliable     on UDP, where they may be lost

A ping that the connection has no room for when it is due is not sent, and counted. The exit code is 1 where none was
answered.
";

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it means that none was answered.
const UNANSWERED: &str = "a server in C# answers pings only where its game does, and one of DarkRiftPy never: \
    it may be well all the same";

/// The most pings, so that their round trips fit in memory.
const MOST: u32 = 1_000_000;

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Options {
    address: HostPort,
    udp_port: Option<u16>,
    count: u32,
    interval: Duration,
    tag: u16,
    send_mode: SendMode,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut address, mut udp_port, mut count, mut tag) = (None, None, 10, u16::MAX);
    let (mut interval, mut send_mode) = (Duration::from_secs(1), SendMode::Reliable);
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.parse()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("count") => count = parser.value()?.parse()?,
            lexopt::Arg::Long("interval") => interval = parser.value()?.parse_with(parse)?,
            lexopt::Arg::Long("tag") => tag = parser.value()?.parse()?,
            lexopt::Arg::Long("unreliable") => send_mode = SendMode::Unreliable,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the server's address is missing")?;
    if !(1..=MOST).contains(&count) {
        return Err(format!("a count of {count} pings, not of 1 to {MOST}").into());
    }
    Ok(Some(Options { address, udp_port, count, interval, tag, send_mode }))
}

/// Pings the server.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let mut builder = Client::builder();
    if let Some(port) = options.udp_port {
        builder = builder.udp_port(port);
    }
    let client = builder.connect(options.address.clone()).await?;
    let mut interrupt = Interrupt::new()?;
    output.line(Connected(&client))?;
    let mut pinger =
        Pinger { client, output, pings: Pings::default(), sent: 0, unsent: 0, round_trips: Vec::new() };
    tokio::select! {
        pinged = pinger.ping(&options) => pinged?,
        () = interrupt.wait() => {}
    }
    pinger.client.close().await;
    pinger.summary()
}

/// What came first.
enum Turn {
    /// A message.
    Message,
    /// The moment that was waited for.
    Due,
    /// The end of the connection.
    Closed,
}

/// A connection, and what its pings have shown so far.
struct Pinger {
    client: Client,
    output: Output,
    pings: Pings,
    sent: u32,
    unsent: u32,
    round_trips: Vec<Duration>,
}

impl Pinger {
    /// Sends all of them and waits for the answers, or for the end of the connection.
    async fn ping(&mut self, options: &Options) -> Result<(), Failure> {
        let mut due = Moment::now();
        for _ in 0..options.count {
            loop {
                match self.receive(due).await? {
                    Turn::Message => {}
                    Turn::Due => break,
                    Turn::Closed => return Ok(()),
                }
            }
            let now = Instant::now();
            // To wait for room would be to wait for a server that may never read.
            match self.client.try_ping(options.send_mode, &Message::empty(options.tag)) {
                Ok(code) => {
                    self.pings.sent(code, now);
                    self.sent += 1;
                }
                Err(SendError::Closed) => return self.receive_the_end().await,
                Err(error) => {
                    self.output.line(format_args!("not sent: {error}"))?;
                    self.unsent += 1;
                }
            }
            due += options.interval;
        }
        let due = Moment::now() + PATIENCE;
        while self.pings.waiting() > 0 {
            let Turn::Message = self.receive(due).await? else { break };
        }
        Ok(())
    }

    /// Receives what had come before the connection closed, and its end.
    async fn receive_the_end(&mut self) -> Result<(), Failure> {
        let due = Moment::now() + PATIENCE;
        while let Turn::Message = self.receive(due).await? {}
        Ok(())
    }

    /// Receives one message until this moment.
    async fn receive(&mut self, due: Moment) -> Result<Turn, Failure> {
        let received = tokio::select! {
            received = self.client.recv() => received,
            () = sleep_until(due) => return Ok(Turn::Due),
        };
        let Some(received) = received else {
            let reason = self.client.closed().await;
            self.output.line(format_args!("closed: {reason}"))?;
            return Ok(Turn::Closed);
        };
        // Whatever else the game says is not what is asked for here.
        if let MessageKind::Acknowledgement(code) = received.kind() {
            if let Some(time) = self.pings.answered(code) {
                self.round_trips.push(time);
                self.output.line(format_args!("ping {code}: {}", Milliseconds(time)))?;
            }
        }
        Ok(Turn::Message)
    }

    fn summary(mut self) -> Result<ExitCode, Failure> {
        let answered = self.round_trips.len();
        let lost = self.sent as usize - answered;
        let share = 100.0 * lost as f64 / f64::from(self.sent.max(1));
        let mut counts = format!("{} sent, {answered} answered, {lost} lost ({share:.0}%)", self.sent);
        if self.unsent > 0 {
            counts += &format!(", {} not sent", self.unsent);
        }
        self.round_trips.sort_unstable();
        let times = |place: usize| Milliseconds(self.round_trips[place]);
        match answered.checked_sub(1) {
            Some(last) => {
                let (least, median, most) = (times(0), times(last / 2), times(last));
                self.output
                    .line(format_args!("{counts}; round trip min {least}, median {median}, max {most}"))?;
                Ok(ExitCode::SUCCESS)
            }
            None => {
                self.output.line(counts)?;
                self.output.line(UNANSWERED)?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
