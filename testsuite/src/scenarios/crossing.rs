//! One adapter's client with another's server, each on its own runtime and its own thread.

use std::sync::mpsc;

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message, MessageKind, SendMode};

use crate::harness::{MODES, accounted, expect, loopback, next_client, receive, soon, text};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

/// Connects, sends everything there and back, pings, and leaves.
pub fn a_client_of_one_and_a_server_of_another<C: Adapter, S: Adapter>() {
    let (give, address) = mpsc::channel();
    let serving = std::thread::spawn(move || {
        S::block_on(async move {
            let server = S::bind(loopback(), ServerSettings::default()).await.expect("a free port");
            give.send(server.tcp_address()).expect("the client waits for it");
            let served = next_client::<S>(&server).await;
            accounted::<S, _>("the client's leave", async {
                while let Some(received) = served.recv().await {
                    if received.kind() == MessageKind::Ordinary {
                        served.send(received.send_mode(), received.message()).await.expect("it is open");
                    }
                }
            })
            .await;
            assert_eq!(served.closed().await, CloseReason::new(Initiator::Peer, CloseKind::EndOfStream));
            soon::<S, _>("the shutdown", server.shutdown()).await;
        });
    });
    let address = address.recv().expect("the server begins");
    C::block_on(async move {
        let connecting = C::connect(address, ClientSettings::default());
        let client = soon::<C, _>("connecting", connecting).await.expect("it connects");
        for mode in MODES {
            for message in [text(5, "Hello World"), Message::empty(65_535), text(0, &"ü€😀".repeat(1_000))]
            {
                client.send(mode, &message).await.expect("it is open");
                expect::<C>(&client, mode, &message).await;
            }
            let code = client.ping(mode, &text(9, "ping")).await.expect("it is open");
            let acknowledgement = Message::empty(9).with_kind(MessageKind::Acknowledgement(code));
            assert_eq!(receive::<C>(&client).await.message(), &acknowledgement);
        }
        assert!(client.round_trip().is_some_and(|round_trip| round_trip.samples == 2));
        // So few that everything fits into the queues: nobody has to read while sending.
        for i in 0..2_000 {
            client.send(SendMode::Reliable, &text(i, &i.to_string().repeat(30))).await.expect("it is open");
        }
        accounted::<C, _>("the arrival of every message", async {
            for i in 0..2_000 {
                expect::<C>(&client, SendMode::Reliable, &text(i, &i.to_string().repeat(30))).await;
            }
        })
        .await;
        soon::<C, _>("closing", client.close()).await;
        assert_eq!(client.closed().await, CloseReason::new(Initiator::User, CloseKind::Requested));
    });
    serving.join().expect("the server's side has not panicked");
}
