//! The options of TCP that the settings of a client and of a server say.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::time::Duration;

use darkrift_driver::runtime::SockRef;
use darkrift_driver::{Client, Server};

use crate::on_tokio;
use crate::watched::Watched;

/// The options of a socket that the settings of both roles have.
#[derive(Debug, PartialEq, Eq)]
struct TcpOptions {
    no_delay: bool,
    keep_alive: bool,
    keep_alive_time: Option<Duration>,
    user_timeout: Option<Duration>,
}

fn options(stream: &std::net::TcpStream) -> TcpOptions {
    let socket = SockRef::from(stream);
    let keep_alive = socket.keepalive().unwrap();
    TcpOptions {
        no_delay: socket.tcp_nodelay().unwrap(),
        keep_alive,
        keep_alive_time: keep_alive.then(|| socket.tcp_keepalive_time().unwrap()),
        user_timeout: socket.tcp_user_timeout().unwrap(),
    }
}

const fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

/// What the documentation says that the defaults are.
const DEFAULT: TcpOptions =
    TcpOptions { no_delay: true, keep_alive: true, keep_alive_time: seconds(15), user_timeout: seconds(30) };
const CHANGED: TcpOptions =
    TcpOptions { no_delay: false, keep_alive: true, keep_alive_time: seconds(7), user_timeout: seconds(9) };
const NONE: TcpOptions =
    TcpOptions { no_delay: true, keep_alive: false, keep_alive_time: None, user_timeout: None };

#[test]
fn a_clients_socket_has_the_options_that_its_builder_says() {
    on_tokio(async {
        let server = Server::<Watched>::bind("127.0.0.1:0").await.unwrap();
        let builder = Client::<Watched>::builder;
        for (builder, expected) in [
            (builder(), DEFAULT),
            (builder().no_delay(false).keep_alive(seconds(7)).user_timeout(seconds(9)), CHANGED),
            (builder().keep_alive(None).user_timeout(None), NONE),
        ] {
            let runtime = Arc::new(Watched::default());
            let _client = builder.connect_on(runtime.clone(), server.local_addr()).await.unwrap();
            let streams = runtime.streams();
            assert_eq!(streams.iter().map(options).collect::<Vec<_>>(), [expected]);
        }
    });
}

#[test]
fn a_servers_sockets_have_the_options_that_its_builder_says() {
    on_tokio(async {
        let builder = Server::<Watched>::builder;
        for (builder, expected) in [
            (builder(), DEFAULT),
            (builder().no_delay(false).keep_alive(seconds(7)).user_timeout(seconds(9)), CHANGED),
            (builder().keep_alive(None).user_timeout(None), NONE),
        ] {
            let runtime = Arc::new(Watched::default());
            let server = builder.bind_on(runtime.clone(), "127.0.0.1:0").await.unwrap();
            let _client = Client::<Watched>::connect(server.local_addr()).await.unwrap();
            let streams = runtime.streams();
            assert_eq!(streams.iter().map(options).collect::<Vec<_>>(), [expected]);
        }
    });
}
