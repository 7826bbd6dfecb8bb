//! Where a server's answers come from. All of 127/8 is this machine on Linux.
#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, SocketAddr};

use darkrift_driver::proto::Message;
use darkrift_testsuite::harness::blocking;
use darkrift_testsuite::raw::{RawClient, user};
use darkrift_tokio::Server;

use crate::{UNRELIABLE, on_tokio};

#[test]
fn a_server_on_every_address_answers_from_the_one_that_the_client_sends_to() {
    const COUNT: u16 = 10;
    on_tokio(async {
        for everywhere in ["0.0.0.0:0", "[::]:0"] {
            let server = Server::bind(everywhere).await.unwrap();
            let tcp = SocketAddr::from((Ipv4Addr::LOCALHOST, server.local_addr().port()));
            let udp = SocketAddr::from(([127, 0, 0, 2], server.udp_addr().port()));
            let raw = blocking(move || {
                let mut raw = RawClient::open(tcp, udp);
                // From here on it takes datagrams of that address alone.
                raw.udp.connect(udp).unwrap();
                raw.pair();
                raw.read_configure();
                // A token that is repeated is answered again.
                raw.pair();
                raw
            })
            .await;
            let served = server.accept().await.unwrap();
            // The first leaves by itself, and the others together.
            for tag in 0..COUNT {
                served.try_send(UNRELIABLE, &Message::empty(tag)).unwrap();
            }
            let raw = blocking(move || {
                for tag in 0..COUNT {
                    assert_eq!(raw.receive_datagram(), user(tag, b""), "on {everywhere}");
                }
                raw
            })
            .await;
            drop(raw);
        }
    });
}
