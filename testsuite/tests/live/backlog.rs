//! Clients that came, sent something, and went before anyone accepted them.

use darkrift_driver::proto::Message;
use darkrift_tokio::{Client, Server};
use futures::FutureExt;

use crate::{RELIABLE, bind, on_tokio, until};

#[test]
fn of_those_that_left_before_anyone_accepted_the_last_are_kept_and_of_those_that_stayed_all() {
    const VISITORS: u16 = 600;
    const STAYING: [u16; 3] = [0, 200, 599];
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let mut staying = Vec::new();
        for number in 0..VISITORS {
            let client = Client::connect(server.local_addr()).await.unwrap();
            client.send(RELIABLE, &Message::empty(number)).await.unwrap();
            if STAYING.contains(&number) {
                staying.push(client);
            } else {
                client.close().await;
            }
        }
        until(|| server.len() == staying.len()).await;
        let (mut left, mut stayed) = (Vec::new(), Vec::new());
        while let Some(accepted) = server.accept().now_or_never() {
            let served = accepted.expect("the server runs");
            let number = served.recv().await.expect("what it sent is kept").tag();
            if STAYING.contains(&number) {
                assert!(served.is_connected());
                stayed.push(number);
            } else {
                assert!(served.recv().await.is_none());
                left.push(number);
            }
        }
        assert_eq!(stayed, STAYING);
        assert!((32..=64).contains(&left.len()), "{} are kept", left.len());
        let last = VISITORS - 1 - left.len() as u16..VISITORS - 1;
        assert_eq!(left, last.collect::<Vec<_>>(), "they are the last ones, in the order in which they came");
    });
}

#[test]
fn of_those_that_left_a_few_are_all_kept() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        for number in 0..32 {
            let client = Client::connect(server.local_addr()).await.unwrap();
            client.send(RELIABLE, &Message::empty(number)).await.unwrap();
            client.close().await;
        }
        until(|| server.is_empty()).await;
        for number in 0..32 {
            let served = server.accept().await.expect("the server runs");
            assert_eq!(served.recv().await.expect("what it sent is kept").tag(), number);
        }
    });
}
