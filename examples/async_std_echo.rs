//! An echo server and a client of it on async-std, in one program: a thousand messages there and back, each way of sending.
//!
//! async-std is discontinued upstream: new games start on smol, where the same program differs in two names.

use std::error::Error;

use darkrift::async_std::{Client, Server};
use darkrift::{Message, SendMode};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(argument) = std::env::args().nth(1) {
        return Err(format!("async_std_echo takes no arguments, and was given {argument}").into());
    }
    async_std::task::block_on(async {
        let server = Server::bind("127.0.0.1:0").await?;
        println!("listening on {}", server.local_addr());
        async_std::task::spawn(serve(server.clone()));

        let client = Client::connect(server.local_addr()).await?;
        for mode in [SendMode::Reliable, SendMode::Unreliable] {
            for number in 0..1_000_u32 {
                let message = Message::encode(1, &number)?;
                client.send(mode, &message).await?;
                let answer = client.recv().await.ok_or("the server has left")?;
                assert_eq!((answer.message(), answer.send_mode()), (&message, mode));
            }
            println!("1,000 messages came back, {mode:?}");
        }
        client.close().await;
        server.shutdown().await;
        Ok(())
    })
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
