//! Batched UDP for adapters: segmentation offload where the system has it, one datagram a call elsewhere.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use crate::runtime::SockRef;

/// What an adapter keeps beside its UDP socket to send and receive in batches.
///
/// It makes the plain non-blocking calls; waiting for readiness is the adapter's.
#[derive(Debug)]
pub struct UdpBatch {
    state: &'static UdpSocketState,
    is_connected: bool,
}

impl UdpBatch {
    /// How many buffers one [`receive`](Self::receive) fills at most.
    pub const BUFFERS: usize = quinn_udp::BATCH_SIZE;

    /// Prepares a bound socket.
    ///
    /// # Errors
    /// When an option of the socket cannot be set.
    pub fn new(socket: &SockRef<'_>) -> io::Result<Self> {
        let peer = socket.peer_addr().ok();
        let is_connected = peer.is_some();
        let address = peer.map_or_else(|| socket.local_addr(), Ok)?.as_socket();
        let ip = address.ok_or(io::ErrorKind::AddrNotAvailable)?.ip();
        let state = offload_state(ip.is_ipv6())?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use nix::sys::socket::{setsockopt, sockopt};
            // Both only make things faster or more exact, and an old kernel may refuse them.
            let _ = setsockopt(&**socket, sockopt::UdpGroSegment, &true);
            let _ = match ip {
                IpAddr::V6(ip) if ip.is_unspecified() => {
                    setsockopt(&**socket, sockopt::Ipv6RecvPacketInfo, &true)
                }
                IpAddr::V4(ip) if ip.is_unspecified() => {
                    setsockopt(&**socket, sockopt::Ipv4PacketInfo, &true)
                }
                // Every datagram is sent to the one address that there is.
                _ => Ok(()),
            };
        }
        Ok(Self { state, is_connected })
    }

    /// Receives what is there now; gives how many buffers were filled.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing.
    pub fn receive<'a, S>(
        &self,
        socket: &'a S,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> io::Result<usize>
    where
        UdpSockRef<'a>: From<&'a S>,
    {
        self.state.recv(UdpSockRef::from(socket), buffers, meta)
    }

    /// Sends what `transmit` holds, or nothing of it.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes no more now; anything else is of these datagrams alone.
    pub fn send<'a, S>(&self, socket: &'a S, transmit: &Transmit<'_>) -> io::Result<()>
    where
        SockRef<'a>: From<&'a S>,
        UdpSockRef<'a>: From<&'a S>,
    {
        let result = self.send_once(socket, transmit);
        match &result {
            // What a connected socket fails with first may be a report about a datagram that left before.
            Err(error) if self.is_connected && error.kind() != io::ErrorKind::WouldBlock => {
                self.send_once(socket, transmit)
            }
            _ => result,
        }
    }

    fn send_once<'a, S>(&self, socket: &'a S, transmit: &Transmit<'_>) -> io::Result<()>
    where
        SockRef<'a>: From<&'a S>,
        UdpSockRef<'a>: From<&'a S>,
    {
        if transmit.segment_size.is_some() || transmit.src_ip.is_some() {
            return self.state.try_send(UdpSockRef::from(socket), transmit);
        }
        // A lone datagram needs none of the control messages that a batch carries.
        let socket = SockRef::from(socket);
        let sent = if self.is_connected {
            socket.send(transmit.contents)
        } else {
            socket.send_to(transmit.contents, &transmit.destination.into())
        };
        sent.map(drop)
    }

    /// How many datagrams of equal length [`send`](Self::send) takes at once.
    pub fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }
}

/// What the batching library knows of this system, learnt once for each address family.
///
/// It is learnt on a socket that is then thrown away: the library would also forbid fragmentation on the socket it
/// is given, and the original sends datagrams of up to 65,507 bytes, which need it.
fn offload_state(ipv6: bool) -> io::Result<&'static UdpSocketState> {
    static V4: OnceLock<UdpSocketState> = OnceLock::new();
    static V6: OnceLock<UdpSocketState> = OnceLock::new();
    let (cell, any): (_, SocketAddr) = if ipv6 {
        (&V6, (Ipv6Addr::UNSPECIFIED, 0).into())
    } else {
        (&V4, (Ipv4Addr::UNSPECIFIED, 0).into())
    };
    if let Some(state) = cell.get() {
        return Ok(state);
    }
    let model = std::net::UdpSocket::bind(any)?;
    let state = UdpSocketState::new(UdpSockRef::from(&model))?;
    Ok(cell.get_or_init(|| state))
}
