//! Our client and server against the original's, live: `interop/csharp/run` compiles its programs, and runs these tests.

mod every_type;
mod game_loop;
mod our_client;
mod our_client_ends;
mod our_server;
mod our_server_ends;
mod program;

use std::time::Duration;

use darkrift::tokio::Client;
use darkrift::{Dialect, Message, Received, SendMode};
use tokio::time::timeout;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tags that mean something to the programs (`Common.cs`).
const PATTERN: u16 = 10;
const BURST: u16 = 11;
const EVERY_TYPE: u16 = 12;
const TEXT: u16 = 13;

/// The most that a payload can be: a datagram's, less its header, and a frame's.
const LARGEST_DATAGRAM: usize = 65_507 - 3;
const LARGEST_FRAME: usize = 65_534 - 3;

/// The version of the protocol that the original's server is to speak, and ours with its clients.
fn protocol() -> u8 {
    number("DARKRIFT_INTEROP_PROTOCOL")
}

/// The newest version of the protocol that this version of the original speaks: 0 is 2.10, and 1 is 2.11.
fn newest_protocol() -> u8 {
    number("DARKRIFT_INTEROP_NEWEST")
}

fn number(variable: &str) -> u8 {
    let set = std::env::var(variable).ok().and_then(|set| set.parse().ok());
    set.unwrap_or_else(|| panic!("{variable} is not set; run these tests with interop/csharp/run"))
}

fn dialect() -> Dialect {
    if protocol() == 0 { Dialect::V0 } else { Dialect::V1 }
}

/// A message whose bytes follow from their number (`Payload` in `Common.cs`).
fn pattern(length: usize) -> Message {
    Message::new(PATTERN, (0..length).map(|i| (i * 31 + length) as u8).collect::<Vec<u8>>())
}

/// Each channel with payloads from none to the longest.
fn sizes() -> impl Iterator<Item = (SendMode, usize)> {
    let reliable = [0, 1, 1_024, 60 * 1_024, LARGEST_FRAME].map(|size| (SendMode::Reliable, size));
    let unreliable = [0, 1, 1_024, 60 * 1_024, LARGEST_DATAGRAM].map(|size| (SendMode::Unreliable, size));
    reliable.into_iter().chain(unreliable)
}

async fn received(client: &Client) -> Received {
    timeout(PATIENCE, client.recv()).await.expect("it comes in time").expect("the connection is up")
}

/// Sends numbers in order, and then how many they were.
async fn burst(client: &Client, count: i32) {
    numbers(client, SendMode::Reliable, count).await;
    burst_end(client, count).await;
}

async fn numbers(client: &Client, mode: SendMode, count: i32) {
    for number in 0..count {
        client
            .send(mode, &Message::encode(BURST, &number).expect("a number"))
            .await
            .expect("it is connected");
    }
}

async fn burst_end(client: &Client, count: i32) {
    let end = Message::encode(BURST, &(-1 - count)).expect("a number");
    client.send(SendMode::Reliable, &end).await.expect("it is connected");
}

/// Takes a burst: how many of its numbers came, and how many of them not in their place.
async fn take_burst(client: &Client) -> (i32, usize) {
    let (mut expected, mut out_of_order) = (0, 0);
    loop {
        let number: i32 = received(client).await.decode().expect("a number");
        if number < 0 {
            return (expected, out_of_order);
        }
        out_of_order += usize::from(number != expected);
        expected += 1;
    }
}

/// A burst was taken whole by one of the original's programs. 2.10 has several threads take what one connection brings, so
/// that its handlers may run in another order, also with a peer of its own.
fn assert_in_order(told: &str, count: usize) {
    if newest_protocol() >= 1 {
        assert_eq!(told, format!("{count} of {count}, 0 out of order"));
    } else {
        assert!(told.starts_with(&format!("{count} of {count}, ")), "{told}");
    }
}
