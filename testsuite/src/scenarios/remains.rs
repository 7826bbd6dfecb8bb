//! What is left when every handle is dropped: no task, and no socket. Counted, so these tests have a process of their
//! own, one at a time.

use std::io::ErrorKind;
use std::net::TcpListener;

use darkrift_driver::ConnectError;
use darkrift_driver::proto::SendMode;
use futures::future::join_all;

use crate::counted::{files, tasks};
use crate::harness::{Pair, client_of, loopback, next_client, server, soon, start, text, until};
use crate::{Adapter, Client, ClientSettings, Server};

/// Runs a scenario twice: the first time the runtime may open what it keeps for good.
async fn twice<A: Adapter, F: Future<Output = ()>>(scenario: impl Fn() -> F) {
    scenario().await;
    until::<A>("every task's end", || tasks() == 0).await;
    let before = files();
    scenario().await;
    until::<A>("every task's and every socket's end", || (tasks(), files()) == (0, before)).await;
}

pub async fn dropping_every_handle_ends_every_task_and_closes_every_socket<A: Adapter>() {
    // In every order in which the three can go.
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        twice::<A, _>(|| async {
            let pair = Pair::<A>::new().await;
            pair.works().await;
            pair.client.send(SendMode::Reliable, &text(1, "on the way")).await.expect("it is open");
            pair.served.send(SendMode::Unreliable, &text(1, "on the way")).await.expect("it is open");
            let Pair { server, client, served } = pair;
            let (mut server, mut client, mut served) = (Some(server), Some(client), Some(served));
            for who in order {
                match who {
                    0 => drop(server.take()),
                    1 => drop(client.take()),
                    _ => drop(served.take()),
                }
            }
        })
        .await;
    }
}

pub async fn a_server_with_clients_that_nobody_accepted_leaves_nothing<A: Adapter>() {
    twice::<A, _>(|| async {
        let server = server::<A>().await;
        let clients = join_all((0..5).map(|_| client_of::<A>(&server))).await;
        drop(server);
        for client in clients {
            soon::<A, _>("the end", client.closed()).await;
        }
    })
    .await;
}

pub async fn a_failed_connect_leaves_nothing<A: Adapter>() {
    let nobody =
        TcpListener::bind(loopback()).and_then(|listener| listener.local_addr()).expect("a free port");
    twice::<A, _>(|| async {
        let result = soon::<A, _>("the refusal", A::connect(nobody, ClientSettings::default())).await;
        let Err(ConnectError::Tcp { source, .. }) = result else { panic!("nobody listens there") };
        assert_eq!(source.kind(), ErrorKind::ConnectionRefused);
    })
    .await;
}

pub async fn a_storm_of_connections_leaves_nothing<A: Adapter>() {
    twice::<A, _>(|| async {
        let server = server::<A>().await;
        let storm = join_all((0..10).map(|_| {
            let server = server.clone();
            start::<A, _>(async move {
                for round in 0..20 {
                    let client = client_of::<A>(&server).await;
                    // Some say goodbye, some just go.
                    if round % 2 == 0 {
                        client.close().await;
                    }
                }
            })
        }));
        let accepting = async {
            for _ in 0..200 {
                let served = next_client::<A>(&server).await;
                A::spawn(async move { while served.recv().await.is_some() {} });
            }
        };
        futures::join!(storm, accepting);
        until::<A>("nobody to be left", || server.connected() == 0).await;
    })
    .await;
}
