//! What handles do: whom a server finds, what keeps a connection open, and ends that nobody waits for.

use std::net::UdpSocket;

use darkrift_driver::proto::{
    CloseKind, CloseReason, DecodeError, Initiator, Message, MessageKind, MessageSet,
};
use darkrift_tokio::Server;

use crate::{RELIABLE, UNRELIABLE, bind, crowd, join, on_tokio, until, works};

#[test]
fn a_server_does_not_give_a_client_whose_connection_has_closed() {
    on_tokio(async {
        let (server, clients, served) = crowd(Server::builder(), 3).await;
        let found =
            |server: &Server| server.clients().iter().map(|client| client.id().get()).collect::<Vec<_>>();
        assert_eq!(found(&server), [0, 1, 2]);
        assert!(server.get(served[1].id()).is_some());
        // Nothing else runs before the next await.
        let ending = served[1].close();
        assert_eq!(found(&server), [0, 2]);
        assert!(server.get(served[1].id()).is_none());
        ending.await;
        // One that the peer has ended, too.
        clients[0].close().await;
        served[0].closed().await;
        assert_eq!(found(&server), [2]);
        assert!(server.get(served[0].id()).is_none());
        assert_eq!(server.get(served[2].id()).expect("it is connected").id(), clients[2].id());
    });
}

#[test]
fn a_close_that_nobody_waits_for_takes_effect() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        for by_server in [false, true] {
            let (client, served) = join(&server).await;
            let (closer, other) = if by_server { (&served, &client) } else { (&client, &served) };
            closer.send(RELIABLE, &Message::empty(1)).await.unwrap();
            drop(closer.close());
            assert!(!closer.is_connected());
            assert_eq!(other.recv().await.expect("it was sent before").tag(), 1);
            assert!(other.recv().await.is_none());
            let told = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
            assert_eq!(other.close_reason(), Some(told));
            until(|| server.is_empty()).await;
        }
    });
}

#[test]
fn a_shutdown_that_nobody_waits_for_takes_effect() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let (client, served) = join(&server).await;
        served.send(RELIABLE, &Message::empty(1)).await.unwrap();
        drop(server.shutdown());
        assert_eq!(client.recv().await.expect("it was sent before").tag(), 1);
        assert!(client.recv().await.is_none());
        assert_eq!(served.closed().await, CloseReason::new(Initiator::User, CloseKind::Shutdown));
        assert!(server.accept().await.is_none());
        until(|| UdpSocket::bind(server.udp_addr()).is_ok()).await;
        // Whoever waits later waits for the same.
        server.shutdown().await;
    });
}

/// Messages with the tag 1, and nothing else.
#[derive(Debug, PartialEq, Eq)]
struct One;

impl MessageSet for One {
    const TAGS: &'static [u16] = &[1];

    fn from_message(message: &Message) -> Result<Self, DecodeError> {
        if message.tag() == 1 { Ok(Self) } else { Err(DecodeError::unknown_tag(message.tag())) }
    }
}

#[test]
fn empty_pings_that_are_none_of_a_set_are_passed_over_and_answered() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let (client, served) = join(&server).await;
        let mut messages = served.messages::<One>();
        let code = client.ping(RELIABLE, &Message::empty(2)).await.unwrap();
        client.send(RELIABLE, &Message::empty(1)).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap(), One);
        let answer = client.recv().await.unwrap();
        assert_eq!((answer.kind(), answer.tag()), (MessageKind::Acknowledgement(code), 2));
        // Those of the set are given, and those that carry something, though it is none of the set.
        client.ping(RELIABLE, &Message::empty(1)).await.unwrap();
        client.ping(RELIABLE, &Message::new(2, vec![0])).await.unwrap();
        client.send(RELIABLE, &Message::empty(2)).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap(), One);
        for kind in ["ping", "message"] {
            let undecodable = messages.next().await.unwrap().unwrap_err();
            assert_eq!(undecodable.message.tag(), 2);
            let is_ping = matches!(undecodable.message.kind(), MessageKind::Ping(_));
            assert_eq!(is_ping, kind == "ping");
        }
    });
}

#[test]
fn the_messages_of_a_connection_keep_it_open() {
    on_tokio(async {
        let server = bind(Server::builder()).await;
        let (client, served) = join(&server).await;
        let mut messages = served.messages::<One>();
        drop(served);
        client.send(UNRELIABLE, &Message::empty(1)).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap(), One);
        works(&client, &server.get(client.id()).expect("it is connected")).await;
        drop(messages);
        assert!(client.recv().await.is_none());
        let told = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
        assert_eq!(client.close_reason(), Some(told));
    });
}
