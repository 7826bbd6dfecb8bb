//! One message to many: to whom it goes, and who is told to be behind.

use std::collections::BTreeMap;

use darkrift_driver::Behind;
use darkrift_driver::proto::{ClientId, CloseKind, Initiator, Message, SendMode};
use darkrift_tokio::{Client, Server};

use crate::{RELIABLE, UNRELIABLE, bind, crowd, on_tokio, until, works};

/// Bytes of a payload, of which few fill a queue.
const LONG: usize = 60_000;
/// The tag of what everyone gets behind the rest.
const END: u16 = 9999;

fn long(tag: u16) -> Message {
    Message::new(tag, vec![0; LONG])
}

fn id(number: u16) -> ClientId {
    ClientId::new(number)
}

#[test]
fn a_client_that_nobody_has_accepted_yet_gets_a_broadcast_too() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let client = Client::connect(server.local_addr()).await.unwrap();
        for (number, mode) in [RELIABLE, UNRELIABLE].into_iter().enumerate() {
            let tag = number as u16;
            let report = server.broadcast(mode, &Message::empty(tag)).unwrap();
            assert_eq!((report.sent, report.behind), (1, vec![]));
            assert_eq!(client.recv().await.expect("it is open").tag(), tag);
        }
        assert_eq!(server.accept().await.expect("it runs").id(), client.id());
    });
}

#[test]
fn whoever_reads_too_slowly_is_listed_and_misses_that_message_and_no_other() {
    on_tokio(async {
        let (server, clients, _served) = crowd(Server::builder(), 3).await;
        let fast = &clients[1];
        let mut sent: BTreeMap<ClientId, Vec<u16>> = BTreeMap::new();
        let mut missed: BTreeMap<ClientId, u64> = BTreeMap::new();
        let mut tag = 0;
        while missed.len() < 2 {
            let report = server.broadcast(RELIABLE, &long(tag)).unwrap();
            assert_eq!(report.sent + report.behind.len(), 3);
            for client in clients.iter().map(Client::id) {
                if report.behind.contains(&client) {
                    *missed.entry(client).or_default() += 1;
                } else {
                    sent.entry(client).or_default().push(tag);
                }
            }
            // It has everything before the next one is sent, while the others take nothing.
            assert_eq!(fast.recv().await.expect("it is open").tag(), tag);
            tag += 1;
        }
        assert_eq!(missed.keys().map(|id| id.get()).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(server.statistics().behind, missed.values().sum::<u64>());
        for client in [&clients[0], &clients[2]] {
            for tag in &sent[&client.id()] {
                assert_eq!(client.recv().await.expect("it is not disconnected").tag(), *tag);
            }
        }
        let report = server.broadcast(RELIABLE, &long(END)).unwrap();
        assert_eq!((report.sent, report.behind), (3, vec![]), "all have caught up");
        for client in &clients {
            assert_eq!(client.recv().await.expect("it is open").tag(), END);
        }
    });
}

#[test]
fn whoever_reads_too_slowly_is_disconnected_where_the_server_says_so() {
    on_tokio(async {
        let (server, clients, served) = crowd(Server::builder().behind(Behind::Disconnect), 2).await;
        let (slow, fast) = (&clients[0], &clients[1]);
        let report = loop {
            let report = server.broadcast(RELIABLE, &long(1)).unwrap();
            assert_eq!(fast.recv().await.expect("it is open").tag(), 1);
            if report.sent < 2 {
                break report;
            }
        };
        assert_eq!((report.sent, report.behind), (1, vec![slow.id()]));
        let reason = served[0].closed().await;
        assert_eq!(reason.initiator, Initiator::Local);
        let CloseKind::Behind { queued } = reason.kind else { panic!("{reason}") };
        assert!(queued > 0);
        until(|| server.len() == 1).await;
        assert_eq!((server.statistics().behind, server.statistics().closed_by_protocol), (1, 1));
        works(fast, &served[1]).await;
        assert_eq!(server.broadcast(RELIABLE, &long(END)).unwrap().sent, 1);
    });
}

#[test]
fn a_broadcast_reports_in_the_order_of_its_group_whom_it_could_not_reach() {
    on_tokio(async {
        let (server, _clients, _served) = crowd(Server::builder(), 3).await;
        let group = [2, 0, 2].map(id);
        loop {
            let report = server.broadcast_to(group, RELIABLE, &long(1)).unwrap();
            assert_eq!(report.sent + report.behind.len(), group.len());
            if report.sent == 0 {
                break assert_eq!(report.behind, group);
            }
            tokio::task::yield_now().await;
        }
    });
}

/// Sees that each client has got these messages, and nothing besides.
async fn expect_only(server: &Server, mode: SendMode, clients: &[Client], expected: &[&[u16]]) {
    assert_eq!(server.broadcast(mode, &Message::empty(END)).unwrap().sent, clients.len());
    for (client, expected) in clients.iter().zip(expected) {
        let mut got = Vec::new();
        while got.last() != Some(&END) {
            got.push(client.recv().await.expect("it is open").tag());
        }
        assert_eq!(got, [expected, &[END][..]].concat(), "client {}", client.id());
    }
}

#[test]
fn a_broadcast_goes_to_all_and_one_with_an_exception_to_all_but_that() {
    on_tokio(async {
        let (server, clients, _served) = crowd(Server::builder(), 3).await;
        for mode in [RELIABLE, UNRELIABLE] {
            let report = server.broadcast(mode, &Message::empty(1)).unwrap();
            assert_eq!((report.sent, report.behind), (3, vec![]));
            assert_eq!(server.broadcast_except(id(1), mode, &Message::empty(2)).unwrap().sent, 2);
            let encoded = server.encode(&Message::empty(3)).unwrap();
            assert_eq!(server.broadcast_encoded(mode, &encoded, Some(id(0))).unwrap().sent, 2);
            assert_eq!(server.broadcast_except(id(7), mode, &Message::empty(4)).unwrap().sent, 3);
            expect_only(&server, mode, &clients, &[&[1, 2, 4], &[1, 3, 4], &[1, 2, 3, 4]]).await;
        }
        assert_eq!(server.statistics().behind, 0);
    });
}

#[test]
fn a_message_to_a_group_goes_to_those_who_are_named_as_often_as_they_are() {
    on_tokio(async {
        let (server, mut clients, mut served) = crowd(Server::builder(), 5).await;
        // One has left, one is leaving, and one never came: all are passed over.
        clients.remove(3).close().await;
        until(|| server.len() == 4).await;
        let leaving = (clients.remove(1), served.remove(1));
        for mode in [RELIABLE, UNRELIABLE] {
            drop(leaving.1.close());
            let group = [4, 3, 700, 1, 0, 4].map(id);
            assert_eq!(server.broadcast_to(group, mode, &Message::empty(1)).unwrap().sent, 3);
            assert_eq!(server.broadcast_to([id(2)], mode, &Message::empty(2)).unwrap().sent, 1);
            // The ids may be borrowed, and who gives them may use the server meanwhile.
            let room: Vec<_> = group.into_iter().filter(|id| server.get(*id).is_some()).collect();
            assert_eq!(server.broadcast_to(&room, mode, &Message::empty(3)).unwrap().sent, 3);
            let lazy = group.iter().filter(|id| server.get(**id).is_some() && !server.is_empty());
            assert_eq!(server.broadcast_to(lazy, mode, &Message::empty(4)).unwrap().sent, 3);
            let encoded = server.encode(&Message::empty(6)).unwrap();
            assert_eq!(server.broadcast_encoded_to(group, mode, &encoded).unwrap().sent, 3);
            assert_eq!(server.broadcast_encoded_to([id(2)], mode, &encoded).unwrap().sent, 1);
            let nobody =
                server.broadcast_to(std::iter::empty::<ClientId>(), mode, &Message::empty(5)).unwrap();
            assert_eq!((nobody.sent, nobody.behind), (0, vec![]));
            expect_only(&server, mode, &clients, &[&[1, 3, 4, 6], &[2, 6], &[1, 1, 3, 3, 4, 4, 6, 6]]).await;
        }
        while let Some(received) = leaving.0.recv().await {
            assert_eq!(received.tag(), END, "a message to others");
        }
    });
}
