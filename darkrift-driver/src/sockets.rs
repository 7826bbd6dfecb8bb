//! Making sockets and setting their options.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::error::BindError;
use crate::runtime::SockRef;

/// What a server lets wait in the system's queue of connections not yet accepted.
const BACKLOG: i32 = 1024;

/// How often a pair of equal ports is looked for when any free port will do.
const PORT_ATTEMPTS: usize = 32;

/// What the system's UDP receive buffer is asked to hold: a server's clients all arrive at one socket.
const SERVER_RECEIVE_BUFFER: usize = 4 << 20;

/// The TCP options of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TcpOptions {
    pub(crate) no_delay: bool,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) user_timeout: Option<Duration>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            no_delay: true,
            keep_alive: Some(Duration::from_secs(15)),
            user_timeout: Some(Duration::from_secs(30)),
        }
    }
}

impl TcpOptions {
    /// Sets what the system knows; a system that lacks an option has slower ends and is no reason to refuse.
    pub(crate) fn apply(&self, socket: &SockRef<'_>) {
        let _ = socket.set_tcp_nodelay(self.no_delay);
        if let Some(time) = self.keep_alive {
            let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(time));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_user_timeout(self.user_timeout);
    }
}

/// A server's two sockets, on the ports asked for; equal ports where `udp_port` names none.
pub(crate) fn bind_server(
    address: SocketAddr,
    udp_port: Option<u16>,
) -> Result<(std::net::TcpListener, std::net::UdpSocket), BindError> {
    let attempts = if address.port() == 0 && udp_port.is_none() { PORT_ATTEMPTS } else { 1 };
    let mut failure = None;
    for _ in 0..attempts {
        let tcp = bind_tcp(address).map_err(|source| BindError::Tcp { address, source })?;
        let port = tcp.local_addr().map_err(|source| BindError::Tcp { address, source })?.port();
        let udp_address = SocketAddr::new(address.ip(), udp_port.unwrap_or(port));
        match bind_udp(udp_address) {
            Ok(udp) => {
                let _ = SockRef::from(&udp).set_recv_buffer_size(SERVER_RECEIVE_BUFFER);
                return Ok((tcp, udp));
            }
            Err(source) => failure = Some(BindError::Udp { address: udp_address, source }),
        }
    }
    Err(failure.expect("at least one attempt is made"))
}

fn bind_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix a port whose last connections are still fading may be taken again at once. Windows means something
    // else by the same option: taking a port that is in use.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A non-blocking UDP socket.
pub(crate) fn bind_udp(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Any address and port of the family of `peer`.
pub(crate) fn unspecified_for(peer: SocketAddr) -> SocketAddr {
    let ip: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(ip, 0)
}
