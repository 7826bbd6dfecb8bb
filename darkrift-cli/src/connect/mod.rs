//! `darkrift connect`: a conversation with a server by hand, or from a pipe.

pub(crate) mod command;
mod values;

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, stdin};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift_tokio::Client;
use darkrift_tokio::proto::{Encoding, MessageKind, SendError, SendMode};
use lexopt::ValueExt;
use tokio::task::yield_now;
use tokio::time::{Instant as Moment, sleep, timeout_at};

use crate::address::HostPort;
use crate::complain;
use crate::connected::Connected;
use crate::encoding::EncodingName;
use crate::failure::Failure;
use crate::input::{self, InputError};
use crate::interrupt::Interrupt;
use crate::message_line::MessageLine;
use crate::output::Output;
use crate::pings::Pings;
use crate::time::{Milliseconds, parse};
use crate::traffic::Traffic;
use command::{Command, CommandError};

pub(crate) const HELP: &str = "\
usage: darkrift connect ADDR [--udp-port N] [--encoding NAME] [--wait TIME]

Connects, prints each message that comes, and carries out the lines of its input:

  send TAG VALUES        send a message on TCP
  unreliable TAG VALUES  send a message on UDP
  ping TAG VALUES        send a ping on TCP; its acknowledgement is printed with the round trip
  wait TIME              wait before the next line is carried out
  stats                  print what the connection has counted
  quit                   leave

VALUES are any of these, one behind another; a type stays until the next:

  \"Hello\"                a string, as DarkRift writes it: its length and its characters
  u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool
                         numbers of this type, as in `i32 1 -2 3 f32 0.5`
  hex                    bytes as they are, as in `hex 00 01 ff`

  --udp-port N     the server's UDP port, where it is not the TCP port's number
  --encoding NAME  how text is encoded: utf16le unless given (DarkRift's), utf8 (DarkRiftPy's), utf16be, utf32le, ascii
  --wait TIME      how long to stay behind the end of the input; 1s unless given

A message that there is no room for, since the server does not read, is not sent once nothing has been taken for 5 s.

A line begins with the seconds since the start. The exit code is 1 where the server ended the connection, or a line
could not be carried out.
";

/// How many messages are printed before the input has its turn, none of them longer than so many bytes.
const IN_A_ROW: u64 = 32;
const PAGE: u64 = 4 << 10;

/// How long messages may wait for room while none is taken: what stands behind them is still to be carried out.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Options {
    address: HostPort,
    udp_port: Option<u16>,
    encoding: Encoding,
    wait: Duration,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut address, mut udp_port) = (None, None);
    let (mut encoding, mut wait) = (Encoding::default(), Duration::from_secs(1));
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.parse()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("encoding") => encoding = parser.value()?.parse::<EncodingName>()?.0,
            lexopt::Arg::Long("wait") => wait = parser.value()?.parse_with(parse)?,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the server's address is missing")?;
    Ok(Some(Options { address, udp_port, encoding, wait }))
}

/// Connects, and talks until either side ends it.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let mut builder = Client::builder().encoding(options.encoding);
    if let Some(port) = options.udp_port {
        builder = builder.udp_port(port);
    }
    let client = builder.connect(options.address.clone()).await?;
    let mut interrupt = Interrupt::new()?;
    output.timed(Connected(&client))?;
    if stdin().is_terminal() {
        output.line(
            "type `send 5 \"Hello\"` or the like; `quit` leaves, and `darkrift connect --help` says more",
        )?;
    }
    let session = Session {
        client,
        output,
        encoding: options.encoding,
        pings: RefCell::default(),
        full_since: Cell::default(),
    };
    // What has come is printed before more is carried out, so that an answer stands behind its question.
    let code = tokio::select! {
        biased;
        received = session.receive() => received.map(|()| ExitCode::FAILURE),
        carried_out = session.carry_out(options.wait) => carried_out,
        () = interrupt.wait() => Ok(ExitCode::SUCCESS),
    };
    session.client.close().await;
    code
}

/// A connection, and where it is printed.
struct Session {
    client: Client,
    output: Output,
    encoding: Encoding,
    pings: RefCell<Pings>,
    /// Since when messages have waited for room, where the last did so in vain.
    full_since: Cell<Option<Moment>>,
}

impl Session {
    /// Prints what comes, until the connection has ended.
    async fn receive(&self) -> Result<(), Failure> {
        let mut count = 0_u64;
        while let Some(received) = self.client.recv().await {
            let line = MessageLine::new(&received, self.encoding);
            let round_trip = match received.kind() {
                MessageKind::Acknowledgement(code) => self.pings.borrow_mut().answered(code),
                _ => None,
            };
            match round_trip {
                Some(time) => {
                    self.output.timed(format_args!("received {line} after {}", Milliseconds(time)))?
                }
                None => self.output.timed(format_args!("received {line}"))?,
            }
            // A long one takes as much time as many.
            count += 1 + received.payload().len() as u64 / PAGE;
            if count >= IN_A_ROW {
                count = 0;
                // However much comes, the input has its turn.
                yield_now().await;
            }
        }
        self.output.timed(format_args!("closed: {}", self.client.closed().await))
    }

    /// Carries the lines of the input out, until it ends or says so. A line that cannot be is said to be wrong.
    async fn carry_out(&self, wait: Duration) -> Result<ExitCode, Failure> {
        let mut lines = input::lines();
        let (mut number, mut code) = (0_u64, ExitCode::SUCCESS);
        while let Some(line) = lines.recv().await {
            number += 1;
            let outcome = match line {
                Ok(line) => match command::parse(&line, self.encoding) {
                    Ok(Some(Command::Quit)) => return Ok(code),
                    Ok(Some(command)) => self.obey(command).await?,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error.into()),
                },
                Err(error) => Err(error.into()),
            };
            if let Err(error) = outcome {
                complain(&LineError { number, error });
                code = ExitCode::FAILURE;
            }
        }
        sleep(wait).await;
        Ok(code)
    }

    /// Carries one command out; inside, whether the connection took it.
    async fn obey(&self, command: Command) -> Result<Result<(), LineErrorKind>, Failure> {
        let sent = match command {
            Command::Send(mode, message) => self.in_time(self.client.send(mode, &message)).await,
            Command::Ping(message) => {
                let now = Instant::now();
                let code = self.in_time(self.client.ping(SendMode::Reliable, &message)).await;
                code.map(|code| self.pings.borrow_mut().sent(code, now))
            }
            Command::Wait(time) => {
                sleep(time).await;
                Ok(())
            }
            Command::Statistics => {
                self.output.timed(Traffic(self.client.statistics()))?;
                Ok(())
            }
            Command::Quit => Ok(()),
        };
        Ok(sent)
    }

    /// What came of sending, which may wait for room; one that has waited in vain leaves the next no time of its own.
    async fn in_time<T>(
        &self,
        sending: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, LineErrorKind> {
        let since = self.full_since.get().unwrap_or_else(Moment::now);
        let sent = timeout_at(since + PATIENCE, sending).await;
        self.full_since.set(sent.is_err().then_some(since));
        Ok(sent.map_err(|_| LineErrorKind::NoRoom)??)
    }
}

/// A line that was not carried out.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {error}")]
struct LineError {
    number: u64,
    error: LineErrorKind,
}

/// Why a line was not carried out.
#[derive(Debug, thiserror::Error)]
enum LineErrorKind {
    /// It cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be understood.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The connection did not take the message.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The connection had no room for the message, for too long.
    #[error("not sent: there was no room for {PATIENCE:?}, since the server does not read")]
    NoRoom,
}
