//! A thousand messages there and back, in order.

use darkrift::tokio::Client;
use darkrift::{Dialect, Encoding, Message, SendMode, Writer};
use tokio::time::timeout;

use crate::program::Program;
use crate::{PATIENCE, legacy_server};

const COUNT: u32 = 1000;

/// How many reliable messages are on the way at once: all of them, but for one that would show a lost order.
const RELIABLE_WINDOW: u32 = COUNT;

/// How many unreliable messages are on the way at once, so that no socket's buffer overflows.
const UNRELIABLE_WINDOW: u32 = 10;

#[tokio::test]
async fn its_client_gets_a_thousand_reliable_messages_back_from_our_server_in_order() {
    its_client_with_our_server(SendMode::Reliable, RELIABLE_WINDOW).await;
}

#[tokio::test]
async fn its_client_gets_a_thousand_unreliable_messages_back_from_our_server_in_order() {
    its_client_with_our_server(SendMode::Unreliable, UNRELIABLE_WINDOW).await;
}

#[tokio::test]
async fn our_client_gets_a_thousand_reliable_messages_back_from_its_server_in_order() {
    our_client_with_its_server(SendMode::Reliable, RELIABLE_WINDOW).await;
}

#[tokio::test]
async fn our_client_gets_a_thousand_unreliable_messages_back_from_its_server_in_order() {
    our_client_with_its_server(SendMode::Unreliable, UNRELIABLE_WINDOW).await;
}

async fn its_client_with_our_server(mode: SendMode, window: u32) {
    let server = legacy_server().await;
    let port = server.local_addr().port().to_string();
    let program =
        Program::python("counting_client.py", &[&port, word(mode), &COUNT.to_string(), &window.to_string()]);

    let client =
        timeout(PATIENCE, server.accept()).await.expect("it connects in time").expect("the server is open");
    let mut numbers = Vec::new();
    while let Some(received) = timeout(PATIENCE, client.recv()).await.expect("it sends, or leaves, in time") {
        assert_eq!(received.send_mode(), mode);
        let number = received.tag().into();
        assert_eq!(received.message(), &message(number));
        numbers.push(number);
        client.send(received.send_mode(), received.message()).await.expect("it takes the answer");
    }

    assert!(numbers.into_iter().eq(0..COUNT));
    assert_eq!(
        program.finish().await,
        [format!("client {}: {COUNT} messages came back in order", client.id())]
    );
}

async fn our_client_with_its_server(mode: SendMode, window: u32) {
    let (_program, port) = Program::python_server("echo_server.py", &[word(mode)]).await;
    let client = Client::connect(("127.0.0.1", port)).await.expect("its server takes our client");
    assert_eq!(client.dialect(), Some(Dialect::Legacy));

    for number in 0..COUNT + window {
        if number < COUNT {
            client.send(mode, &message(number)).await.expect("its server takes the message");
        }
        if let Some(expected) = number.checked_sub(window) {
            let received = timeout(PATIENCE, client.recv()).await.expect("it answers in time");
            let received = received.unwrap_or_else(|| panic!("it left: {:?}", client.close_reason()));
            assert_eq!(received.message(), &message(expected));
            assert_eq!(received.send_mode(), mode);
        }
    }
    client.close().await;
}

/// What `counting_client.py` sends, too.
fn message(number: u32) -> Message {
    let mut writer = Writer::new().with_encoding(Encoding::Utf8);
    writer.write_u32(number);
    writer.write_string(&format!("message {number}")).expect("it is short");
    Message::new(number as u16, writer.into_bytes())
}

const fn word(mode: SendMode) -> &'static str {
    match mode {
        SendMode::Reliable => "reliable",
        SendMode::Unreliable => "unreliable",
    }
}
