//! Servers over plain sockets, for what a well-behaved one would never do. Each serves one client, on a thread.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use crate::program::PATIENCE;

/// The hello that they send: version 1 and a token.
pub(crate) const HELLO: [u8; 9] = [1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08];

/// Where such a server listens.
#[derive(Clone, Debug)]
pub(crate) struct RawServer {
    /// Its TCP address.
    pub(crate) address: String,
    /// Its UDP port.
    pub(crate) udp_port: String,
}

/// A port that nothing listens on, and that nobody is given meanwhile: a connection has it for its own end.
#[derive(Debug)]
pub(crate) struct NothingThere {
    own_end: TcpStream,
    _listener: TcpListener,
}

impl NothingThere {
    /// Takes one.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let own_end = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("a listener");
        Self { own_end, _listener: listener }
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        self.own_end.local_addr().expect("it is connected").to_string()
    }
}

/// A server's side of a connection.
#[derive(Debug)]
pub(crate) struct Served {
    stream: TcpStream,
    udp: UdpSocket,
    client: Option<SocketAddr>,
}

impl RawServer {
    /// A server that does this with its client, and then ends the connection.
    pub(crate) fn start(serve: impl FnOnce(&mut Served) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        udp.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let address = listener.local_addr().expect("it is bound").to_string();
        let udp_port = udp.local_addr().expect("it is bound").port().to_string();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
            serve(&mut Served { stream, udp, client: None });
        });
        Self { address, udp_port }
    }

    /// A server that does the handshake, and then this.
    pub(crate) fn welcoming(serve: impl FnOnce(&mut Served) + Send + 'static) -> Self {
        Self::start(move |served| {
            served.write(&HELLO);
            served.receive_token();
            served.acknowledge();
            served.write(&frame(&CONFIGURE));
            serve(served);
        })
    }
}

/// The command that gives a client the id 7.
pub(crate) const CONFIGURE: [u8; 5] = [0x80, 0, 0, 0, 7];

/// A message behind its length.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let length = i32::try_from(message.len()).expect("a short message");
    [&length.to_be_bytes(), message].concat()
}

/// An ordinary message of the tag 5.
pub(crate) fn message(payload: &[u8]) -> Vec<u8> {
    [&[0, 0, 5], payload].concat()
}

impl Served {
    /// Writes on TCP, as much as the client takes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a datagram to the client.
    pub(crate) fn send_datagram(&self, datagram: &[u8]) {
        let client = self.client.expect("its token came");
        // To one that has gone nothing can be sent.
        let _ = self.udp.send_to(datagram, client);
    }

    /// Whether the client has ended its stream.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("an option");
        let read = self.stream.read(&mut [0; 64]);
        self.stream.set_nonblocking(false).expect("an option");
        read.map_or_else(|error| error.kind() != std::io::ErrorKind::WouldBlock, |length| length == 0)
    }

    /// Writes on TCP; whether the client took it.
    pub(crate) fn write_if_open(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Waits until the client ends its stream.
    pub(crate) fn wait(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(1..) = self.stream.read(&mut bytes) {}
    }

    /// Waits for the client's token on UDP.
    pub(crate) fn receive_token(&mut self) {
        let mut token = [0; 64];
        let (length, from) = self.udp.recv_from(&mut token).expect("a token");
        assert_eq!(token[..length], HELLO);
        self.client = Some(from);
    }

    /// Acknowledges the token as DarkRift 2.11 does.
    pub(crate) fn acknowledge(&self) {
        self.send_datagram(&[&HELLO[1..], &[0; 4]].concat());
    }
}
