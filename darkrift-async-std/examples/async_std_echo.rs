//! An echo server and a client of it on async-std, in one program: a thousand messages there and back, each way of sending.
//!
//! `async_std_echo`
//!
//! A game that depends on `darkrift` has these names in `darkrift::async_std`.
//!
//! async-std is discontinued upstream: new games start on smol, where the same program differs in two names.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use darkrift_async_std::proto::{Message, SendMode};
use darkrift_async_std::{Client, Server};

/// What was sent unreliably and has not come back by then is lost.
const LIMIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    if let Ok(Some(argument)) = lexopt::Parser::from_env().next() {
        if argument == lexopt::Arg::Long("help") || argument == lexopt::Arg::Short('h') {
            println!("usage: async_std_echo");
            return ExitCode::SUCCESS;
        }
        eprintln!("async_std_echo: {}\nusage: async_std_echo", argument.unexpected());
        return ExitCode::from(2);
    }
    match async_std::task::block_on(exchange()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("async_std_echo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn exchange() -> Result<(), Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0").await?;
    println!("listening on {}", server.local_addr());
    async_std::task::spawn(serve(server.clone()));

    let client = Client::connect(server.local_addr()).await?;
    for mode in [SendMode::Reliable, SendMode::Unreliable] {
        let mut returned = 0;
        for number in 0..1_000_u32 {
            let message = Message::encode(1, &number)?;
            client.send(mode, &message).await?;
            if answered(&client, mode, &message).await? {
                returned += 1;
            } else {
                println!("message {number} was lost, {mode:?}");
            }
        }
        println!("{returned} messages came back, {mode:?}");
    }
    client.close().await;
    server.shutdown().await;
    Ok(())
}

/// Whether a message comes back. Only what is sent unreliably may be lost.
async fn answered(client: &Client, mode: SendMode, message: &Message) -> Result<bool, Box<dyn Error>> {
    let answer = async {
        loop {
            let received = client.recv().await.ok_or("the server has left")?;
            if (received.message(), received.send_mode()) == (message, mode) {
                return Ok(true);
            }
            // Not lost, only later than anybody waited.
            assert_eq!(received.send_mode(), SendMode::Unreliable, "what is reliable comes in order");
        }
    };
    if mode == SendMode::Reliable {
        return answer.await;
    }
    async_std::future::timeout(LIMIT, answer).await.unwrap_or(Ok(false))
}

async fn serve(server: Server) {
    while let Some(client) = server.accept().await {
        async_std::task::spawn(echo(client));
    }
}

async fn echo(client: Client) {
    while let Some(received) = client.recv().await {
        let _ = client.send(received.send_mode(), received.message()).await;
    }
    println!("client {} left: {}", client.id(), client.closed().await);
}
