//! Sends twenty numbers to a choose server, ours or DarkRiftPy's, and checks ten of its choices.
//!
//! `choose_client [ADDR]`

#[path = "choose/client.rs"]
mod client;
#[path = "choose/messages.rs"]
mod messages;

use std::error::Error;
use std::process::ExitCode;

use darkrift::tokio::Client;
use lexopt::ValueExt;

type BoxError = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: choose_client [ADDR]      (ADDR is 127.0.0.1:4296 unless given)";

fn address() -> Result<String, lexopt::Error> {
    let mut address = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) if address.is_none() => address = Some(value.string()?),
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(address.unwrap_or_else(|| "127.0.0.1:4296".into()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let address = match address() {
        Ok(address) => address,
        Err(error) => {
            eprintln!("choose_client: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match play(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("choose_client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(address: String) -> Result<(), BoxError> {
    let client = Client::connect(address).await?;
    println!("client: connected to {} as client {}", client.tcp_address(), client.id());
    client::ask(&client).await?;
    client.close().await;
    Ok(())
}
