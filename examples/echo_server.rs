//! Returns every message with its tag on the channel it came on. Pings are acknowledged, and not returned.
//!
//! `echo_server [--listen ADDR] [--udp-port N] [--dialect v1|v0|legacy] [--max-strikes N]`

use std::process::ExitCode;

use darkrift::tokio::{Client, Server};
use darkrift::{Dialect, MessageKind};
use lexopt::ValueExt;

const USAGE: &str =
    "usage: echo_server [--listen ADDR] [--udp-port N] [--dialect v1|v0|legacy] [--max-strikes N]";

struct Arguments {
    listen: String,
    udp_port: Option<u16>,
    dialect: Dialect,
    max_strikes: u32,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments =
        Arguments { listen: "0.0.0.0:4296".into(), udp_port: None, dialect: Dialect::V1, max_strikes: 3 };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("listen") => arguments.listen = parser.value()?.string()?,
            lexopt::Arg::Long("udp-port") => arguments.udp_port = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("dialect") => arguments.dialect = parser.value()?.parse()?,
            lexopt::Arg::Long("max-strikes") => arguments.max_strikes = parser.value()?.parse()?,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(arguments)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("echo_server: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut builder = Server::builder().dialect(arguments.dialect).max_strikes(arguments.max_strikes);
    if let Some(port) = arguments.udp_port {
        builder = builder.udp_port(port);
    }
    let server = match builder.bind(arguments.listen).await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("echo_server: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("listening on {}", server.local_addr());
    while let Some(client) = server.accept().await {
        println!("client {} connected from {}", client.id(), client.tcp_address());
        tokio::spawn(echo(client));
    }
    ExitCode::SUCCESS
}

async fn echo(client: Client) {
    while let Some(received) = client.recv().await {
        if received.kind() != MessageKind::Ordinary {
            continue;
        }
        if let Err(error) = client.send(received.send_mode(), received.message()).await {
            println!("client {}: a message could not be returned: {error}", client.id());
        }
    }
    println!("client {} left: {}", client.id(), client.closed().await);
}
