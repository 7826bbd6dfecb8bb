//! The implementations under measurement.

pub(crate) mod bare;
pub(crate) mod blocking;
pub(crate) mod by_hand;
pub(crate) mod datagrams;
pub(crate) mod framed;
pub(crate) mod hand;
pub(crate) mod ours;
pub(crate) mod raw;

pub(crate) use bare::Bare;
pub(crate) use blocking::Blocking;
pub(crate) use by_hand::ByHand;
pub(crate) use framed::Framed;
pub(crate) use ours::{OURS, Ours};
pub(crate) use raw::Raw;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, UdpSocket};

use crate::contender::Addresses;

/// Any free port on loopback.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How many connections a listener's queue holds: all that connect at once, as ours does. One that is too short drops their
/// first attempt, and they come back a second later, when the round is over.
const BACKLOG: u32 = 1024;

/// The sockets of a server on tokio.
pub(crate) fn server_sockets() -> io::Result<(TcpListener, UdpSocket, Addresses)> {
    let listener = TcpSocket::new_v4()?;
    listener.bind(LOOPBACK)?;
    let listener = listener.listen(BACKLOG)?;
    let socket = server_datagrams()?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket)?;
    let addresses = Addresses { tcp: listener.local_addr()?, udp: socket.local_addr()? };
    Ok((listener, socket, addresses))
}

/// A server's UDP socket with room for the bursts of all its clients.
pub(crate) fn server_datagrams() -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(LOOPBACK)?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20)?;
    Ok(socket)
}

pub(crate) fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended in the middle of the exchange")
}
