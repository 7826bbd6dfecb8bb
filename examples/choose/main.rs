//! A server and a client in one process: the client sends twenty numbers, and the server chooses among them, ten
//! times over.
//!
//! `choose`

mod client;
mod messages;
mod server;

use std::error::Error;
use std::process::ExitCode;

use darkrift::tokio::{Client, Server};

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    if let Ok(Some(argument)) = lexopt::Parser::from_env().next() {
        if argument == lexopt::Arg::Long("help") || argument == lexopt::Arg::Short('h') {
            println!("usage: choose");
            return ExitCode::SUCCESS;
        }
        eprintln!("choose: {}\nusage: choose", argument.unexpected());
        return ExitCode::from(2);
    }
    match play().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("choose: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<(), BoxError> {
    let server = Server::bind("127.0.0.1:0").await?;
    println!("server: listening on {}", server.local_addr());
    let address = server.local_addr();
    let serving = tokio::spawn(async move {
        let client = server.accept().await.ok_or("the server stopped")?;
        server::answer(&client).await
    });

    let client = Client::connect(address).await?;
    println!("client: connected as client {}", client.id());
    client::ask(&client).await?;
    client.close().await;
    serving.await?
}
