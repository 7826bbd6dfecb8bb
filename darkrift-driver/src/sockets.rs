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

/// What a client's is asked to hold: what its server sends at once.
const CLIENT_RECEIVE_BUFFER: usize = 1 << 20;

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

/// Whether a connection has the options of the socket that accepted it: on Linux, which saves five system calls for
/// each.
const ACCEPTED_INHERIT: bool = cfg!(any(target_os = "linux", target_os = "android"));

impl TcpOptions {
    /// Sets the options of a connection that a server accepted, where it did not inherit them.
    pub(crate) fn apply_accepted(&self, socket: &SockRef<'_>) {
        if !ACCEPTED_INHERIT {
            self.apply(socket);
        }
    }

    /// Sets what the system knows; a system that lacks an option has slower ends and is no reason to refuse.
    pub(crate) fn apply(&self, socket: &SockRef<'_>) {
        let _ = socket.set_tcp_nodelay(self.no_delay);
        if let Some(time) = self.keep_alive {
            // Several times before the user timeout: with that set, Linux gives up at the first look behind it, and one packet
            // that is lost would end a connection that has nothing to say.
            let interval = (time / 5).max(Duration::from_secs(1));
            let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(interval));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_user_timeout(self.user_timeout);
    }
}

/// A server's two sockets, on the ports asked for; equal ports where `udp_port` names none.
pub(crate) fn bind_server(
    address: SocketAddr,
    udp_port: Option<u16>,
    options: &TcpOptions,
) -> Result<(std::net::TcpListener, std::net::UdpSocket), BindError> {
    let attempts = if address.port() == 0 && udp_port.is_none() { PORT_ATTEMPTS } else { 1 };
    let mut failure = None;
    for _ in 0..attempts {
        let tcp = bind_tcp(address, options).map_err(|source| BindError::Tcp { address, source })?;
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

/// A socket to be bound. One on `[::]` is there for IPv4, too, which Windows has to be asked for.
fn unbound(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if cfg!(windows) && address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

fn bind_tcp(address: SocketAddr, options: &TcpOptions) -> io::Result<std::net::TcpListener> {
    let socket = unbound(address, Type::STREAM, Protocol::TCP)?;
    // On Unix a port whose last connections are still fading may be taken again at once. Windows means something
    // else by the same option: taking a port that is in use.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if ACCEPTED_INHERIT {
        options.apply(&SockRef::from(&socket));
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A UDP socket that is not connected: a server's, and where clients have none that is, theirs.
fn bind_udp(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = unbound(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A client's UDP socket: connected, so that the kernel neither looks for the way again for each datagram, nor lets those of
/// others in.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn client_udp(server: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(server), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    let _ = socket.set_recv_buffer_size(CLIENT_RECEIVE_BUFFER);
    socket.connect(&server.into())?;
    Ok(socket.into())
}

/// A client's UDP socket, not connected: here a connected one may not be told an address, as batches are.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn client_udp(server: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let any = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = bind_udp(SocketAddr::new(any, 0))?;
    let _ = SockRef::from(&socket).set_recv_buffer_size(CLIENT_RECEIVE_BUFFER);
    Ok(socket)
}

/// Where a connect to this address goes: one that means any address is taken for this machine's own, and what comes back
/// bears that.
pub(crate) fn destination(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        _ => return address,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test may block")]
    fn an_accepted_connection_has_the_options_of_the_server() {
        let options = TcpOptions {
            no_delay: true,
            keep_alive: Some(Duration::from_secs(7)),
            user_timeout: Some(Duration::from_secs(9)),
        };
        let (listener, _udp) = bind_server("127.0.0.1:0".parse().unwrap(), None, &options).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let socket = SockRef::from(&accepted);
        options.apply_accepted(&socket);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(1));
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(9)));
        }
    }
}
