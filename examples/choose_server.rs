//! Takes twenty numbers from each client, ours or DarkRiftPy's, and chooses among them, ten times over.
//!
//! `choose_server [--listen ADDR] [--dialect v1|v0|legacy]`

#[path = "choose/messages.rs"]
mod messages;
#[path = "choose/server.rs"]
mod server;

use std::error::Error;
use std::process::ExitCode;

use darkrift::Dialect;
use darkrift::tokio::Server;
use lexopt::ValueExt;

type BoxError = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: choose_server [--listen ADDR] [--dialect v1|v0|legacy]
       (ADDR is 0.0.0.0:4296 unless given; the dialect is legacy, so that DarkRiftPy may join)";

struct Arguments {
    listen: String,
    dialect: Dialect,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments { listen: "0.0.0.0:4296".into(), dialect: Dialect::Legacy };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("listen") => arguments.listen = parser.value()?.string()?,
            lexopt::Arg::Long("dialect") => arguments.dialect = parser.value()?.parse()?,
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
            eprintln!("choose_server: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let server = match Server::builder().dialect(arguments.dialect).bind(arguments.listen).await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("choose_server: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("listening on {}", server.local_addr());
    while let Some(client) = server.accept().await {
        println!("server: client {} connected from {}", client.id(), client.tcp_address());
        tokio::spawn(async move {
            if let Err(error) = server::answer(&client).await {
                println!("server: client {}: {error}", client.id());
            }
            println!("server: client {} left: {}", client.id(), client.closed().await);
        });
    }
    ExitCode::SUCCESS
}
