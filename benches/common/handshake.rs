//! A client of plain std sockets: it goes through the handshake (`docs/protocol.md`, Handshake) and leaves the rest to whoever
//! holds it, so that what is measured at the other end is the server alone.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// A connected client's sockets, with nothing in them yet but what the server sends from here on.
#[derive(Debug)]
pub(crate) struct PlainClient {
    pub(crate) stream: TcpStream,
    pub(crate) socket: UdpSocket,
}

/// The length of the hello: a version and a token.
pub(crate) const HELLO: usize = 9;
/// The acknowledgement of version 1: the token and four zeros.
pub(crate) const ACKNOWLEDGEMENT: usize = 12;
/// Configure, whole: a length, flags, a tag, an id.
pub(crate) const CONFIGURE: usize = 4 + 3 + 2;

/// Connects to a server of version 1 on loopback.
///
/// # Errors
/// When the server answers otherwise than the protocol says, or not within five seconds.
pub(crate) fn handshake(server: SocketAddr) -> io::Result<PlainClient> {
    let patience = Some(Duration::from_secs(5));
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(patience)?;
    let socket = UdpSocket::bind((server.ip(), 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(patience)?;
    let mut hello = [0; HELLO];
    stream.read_exact(&mut hello)?;
    socket.send(&hello)?;
    let mut acknowledgement = [0; ACKNOWLEDGEMENT + 1];
    let length = socket.recv(&mut acknowledgement)?;
    if length != ACKNOWLEDGEMENT || acknowledgement[..8] != hello[1..] {
        return Err(io::Error::other("the server's acknowledgement is not that of version 1"));
    }
    let mut configure = [0; CONFIGURE];
    stream.read_exact(&mut configure)?;
    if configure[..7] != [0, 0, 0, 5, 0x80, 0, 0] {
        return Err(io::Error::other("the server's first message is not Configure"));
    }
    stream.set_read_timeout(None)?;
    socket.set_read_timeout(None)?;
    Ok(PlainClient { stream, socket })
}
