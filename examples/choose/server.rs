//! The server's side: answers one question of one client, ten times over.

use darkrift::SendMode;
use darkrift::tokio::Client;

use crate::BoxError;
use crate::messages::{Choice, Choose};

const CHOICES: usize = 10;

/// Waits for the question, sends ten choices, and closes the connection.
pub(crate) async fn answer(client: &Client) -> Result<(), BoxError> {
    let Some(received) = client.recv().await else {
        return Err(format!("no question: {}", client.closed().await).into());
    };
    let Choose { items } = received.decode_strict()?;
    println!("server: client {} asks to choose from {} items", client.id(), items.len());
    for _ in 0..CHOICES {
        let item = fastrand::choice(&items).copied().ok_or("there is nothing to choose from")?;
        println!("server: I choose {item}");
        client.send(SendMode::Reliable, &Choice { item }).await?;
    }
    client.close().await;
    Ok(())
}
