//! An echo server and a client of it on smol, in one program: a thousand messages there and back, each way of sending.
//!
//! `smol_echo`
//!
//! A game that depends on `darkrift` has these names in `darkrift::smol`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use darkrift_smol::proto::{Message, SendMode};
use darkrift_smol::{Client, Server};
use smol::Timer;

/// What was sent unreliably and has not come back by then is lost.
const LIMIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    if let Ok(Some(argument)) = lexopt::Parser::from_env().next() {
        if argument == lexopt::Arg::Long("help") || argument == lexopt::Arg::Short('h') {
            println!("usage: smol_echo");
            return ExitCode::SUCCESS;
        }
        eprintln!("smol_echo: {}\nusage: smol_echo", argument.unexpected());
        return ExitCode::from(2);
    }
    match smol::block_on(exchange()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smol_echo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn exchange() -> Result<(), Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0").await?;
    println!("listening on {}", server.local_addr());
    smol::spawn(serve(server.clone())).detach();

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
    smol::future::or(answer, async {
        Timer::after(LIMIT).await;
        Ok(false)
    })
    .await
}

async fn serve(server: Server) {
    while let Some(client) = server.accept().await {
        smol::spawn(echo(client)).detach();
    }
}

async fn echo(client: Client) {
    while let Some(received) = client.recv().await {
        let _ = client.send(received.send_mode(), received.message()).await;
    }
    println!("client {} left: {}", client.id(), client.closed().await);
}
