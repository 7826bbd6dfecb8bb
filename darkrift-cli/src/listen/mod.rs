//! `darkrift listen`: a server that prints who comes, what each sends, and why each leaves.

mod door;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift_tokio::proto::{CloseReason, Dialect, Encoding, Initiator, MessageKind};
use darkrift_tokio::{Client, Server};
use lexopt::ValueExt;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::address::HostPort;
use crate::dialect::Named;
use crate::encoding::EncodingName;
use crate::failure::Failure;
use crate::input;
use crate::interrupt::Interrupt;
use crate::message_line::MessageLine;
use crate::output::Output;
use door::Door;

pub(crate) const HELP: &str = "\
usage: darkrift listen ADDR [--udp-port N] [--dialect NAME] [--encoding NAME] [--echo] [--quiet]

A server that prints who joins, what each client sends, and why each leaves; and of those who never became clients,
what they lacked. It ends at Ctrl-C, or at the end of its input where that is a pipe or a file, and prints what it has
counted.

  --udp-port N     another UDP port than the TCP port's number
  --dialect NAME   whose clients can connect: v1 unless given (DarkRift 2.11's), v0 (2.10's and 2.11's), legacy
                   (DarkRiftPy's); one of another dialect joins and leaves at once, or never joins
  --encoding NAME  how text is encoded: utf16le unless given (DarkRift's), utf8 (DarkRiftPy's), utf16be, utf32le, ascii
  --echo           return every ordinary message on the channel that it came on; pings are answered in any case
  --quiet          do not print messages

Use 0.0.0.0 or [::] to be reached from other machines, and port 0 for any that is free. A line begins with the seconds
since the start.
";

/// How often it is looked who failed to become a client.
const LOOK: Duration = Duration::from_millis(500);

/// A client that refuses the acknowledgement of its token leaves within this time.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Options {
    address: HostPort,
    udp_port: Option<u16>,
    dialect: Dialect,
    serving: Serving,
}

/// What is done for each client.
#[derive(Clone, Copy, Debug)]
struct Serving {
    encoding: Encoding,
    echo: bool,
    quiet: bool,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut address, mut udp_port, mut dialect) = (None, None, Dialect::default());
    let mut serving = Serving { encoding: Encoding::default(), echo: false, quiet: false };
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.parse()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("dialect") => dialect = parser.value()?.parse()?,
            lexopt::Arg::Long("encoding") => serving.encoding = parser.value()?.parse::<EncodingName>()?.0,
            lexopt::Arg::Long("echo") => serving.echo = true,
            lexopt::Arg::Long("quiet") => serving.quiet = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the address to listen on is missing")?;
    Ok(Some(Options { address, udp_port, dialect, serving }))
}

/// Listens until it is asked to end.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let mut builder = Server::builder().dialect(options.dialect).encoding(options.serving.encoding);
    if let Some(port) = options.udp_port {
        builder = builder.udp_port(port);
    }
    let server = builder.bind(options.address).await?;
    let mut interrupt = Interrupt::new()?;
    let dialect = Named(options.dialect);
    output.timed(format_args!(
        "listening on TCP {} and UDP {}, {dialect}",
        server.local_addr(),
        server.udp_addr()
    ))?;
    let (mut clients, mut door) = (JoinSet::new(), Door::default());
    let mut looks = interval(LOOK);
    let input_end = input::end();
    tokio::pin!(input_end);
    loop {
        tokio::select! {
            accepted = server.accept() => match accepted {
                Some(client) => {
                    let (tcp, udp) = (client.tcp_address(), client.udp_address());
                    output.timed(format_args!("client {} joined from TCP {tcp} and UDP {udp}", client.id()))?;
                    clients.spawn(serve(client, output, options.serving));
                }
                None => break,
            },
            Some(ended) = clients.join_next() => of_task(ended)?,
            _ = looks.tick() => door.report(&server.statistics(), output)?,
            () = &mut input_end => break,
            () = interrupt.wait() => break,
        }
    }
    server.shutdown().await;
    while let Some(ended) = clients.join_next().await {
        of_task(ended)?;
    }
    let statistics = server.statistics();
    door.report(&statistics, output)?;
    door::summary(&statistics, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what a client sends, and returns it where that is asked for, until it leaves.
async fn serve(client: Client, output: Output, serving: Serving) -> Result<(), Failure> {
    let joined = Instant::now();
    let mut has_sent = false;
    while let Some(received) = client.recv().await {
        has_sent = true;
        if !serving.quiet {
            let line = MessageLine::new(&received, serving.encoding);
            output.timed(format_args!("client {} sent {line}", client.id()))?;
        }
        if serving.echo && received.kind() == MessageKind::Ordinary {
            if let Err(error) = client.send(received.send_mode(), received.message()).await {
                output.timed(format_args!("client {}: a message was not returned: {error}", client.id()))?;
            }
        }
    }
    let reason = client.closed().await;
    let hint = if has_sent { "" } else { hint_on_silence(&reason, joined.elapsed()) };
    output.timed(format_args!("client {} left: {reason}{hint}", client.id()))
}

/// What it may mean that a client left for this reason, after this time, and had sent nothing.
fn hint_on_silence(reason: &CloseReason, stayed: Duration) -> &'static str {
    let is_its_doing = matches!(reason.initiator, Initiator::Peer | Initiator::Transport);
    let is_hint = is_its_doing && stayed < AT_ONCE;
    if is_hint { ", at once and without a word, as one of another dialect does" } else { "" }
}

/// What a task came to; one that panicked panics here.
fn of_task(ended: Result<Result<(), Failure>, tokio::task::JoinError>) -> Result<(), Failure> {
    match ended.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(outcome) => outcome,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Nobody cancels one.
        Err(Err(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use darkrift_tokio::proto::CloseKind;

    use super::*;

    #[test]
    fn one_that_leaves_at_once_without_a_word_may_be_of_another_dialect() {
        let hint = |initiator, kind, stayed| hint_on_silence(&CloseReason::new(initiator, kind), stayed);
        let refused = hint(Initiator::Peer, CloseKind::EndOfStream, Duration::from_millis(5));
        assert!(refused.contains("another dialect"), "{refused}");
        assert_eq!(hint(Initiator::Peer, CloseKind::EndOfStream, AT_ONCE), "");
        assert_eq!(hint(Initiator::User, CloseKind::Shutdown, Duration::ZERO), "");
    }
}
