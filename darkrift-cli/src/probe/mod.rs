//! `darkrift probe`: connects once, and says step by step what happened.

mod diagnosis;
mod handshake;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift_tokio::proto::{ConnectPhase, Dialect};
use lexopt::ValueExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant as Deadline, timeout_at};

use crate::address::HostPort;
use crate::dialect::Named;
use crate::failure::Failure;
use crate::hello::HelloFields;
use crate::output::Output;
use crate::time::{Milliseconds, parse};
use handshake::{Handshake, Step};

pub(crate) const HELP: &str = "\
usage: darkrift probe ADDR [--udp-port N] [--timeout TIME]

Connects once, and says step by step what happened and how long each step took; then leaves. Where a step fails, it
says what is most likely wrong, and the exit code is 1.

  --udp-port N    the server's UDP port, where it is not the TCP port's number
  --timeout TIME  for the whole connect; 10s unless given, as a C# client has it
";

/// How long an acknowledgement that Configure has overtaken may still take.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Options {
    address: HostPort,
    udp_port: Option<u16>,
    timeout: Duration,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut address, mut udp_port, mut timeout) = (None, None, Duration::from_secs(10));
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.parse()?),
            lexopt::Arg::Long("udp-port") => udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("timeout") => timeout = parser.value()?.parse_with(parse)?,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let address = address.ok_or("the server's address is missing")?;
    Ok(Some(Options { address, udp_port, timeout }))
}

/// Probes the server.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let mut probe = Probe { output: Output::new(), step: Instant::now() };
    let deadline = Deadline::now() + options.timeout;
    let Some(addresses) = probe.look_up(&options.address, deadline).await? else {
        return Ok(ExitCode::FAILURE);
    };
    let Some(stream) = probe.open(&addresses, deadline).await? else { return Ok(ExitCode::FAILURE) };
    let limit = deadline.saturating_duration_since(Deadline::now());
    match Handshake::new(stream, options.udp_port, limit).await {
        Ok(handshake) => probe.shake_hands(handshake).await,
        Err(error) => probe.failed(
            "UDP",
            format_args!("no socket: {error}"),
            "this machine has no way to that host on UDP",
        ),
    }
}

/// The report, step by step.
struct Probe {
    output: Output,
    /// When the last step was done.
    step: Instant,
}

impl Probe {
    /// A step was done, and the next begins.
    fn done(&mut self, step: &str, what: impl std::fmt::Display) -> Result<(), Failure> {
        self.output.line(format_args!("{step}: {what} ({})", Milliseconds(self.step.elapsed())))?;
        self.step = Instant::now();
        Ok(())
    }

    /// A step failed, and it is the last.
    fn failed(
        &mut self,
        step: &str,
        what: impl std::fmt::Display,
        likely: &str,
    ) -> Result<ExitCode, Failure> {
        self.output.line(format_args!("{step}: FAILED: {what} ({})", Milliseconds(self.step.elapsed())))?;
        self.output.line(format_args!("likely: {likely}"))?;
        Ok(ExitCode::FAILURE)
    }

    async fn look_up(
        &mut self,
        address: &HostPort,
        deadline: Deadline,
    ) -> Result<Option<Vec<SocketAddr>>, Failure> {
        let looked_up = timeout_at(deadline, addresses_of(address)).await;
        let addresses = match looked_up.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(addresses) => addresses,
            Err(error) => {
                let likely = "the name is misspelt, or no name server can be reached";
                return self
                    .failed("look-up", format_args!("{}: {error}", address.host), likely)
                    .map(|_| None);
            }
        };
        if address.is_number() {
            self.done("look-up", format_args!("{address} is a number, nothing to look up"))?;
        } else {
            let list: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
            self.done("look-up", format_args!("{} is {}", address.host, list.join(", ")))?;
        }
        Ok(Some(addresses))
    }

    /// Opens TCP to the first of the addresses that takes it, as clients do.
    async fn open(
        &mut self,
        addresses: &[SocketAddr],
        deadline: Deadline,
    ) -> Result<Option<TcpStream>, Failure> {
        for (place, &address) in addresses.iter().enumerate() {
            let until = share(Deadline::now(), deadline, addresses.len() - place);
            let opened = timeout_at(until, TcpStream::connect(address)).await;
            match opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => {
                    self.done("TCP", format_args!("connected to {address}"))?;
                    return Ok(Some(stream));
                }
                Err(error) if place + 1 == addresses.len() => {
                    let likely = diagnosis::of_tcp(error.kind());
                    self.failed("TCP", format_args!("{address}: {error}"), likely)?;
                }
                Err(error) => self.done("TCP", format_args!("not {address}: {error}"))?,
            }
        }
        Ok(None)
    }

    async fn shake_hands(&mut self, mut handshake: Handshake) -> Result<ExitCode, Failure> {
        loop {
            match handshake.next().await {
                Step::Hello(hello) => {
                    // Any nine bytes could be one; what follows them would be taken for the length of a frame.
                    if let Some(text) = diagnosis::text_at_the_beginning(handshake.first_bytes()) {
                        let likely = diagnosis::of_text(text);
                        return self.failed("hello", "what came is text", &likely);
                    }
                    self.done("hello", HelloFields(hello))?;
                }
                Step::Acknowledged(dialect) => self.acknowledged(&handshake, dialect)?,
                Step::Configured(id) => {
                    self.done("Configure", format_args!("client id {id}"))?;
                    return self.configured(handshake).await;
                }
                Step::Ended(reason) => {
                    let phase = handshake.phase().unwrap_or(ConnectPhase::Configure);
                    let likely = diagnosis::of_handshake(phase, &reason, &handshake);
                    return self.failed(step_of(phase), diagnosis::what(phase, &reason, &handshake), &likely);
                }
            }
        }
    }

    fn acknowledged(&mut self, handshake: &Handshake, dialect: Dialect) -> Result<(), Failure> {
        let (to, dialect) = (handshake.udp_address(), Named(dialect));
        match handshake.tokens_sent() {
            1 => self.done("UDP", format_args!("token sent to {to} and acknowledged, {dialect}")),
            times => {
                self.done("UDP", format_args!("token sent to {to} {times} times, acknowledged, {dialect}"))
            }
        }
    }

    /// The connection is up; that the acknowledgement has come, too, is what a client of the original needs.
    async fn configured(&mut self, mut handshake: Handshake) -> Result<ExitCode, Failure> {
        if handshake.dialect().is_none() {
            let late = tokio::time::timeout(OVERTAKEN, handshake.next()).await;
            let Ok(Step::Acknowledged(dialect)) = late else {
                return self.failed(
                    "UDP",
                    format_args!(
                        "the token came to {}, its acknowledgement did not come back",
                        handshake.udp_address()
                    ),
                    diagnosis::ONE_WAY,
                );
            };
            self.acknowledged(&handshake, dialect)?;
        }
        let clients = handshake.dialect().map_or("", diagnosis::clients_of);
        handshake.leave().await;
        self.output.line(format_args!("connected: {clients}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Until when to try one of the addresses that are left: one that says nothing leaves time to those behind it.
fn share(now: Deadline, deadline: Deadline, left: usize) -> Deadline {
    now + deadline.saturating_duration_since(now) / u32::try_from(left).unwrap_or(u32::MAX)
}

/// What a name means, at least one address.
async fn addresses_of(address: &HostPort) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = lookup_host((address.host.as_str(), address.port)).await?.collect();
    if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
}

/// The step that waits for this.
fn step_of(phase: ConnectPhase) -> &'static str {
    match phase {
        ConnectPhase::Hello => "hello",
        ConnectPhase::Acknowledgement => "UDP",
        _ => "Configure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_addresses_has_its_share_of_the_time_that_is_left() {
        let now = Deadline::now();
        let deadline = now + Duration::from_secs(9);
        let first = share(now, deadline, 3);
        assert_eq!(first - now, Duration::from_secs(3));
        // The second has failed at once.
        assert_eq!(share(first, deadline, 1), deadline);
        assert_eq!(share(deadline + Duration::from_secs(1), deadline, 2), deadline + Duration::from_secs(1));
    }
}
