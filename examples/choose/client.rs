//! The client's side: asks once, and checks every answer.

use std::iter::repeat_with;
use std::time::Duration;

use darkrift::SendMode;
use darkrift::tokio::Client;
use tokio::time::timeout;

use crate::BoxError;
use crate::messages::{Choice, Choose};

const ITEMS: usize = 20;
const CHOICES: usize = 10;

/// How long the server may take for a choice.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends twenty random numbers, and takes ten choices from among them.
pub(crate) async fn ask(client: &Client) -> Result<(), BoxError> {
    let items: Vec<i32> = repeat_with(|| fastrand::i32(..)).take(ITEMS).collect();
    println!("client: choose from {items:?}");
    let question = Choose { items };
    client.send(SendMode::Reliable, &question).await?;
    for number in 1..=CHOICES {
        let within = timeout(PATIENCE, client.recv()).await;
        let Some(received) = within.map_err(|_| format!("no choice {number} within {PATIENCE:?}"))? else {
            return Err(format!("no choice {number}: {}", client.closed().await).into());
        };
        let Choice { item } = received.decode_strict()?;
        if !question.items.contains(&item) {
            return Err(format!("choice {number} is {item}, which is none of the items").into());
        }
        println!("client: choice {number} is {item}");
    }
    Ok(())
}
