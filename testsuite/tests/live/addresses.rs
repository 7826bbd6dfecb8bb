//! Where a server's answers come from, and what addresses its clients have.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use darkrift_driver::proto::Message;
use darkrift_testsuite::harness::blocking;
use darkrift_testsuite::raw::{RawClient, user};
use darkrift_tokio::{Client, Server};

use crate::{RELIABLE, UNRELIABLE, on_tokio, works};

/// All of 127/8 is this machine on Linux.
#[cfg(target_os = "linux")]
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

#[test]
fn a_client_of_ipv4_has_addresses_of_ipv4_also_where_the_server_listens_on_ipv6() {
    on_tokio(async {
        let asked = Arc::new(Mutex::new(None));
        let seen = asked.clone();
        let builder = Server::builder().on_connect(move |joining| {
            *seen.lock().unwrap() = Some(*joining);
            true
        });
        let server = builder.bind("[::]:0").await.unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.local_addr().port()));
        let client = Client::connect(address).await.unwrap();
        let served = server.accept().await.unwrap();
        let joining = asked.lock().unwrap().take().expect("the hook was asked");
        assert_eq!(served.tcp_address(), client.local_tcp_address().unwrap());
        assert_eq!(joining.tcp_address, served.tcp_address());
        assert_eq!(served.udp_address().ip(), IpAddr::from(Ipv4Addr::LOCALHOST));
        assert_eq!(joining.udp_address, served.udp_address());
        works(&client, &served).await;
    });
}

#[test]
fn a_host_may_be_a_text_that_was_read_from_somewhere() {
    on_tokio(async {
        let server = Server::bind((String::from("127.0.0.1"), 0)).await.unwrap();
        let port = server.local_addr().port();
        let client = Client::connect((String::from("localhost"), port)).await.unwrap();
        let served = server.accept().await.unwrap();
        client.send(RELIABLE, &Message::empty(1)).await.unwrap();
        assert_eq!(served.recv().await.unwrap().tag(), 1);
    });
}
