//! Batched UDP for adapters: segmentation offload where the system has it, one datagram a call elsewhere.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::{io::IoSlice, net::IpAddr};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use crate::runtime::SockRef;

/// What an adapter keeps beside its UDP socket to send and receive in batches.
///
/// It makes the plain non-blocking calls; waiting for readiness is the adapter's.
#[derive(Debug)]
pub struct UdpBatch {
    calls: Calls,
    is_connected: bool,
}

/// Who makes the calls that receive.
#[derive(Debug)]
enum Calls {
    /// The batching library.
    Batched(&'static UdpSocketState),
    /// The standard library, on another handle of the same socket: where the other asks for what the system does not have.
    /// Wine is such a system, and older Windows.
    Plain(std::net::UdpSocket),
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
        let calls = match offload_state(ip.is_ipv6())? {
            Some(state) => Calls::Batched(state),
            None => Calls::plain(socket)?,
        };
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
        Ok(Self { calls, is_connected })
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
        match &self.calls {
            Calls::Batched(state) => state.recv(UdpSockRef::from(socket), buffers, meta),
            Calls::Plain(socket) => receive_plainly(socket, buffers, meta),
        }
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
        match self.send_once(socket, transmit) {
            // What a connected socket fails with first may be a report about a datagram that left before.
            Err(error) if self.is_connected && error.kind() != io::ErrorKind::WouldBlock => {
                self.send_once(socket, transmit)
            }
            result => result,
        }
    }

    fn send_once<'a, S>(&self, socket: &'a S, transmit: &Transmit<'_>) -> io::Result<()>
    where
        SockRef<'a>: From<&'a S>,
        UdpSockRef<'a>: From<&'a S>,
    {
        if transmit.segment_size.is_some() || transmit.src_ip.is_some() {
            return self.send_controlled(socket, transmit);
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

    /// Sends a run, or from an address that is given. Not by the batching library: after one call that the system refuses
    /// it offers no runs to any socket any more, and whoever can have one refused would slow everybody.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn send_controlled<'a, S>(&self, socket: &'a S, transmit: &Transmit<'_>) -> io::Result<()>
    where
        SockRef<'a>: From<&'a S>,
    {
        use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
        use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
        use std::os::fd::AsRawFd;

        let (source_v4, source_v6);
        let source = match transmit.src_ip {
            Some(IpAddr::V4(ip)) => {
                let address = in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
                source_v4 =
                    in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: in_addr { s_addr: 0 } };
                Some(ControlMessage::Ipv4PacketInfo(&source_v4))
            }
            Some(IpAddr::V6(ip)) => {
                source_v6 = in6_pktinfo { ipi6_addr: in6_addr { s6_addr: ip.octets() }, ipi6_ifindex: 0 };
                Some(ControlMessage::Ipv6PacketInfo(&source_v6))
            }
            None => None,
        };
        // A datagram by itself needs nothing that not every way can do.
        let segment = transmit.segment_size.filter(|&segment| transmit.contents.len() > segment);
        let segment = segment.map(u16::try_from).transpose().map_err(|_| io::ErrorKind::InvalidInput)?;
        let run = segment.as_ref().map(ControlMessage::UdpGsoSegments);
        let (both, one);
        let controls: &[_] = match (source, run) {
            (Some(source), Some(run)) => {
                both = [source, run];
                &both
            }
            (Some(control), None) | (None, Some(control)) => {
                one = [control];
                &one
            }
            (None, None) => &[],
        };
        let destination = (!self.is_connected).then(|| SockaddrStorage::from(transmit.destination));
        let contents = [IoSlice::new(transmit.contents)];
        let socket = SockRef::from(socket);
        sendmsg(socket.as_raw_fd(), &contents, controls, MsgFlags::empty(), destination.as_ref())?;
        Ok(())
    }

    /// Sends a run, or from an address that is given.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn send_controlled<'a, S>(&self, socket: &'a S, transmit: &Transmit<'_>) -> io::Result<()>
    where
        UdpSockRef<'a>: From<&'a S>,
    {
        match &self.calls {
            Calls::Batched(state) => state.try_send(UdpSockRef::from(socket), transmit),
            // Never asked for: no run is longer than a datagram, and nobody knows which address one came to.
            Calls::Plain(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// How many datagrams of equal length [`send`](Self::send) takes at once.
    pub fn max_segments(&self) -> usize {
        match &self.calls {
            Calls::Batched(state) => state.max_gso_segments(),
            Calls::Plain(_) => 1,
        }
    }
}

impl Calls {
    fn plain(socket: &SockRef<'_>) -> io::Result<Self> {
        Ok(Self::Plain(socket.try_clone()?.into()))
    }
}

/// Receives one datagram a call until no buffer is left, or nothing is there any more.
fn receive_plainly(
    socket: &std::net::UdpSocket,
    buffers: &mut [IoSliceMut<'_>],
    meta: &mut [RecvMeta],
) -> io::Result<usize> {
    let mut count = 0;
    for (buffer, meta) in buffers.iter_mut().zip(meta) {
        match socket.recv_from(buffer) {
            Ok((len, from)) => {
                *meta = RecvMeta::default();
                (meta.addr, meta.len, meta.stride) = (from, len, len);
                count += 1;
            }
            Err(error) if count == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(count)
}

/// What the batching library knows of this system, learnt once for each address family; `None` where it does not work.
///
/// It is learnt on a socket that is then thrown away: the library would also forbid fragmentation on the socket it
/// is given, and the original sends datagrams of up to 65,507 bytes, which need it.
fn offload_state(ipv6: bool) -> io::Result<Option<&'static UdpSocketState>> {
    static V4: OnceLock<Option<UdpSocketState>> = OnceLock::new();
    static V6: OnceLock<Option<UdpSocketState>> = OnceLock::new();
    let (cell, any): (_, SocketAddr) = if ipv6 {
        (&V6, (Ipv6Addr::UNSPECIFIED, 0).into())
    } else {
        (&V4, (Ipv4Addr::UNSPECIFIED, 0).into())
    };
    if let Some(state) = cell.get() {
        return Ok(state.as_ref());
    }
    let model = std::net::UdpSocket::bind(any)?;
    Ok(cell.get_or_init(|| UdpSocketState::new(UdpSockRef::from(&model)).ok()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sockets::client_udp;

    #[test]
    fn a_report_that_nobody_listens_costs_no_later_datagram() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        let client = client_udp(address).unwrap();
        let batch = UdpBatch::new(&SockRef::from(&client)).unwrap();
        let send = |contents| {
            let transmit =
                Transmit { destination: address, ecn: None, contents, segment_size: None, src_ip: None };
            batch.send(&client, &transmit)
        };
        drop(free);
        // The report comes back before the call returns, and the next call hears of it.
        send(b"lost").unwrap();
        let server = std::net::UdpSocket::bind(address).unwrap();
        send(b"sent").unwrap();
        server.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        let mut buffer = [0; 16];
        let (count, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..count], from.port()), (&b"sent"[..], client.local_addr().unwrap().port()));
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn what_the_system_refuses_to_send_takes_nothing_from_what_is_sent_after_it() {
        let families: [[IpAddr; 3]; 2] = [
            [Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(224, 0, 0, 1).into()],
            [Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::LOCALHOST.into(), Ipv6Addr::from_bits(1 << 64).into()],
        ];
        for [any, here, nobodys] in families {
            // There may be no IPv6.
            let Ok(client) = std::net::UdpSocket::bind((here, 0)) else { continue };
            client.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
            let destination = client.local_addr().unwrap();
            let server = std::net::UdpSocket::bind((any, 0)).unwrap();
            let batch = UdpBatch::new(&SockRef::from(&server)).unwrap();
            let segments = batch.max_segments();
            let send = |contents, segment_size, src_ip| {
                batch.send(&server, &Transmit { destination, ecn: None, contents, segment_size, src_ip })
            };
            // From nobody's address, and in more segments than there may be.
            send(b"lost", None, Some(nobodys)).unwrap_err();
            send(b"lost", Some(2), Some(nobodys)).unwrap_err();
            send(&[0; 2000], Some(1), Some(here)).unwrap_err();
            assert_eq!(batch.max_segments(), segments);

            let run: &[&[u8]] = if segments < 2 { &[b"one"] } else { &[b"one", b"two", b"3"] };
            let together = run.concat();
            send(b"alone", Some(100), Some(here)).unwrap();
            send(&together, Some(3), Some(here)).unwrap();
            send(&together, Some(3), None).unwrap();
            let mut buffer = [0; 100];
            for expected in [&[&b"alone"[..]][..], run, run].concat() {
                let (count, from) = client.recv_from(&mut buffer).unwrap();
                assert_eq!(buffer[..count], *expected);
                assert_eq!(from, (here, server.local_addr().unwrap().port()).into());
            }
        }
    }

    #[test]
    fn where_the_batching_library_does_not_work_datagrams_come_and_go_one_by_one() {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let socket = SockRef::from(&server);
        let batch = UdpBatch { calls: Calls::plain(&socket).unwrap(), is_connected: false };
        assert_eq!(batch.max_segments(), 1);
        let mut memory = [[0; 64]; 3];
        let mut buffers = memory.each_mut().map(|memory| IoSliceMut::new(memory));
        let mut meta = [RecvMeta::default(); 3];
        let error = batch.receive(&server, &mut buffers, &mut meta).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);

        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        let destination = client.local_addr().unwrap();
        for sent in [&b"one"[..], b"three"] {
            client.send_to(sent, server.local_addr().unwrap()).unwrap();
        }
        let mut received = Vec::new();
        while received.len() < 2 {
            // Both at once, as a rule: then the third buffer says that the socket is empty.
            let Ok(count) = batch.receive(&server, &mut buffers, &mut meta) else { continue };
            for (buffer, meta) in buffers.iter().zip(&meta[..count]) {
                assert_eq!((meta.addr, meta.stride), (destination, meta.len));
                received.push(buffer[..meta.len].to_vec());
            }
        }
        assert_eq!(received, [&b"one"[..], b"three"]);

        let contents = b"back";
        batch
            .send(&server, &Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None })
            .unwrap();
        let mut buffer = [0; 16];
        assert_eq!(client.recv_from(&mut buffer).unwrap(), (4, server.local_addr().unwrap()));
    }

    #[test]
    fn a_server_on_every_address_is_told_which_one_a_datagram_came_to() {
        let server = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let batch = UdpBatch::new(&SockRef::from(&server)).unwrap();
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, server.local_addr().unwrap().port()));
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"hello", to).unwrap();
        let mut memory = [0; 64];
        let mut meta = [RecvMeta::default()];
        let count = loop {
            match batch.receive(&server, &mut [IoSliceMut::new(&mut memory)], &mut meta) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                result => break result.unwrap(),
            }
        };
        assert_eq!((count, meta[0].len), (1, 5));
        if cfg!(target_os = "linux") {
            assert_eq!(meta[0].dst_ip, Some(to.ip()));
        }
    }
}
