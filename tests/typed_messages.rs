//! A connection's messages as a set of types, over real sockets.
#![cfg(all(feature = "tokio", feature = "derive"))]

use std::pin::pin;
use std::task::Context;

use darkrift::tokio::{Client, Server};
use darkrift::{Encoding, Message, MessageSet, SendMode};
use futures_core::Stream;

#[derive(Message, Debug, PartialEq, Clone)]
#[darkrift(tag = 1)]
struct Choose {
    items: Vec<i32>,
}

#[derive(Message, Debug, PartialEq, Clone)]
#[darkrift(tag = 2)]
struct Choice {
    name: String,
}

#[derive(MessageSet, Debug, PartialEq)]
enum GameMessage {
    Choose(Choose),
    Choice(Choice),
}

/// A client and the server's handle of it.
async fn pair(encoding: Encoding) -> (Server, Client, Client) {
    let server = Server::builder().encoding(encoding).bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder().encoding(encoding).connect(server.local_addr()).await.unwrap();
    let accepted = server.accept().await.unwrap();
    (server, client, accepted)
}

#[tokio::test]
async fn messages_come_as_their_types_in_order_and_the_stream_ends_with_the_connection() {
    let (_server, client, accepted) = pair(Encoding::default()).await;
    let choose = Choose { items: vec![1, -2, 3] };
    let choice = Choice { name: "grün".into() };
    client.send(SendMode::Reliable, &choose).await.unwrap();
    client.send(SendMode::Reliable, &GameMessage::Choice(choice.clone())).await.unwrap();
    client.close().await;

    let mut messages = accepted.messages::<GameMessage>();
    assert_eq!(messages.next().await.unwrap().unwrap(), GameMessage::Choose(choose));
    assert_eq!(messages.next().await.unwrap().unwrap(), GameMessage::Choice(choice));
    assert!(messages.next().await.is_none());
    assert!(messages.next().await.is_none());
    // As a stream it ends, too.
    assert!(pin!(messages).poll_next(&mut Context::from_waker(std::task::Waker::noop())).is_ready());
}

#[tokio::test]
async fn acknowledgements_of_pings_are_no_messages_of_a_set() {
    let (_server, client, accepted) = pair(Encoding::default()).await;
    client.ping(SendMode::Reliable, &Choose { items: vec![1] }).await.unwrap();
    let mut served = accepted.messages::<GameMessage>();
    assert_eq!(served.next().await.unwrap().unwrap(), GameMessage::Choose(Choose { items: vec![1] }));
    accepted.send(SendMode::Reliable, &Choose { items: vec![2] }).await.unwrap();
    let mut messages = client.messages::<GameMessage>();
    assert_eq!(messages.next().await.unwrap().unwrap(), GameMessage::Choose(Choose { items: vec![2] }));
    assert!(client.round_trip().is_some(), "it came first");
}

#[tokio::test]
async fn a_message_that_is_none_of_the_set_is_given_back_and_the_stream_goes_on() {
    let (_server, client, accepted) = pair(Encoding::default()).await;
    let stranger = Message::new(77, &b"what is this"[..]);
    let cut_short = Message::new(1, &[0, 0, 0, 9, 0][..]);
    client.send(SendMode::Reliable, &stranger).await.unwrap();
    client.send(SendMode::Reliable, &cut_short).await.unwrap();
    client.send(SendMode::Reliable, &Choose { items: vec![] }).await.unwrap();

    let mut messages = accepted.messages::<GameMessage>();
    let undecodable = messages.next().await.unwrap().unwrap_err();
    assert_eq!(undecodable.message.message(), &stranger);
    assert!(undecodable.to_string().contains("77"), "{undecodable}");
    let undecodable = messages.next().await.unwrap().unwrap_err();
    assert_eq!(undecodable.message.message(), &cut_short);
    assert!(undecodable.to_string().contains("Choose.items"), "{undecodable}");
    assert_eq!(messages.next().await.unwrap().unwrap(), GameMessage::Choose(Choose { items: vec![] }));
}

#[tokio::test]
async fn a_connection_with_another_encoding_reads_and_writes_text_in_it() {
    let (_server, client, accepted) = pair(Encoding::Utf8).await;
    let choice = Choice { name: "grün".into() };
    client.send(SendMode::Unreliable, &choice).await.unwrap();
    let received = accepted.recv().await.unwrap();
    assert_eq!(&received.payload()[..], b"\0\0\0\x05gr\xc3\xbcn");
    assert_eq!(received.decode::<Choice>().unwrap(), choice);
    assert_eq!(accepted.close_reason(), None);
}
