//! What addresses a server's clients have, and how an address may be given.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use darkrift_driver::proto::Message;
use darkrift_tokio::{Client, Server};

use crate::{RELIABLE, on_tokio, works};

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
