//! Clients that came, sent something, and went before anyone accepted them.

use darkrift_driver::proto::Message;
use darkrift_tokio::{Client, Server};
use futures::FutureExt;

use crate::{RELIABLE, bind, on_tokio, until};

#[test]
fn of_those_that_left_before_anyone_accepted_the_last_are_kept_and_of_those_that_stayed_all() {
    const VISITORS: u16 = 1600;
    const STAYING: [u16; 3] = [0, 700, VISITORS - 1];
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
        assert!((512..=1024).contains(&left.len()), "{} are kept", left.len());
        let last = VISITORS - 1 - left.len() as u16..VISITORS - 1;
        assert_eq!(left, last.collect::<Vec<_>>(), "they are the last ones, in the order in which they came");
    });
}

/// Lets so many clients come, send so many bytes, and leave; gives what each of those that are kept has sent.
async fn visits(count: u16, bytes: usize) -> Vec<Message> {
    let server = bind(Server::builder()).await;
    for number in 0..count {
        let client = Client::connect(server.local_addr()).await.unwrap();
        client.send(RELIABLE, &Message::new(number, vec![0; bytes])).await.unwrap();
        client.close().await;
    }
    until(|| server.is_empty()).await;
    let mut kept = Vec::new();
    while let Some(accepted) = server.accept().now_or_never() {
        let served = accepted.expect("the server runs");
        kept.push(served.recv().await.expect("what it sent is kept").message().clone());
    }
    kept
}

#[test]
fn of_those_that_left_hundreds_are_all_kept() {
    on_tokio(async {
        let kept = visits(400, 1).await;
        assert!(kept.iter().map(Message::tag).eq(0..400));
    });
}

#[test]
fn of_those_that_left_as_many_are_kept_as_have_sent_a_few_mebibytes() {
    const EACH: usize = 60_000;
    const VISITORS: u16 = 300;
    on_tokio(async {
        let kept = visits(VISITORS, EACH).await;
        assert!((4 << 20..8 << 20).contains(&(kept.len() * EACH + EACH)), "{} are kept", kept.len());
        assert!(kept.iter().map(Message::tag).eq(VISITORS - kept.len() as u16..VISITORS));
        assert!(kept.iter().all(|message| message.payload().len() == EACH));
    });
}
