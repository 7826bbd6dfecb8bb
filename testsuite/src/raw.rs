//! Peers over plain sockets, for what a well-behaved client or server would never do. They block, so scenarios run
//! them in [`blocking`](crate::harness::blocking); nothing takes longer than ten seconds.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_DATAGRAM: usize = 65_507;

/// The hello that raw servers send: version 1 and a token.
pub const HELLO: [u8; 9] = [1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08];

/// A message behind its length.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = i32::try_from(message.len()).expect("a short message");
    [&length.to_be_bytes(), message].concat()
}

/// An ordinary message: flags, tag, payload.
pub fn user(tag: u16, payload: &[u8]) -> Vec<u8> {
    [&[0][..], &tag.to_be_bytes(), payload].concat()
}

/// The command that gives a client its id.
pub fn configure(id: u16) -> Vec<u8> {
    [&[0x80, 0, 0][..], &id.to_be_bytes()].concat()
}

/// The acknowledgement of a token in the dialect of DarkRift 2.11.
pub fn acknowledgement(hello: &[u8]) -> Vec<u8> {
    [&hello[1..], &[0; 4]].concat()
}

fn udp_socket() -> UdpSocket {
    patient(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
}

fn patient(socket: UdpSocket) -> UdpSocket {
    socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    socket
}

fn receive_from(udp: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    let (length, from) = udp.recv_from(&mut buffer).expect("a datagram");
    buffer.truncate(length);
    (buffer, from)
}

/// One end of a TCP connection.
#[derive(Debug)]
pub struct RawStream(TcpStream);

impl RawStream {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_nodelay(true).expect("an option");
        Self(stream)
    }

    /// Writes all of it.
    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the stream is open");
    }

    /// Writes as much of it as the peer takes, if any.
    pub fn write_if_open(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Writes it a byte at a time, so that each may arrive alone.
    pub fn trickle(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write(&[*byte]);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Reads this many bytes.
    pub fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("the stream is open");
        bytes
    }

    /// Reads a message and the length before it.
    pub fn read_message(&mut self) -> Vec<u8> {
        let length = self.read(4).try_into().map(i32::from_be_bytes).expect("four bytes");
        self.read(usize::try_from(length).expect("a length"))
    }

    /// Reads to the end of the stream, however it ends.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("the stream does not end"),
            _ => bytes,
        }
    }
}

/// A client of one's own making.
#[derive(Debug)]
#[non_exhaustive]
pub struct RawClient {
    /// Its stream.
    pub stream: RawStream,
    /// Its socket for datagrams.
    pub udp: UdpSocket,
    /// What the server said first.
    pub hello: Vec<u8>,
    server: SocketAddr,
}

impl RawClient {
    /// Opens TCP and reads the hello.
    pub fn open(tcp: SocketAddr, udp: SocketAddr) -> Self {
        Self::open_from(udp_socket(), tcp, udp)
    }

    /// The same, with a UDP socket that was there before.
    pub fn open_from(socket: UdpSocket, tcp: SocketAddr, udp: SocketAddr) -> Self {
        let mut stream = RawStream::new(TcpStream::connect(tcp).expect("a server"));
        let hello = stream.read(HELLO.len());
        Self { stream, udp: socket, hello, server: udp }
    }

    /// Opens, and does the whole handshake.
    pub fn join(tcp: SocketAddr, udp: SocketAddr) -> Self {
        let mut client = Self::open(tcp, udp);
        client.pair();
        client.read_configure();
        client
    }

    /// Sends the token and checks the acknowledgement.
    pub fn pair(&mut self) {
        self.send_datagram(&self.hello);
        assert_eq!(self.receive_datagram(), acknowledgement(&self.hello));
    }

    /// Reads Configure, which must come next, and gives the id.
    pub fn read_configure(&mut self) -> u16 {
        let message = self.stream.read_message();
        let [0x80, 0, 0, high, low] = message[..] else { panic!("{message:?} is no Configure") };
        u16::from_be_bytes([high, low])
    }

    /// Sends a datagram to the server.
    pub fn send_datagram(&self, datagram: &[u8]) {
        self.udp.send_to(datagram, self.server).expect("loopback takes datagrams");
    }

    /// The next datagram from the server.
    pub fn receive_datagram(&self) -> Vec<u8> {
        receive_from(&self.udp).0
    }
}

/// A server of one's own making, for one client.
#[derive(Debug)]
pub struct RawServer {
    listener: TcpListener,
    udp: UdpSocket,
}

impl Default for RawServer {
    fn default() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        Self { listener, udp: udp_socket() }
    }
}

impl RawServer {
    /// Where it listens.
    pub fn tcp_address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    /// The port that it receives datagrams on.
    pub fn udp_port(&self) -> u16 {
        self.udp.local_addr().expect("it is bound").port()
    }

    /// Accepts the client, and says nothing.
    pub fn accept(self) -> RawServed {
        let (stream, _) = self.listener.accept().expect("a client");
        RawServed { stream: RawStream::new(stream), udp: self.udp, client: None }
    }

    /// Accepts the client and does the whole handshake with it.
    pub fn welcome(self, id: u16) -> RawServed {
        let mut served = self.accept();
        served.stream.write(&HELLO);
        served.receive_token();
        served.send_datagram(&acknowledgement(&HELLO));
        served.stream.write(&frame(&configure(id)));
        served
    }
}

/// The client of a [`RawServer`].
#[derive(Debug)]
#[non_exhaustive]
pub struct RawServed {
    /// Its stream.
    pub stream: RawStream,
    /// The server's socket.
    pub udp: UdpSocket,
    client: Option<SocketAddr>,
}

impl RawServed {
    /// Waits for the client's token.
    pub fn receive_token(&mut self) {
        let (token, from) = receive_from(&self.udp);
        assert_eq!(token, HELLO);
        self.client = Some(from);
    }

    /// The next datagram of the client.
    pub fn receive_datagram(&self) -> Vec<u8> {
        receive_from(&self.udp).0
    }

    /// Sends a datagram to the client.
    pub fn send_datagram(&self, datagram: &[u8]) {
        let client = self.client.expect("its token came");
        self.udp.send_to(datagram, client).expect("loopback takes datagrams");
    }

    /// Closes the socket for datagrams: what is sent to it from now on comes back as unreachable.
    pub fn close_udp(self) -> RawStream {
        self.stream
    }
}

/// Stands between a client and a server on UDP, and loses the first datagrams of the client.
#[derive(Debug)]
pub struct LossyPath {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LossyPath {
    /// A path to `server` that loses the first `losses` datagrams.
    pub fn new(server: SocketAddr, losses: usize) -> Self {
        const TURN: Duration = Duration::from_millis(2);
        let (near, far) = (udp_socket(), udp_socket());
        far.connect(server).expect("an address");
        for socket in [&near, &far] {
            socket.set_read_timeout(Some(TURN)).expect("a time limit");
        }
        let port = near.local_addr().expect("it is bound").port();
        let ended = Arc::new(AtomicBool::new(false));
        let (end, mut left, mut client) = (ended.clone(), losses, None);
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; LONGEST_DATAGRAM];
            while !end.load(Ordering::Acquire) {
                if let Ok((length, from)) = near.recv_from(&mut buffer) {
                    client = Some(from);
                    if left > 0 {
                        left -= 1;
                    } else {
                        let _ = far.send(&buffer[..length]);
                    }
                }
                if let (Ok(length), Some(client)) = (far.recv(&mut buffer), client) {
                    let _ = near.send_to(&buffer[..length], client);
                }
            }
            assert_eq!(left, 0, "all that was to be lost was lost");
        });
        Self { port, ended, thread: Some(thread) }
    }

    /// Where the client is to send its datagrams.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for LossyPath {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the path has not panicked");
        }
    }
}
