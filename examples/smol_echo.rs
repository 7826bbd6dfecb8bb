//! An echo server and a client of it on smol, in one program: a thousand messages there and back, each way of sending.

use std::error::Error;

use darkrift::smol::{Client, Server};
use darkrift::{Message, SendMode};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(argument) = std::env::args().nth(1) {
        return Err(format!("smol_echo takes no arguments, and was given {argument}").into());
    }
    smol::block_on(async {
        let server = Server::bind("127.0.0.1:0").await?;
        println!("listening on {}", server.local_addr());
        smol::spawn(serve(server.clone())).detach();

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
        smol::spawn(echo(client)).detach();
    }
}

async fn echo(client: Client) {
    while let Some(received) = client.recv().await {
        let _ = client.send(received.send_mode(), received.message()).await;
    }
    println!("client {} left: {}", client.id(), client.closed().await);
}
