//! Moving datagrams between a machine and a UDP socket: a client's own, or its server's.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use darkrift_proto::connection::Datagrams;
use darkrift_proto::{Connection, Instant};

use crate::runtime::{RecvMeta, Transmit, UdpSocket};
use crate::scratch::{LONGEST_DATAGRAM, keep, with_scratch};
use crate::wakers::Readiness;

/// Segments longer than this are sent one by one to other machines: the path may not carry them whole, and
/// segmentation offload does not fragment.
const SAFE_SEGMENT: usize = 1200;

/// What Windows says of a datagram that is too long.
#[cfg(windows)]
const WSAEMSGSIZE: i32 = 10_040;

/// How many calls one drive makes at most before others get their turn.
const RECEIVES: usize = 16;

/// How a connection's datagrams leave, and for a client how they arrive.
#[derive(Debug)]
pub(crate) struct DatagramPath {
    sender: DatagramSender,
    /// Taken from the machine, and not taken by the socket. Boxed, since it is rare and each connection has a place
    /// for it.
    unsent: Option<Box<Run>>,
}

/// Datagrams to one peer: `contents` cut every `segment` bytes.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) contents: Bytes,
    pub(crate) segment: usize,
}

/// What sends a connection's datagrams; a copy does so without the connection's lock.
#[derive(Clone, Debug)]
pub(crate) struct DatagramSender {
    /// A client's own, or its server's for all.
    socket: Arc<dyn UdpSocket>,
    is_own: bool,
    /// The address that the peer sends to, so that answers come from there on a machine with several.
    source: Option<IpAddr>,
}

impl DatagramPath {
    /// A client's own socket.
    pub(crate) fn own(socket: Box<dyn UdpSocket>) -> Self {
        Self::new(socket.into(), true)
    }

    /// The server's socket, whose listener receives for all.
    pub(crate) fn shared(socket: Arc<dyn UdpSocket>) -> Self {
        Self::new(socket, false)
    }

    const fn new(socket: Arc<dyn UdpSocket>, is_own: bool) -> Self {
        Self { sender: DatagramSender { socket, is_own, source: None }, unsent: None }
    }

    /// Whether datagrams come this way, too.
    pub(crate) const fn is_own(&self) -> bool {
        self.sender.is_own
    }

    /// Remembers the address that the peer sends to.
    pub(crate) fn set_source(&mut self, source: Option<IpAddr>) {
        self.sender.source = source;
    }

    /// Whether there are datagrams to send.
    #[inline]
    pub(crate) fn has_next(&self, machine: &Connection) -> bool {
        self.unsent.is_some() || machine.has_datagram()
    }

    /// The next datagrams to send, equal lengths together.
    pub(crate) fn next(&mut self, machine: &mut Connection) -> Option<Run> {
        if let Some(run) = self.unsent.take() {
            return Some(*run);
        }
        let Datagrams { contents, segment, .. } = machine.poll_datagrams(self.sender.max_segments())?;
        Some(Run { contents, segment })
    }

    /// The next datagram in `buffer`, and its length, where it is the only one and fits.
    pub(crate) fn next_lone(&self, machine: &mut Connection, buffer: &mut [u8]) -> Option<usize> {
        if self.unsent.is_some() { None } else { machine.poll_lone_datagram(buffer) }
    }

    /// Whether the socket has not taken what it was offered last.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.unsent.is_some()
    }

    /// Forgets what the socket has not taken.
    pub(crate) fn clear(&mut self) {
        self.unsent = None;
    }

    /// What sends them.
    pub(crate) fn sender(&self) -> DatagramSender {
        self.sender.clone()
    }

    /// Gives back what the socket did not take.
    pub(crate) fn keep(&mut self, run: Run) {
        self.unsent = Some(Box::new(run));
    }

    /// Receives what has come to a client's own socket; whether it stopped before that was all.
    pub(crate) fn receive(
        &self,
        machine: &mut Connection,
        server: Option<SocketAddr>,
        readiness: &Readiness,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> bool {
        if !self.is_own() {
            return false;
        }
        readiness.clear();
        let mut meta = [RecvMeta::default(); 2];
        with_scratch(|scratch| {
            for _ in 0..RECEIVES {
                // A second buffer, since a call that leaves one unused has emptied the socket, and says so.
                let (first, second) = scratch.split_at_mut(LONGEST_DATAGRAM);
                let mut buffers = [IoSliceMut::new(first), IoSliceMut::new(second)];
                let Poll::Ready(received) = self.sender.socket.poll_receive(cx, &mut buffers, &mut meta)
                else {
                    return false;
                };
                // An error is a report about something sent earlier (port unreachable), never the connection's end.
                let filled = meta[..received.unwrap_or(0)].iter().zip(scratch.chunks(LONGEST_DATAGRAM));
                for (meta, buffer) in
                    filled.filter(|(meta, _)| server.is_some_and(|server| same(meta.addr, server)))
                {
                    each_datagram(&buffer[..meta.len], meta.stride, |datagram| {
                        machine.handle_datagram(now, datagram);
                    });
                }
            }
            readiness.set();
            true
        })
    }
}

impl DatagramSender {
    /// Sends datagrams, `all` cut every `segment` bytes, together where `longest` allows it. Gives how many bytes have left
    /// when the socket is full before that is all, and then the waker will be woken.
    pub(crate) fn send(
        &self,
        all: &[u8],
        segment: usize,
        destination: SocketAddr,
        longest: &mut u16,
        cx: &mut Context<'_>,
    ) -> Option<usize> {
        let segment = segment.max(1);
        let safe = if destination.ip().is_loopback() { usize::MAX } else { SAFE_SEGMENT };
        let mut together = segment <= safe.min((*longest).into());
        let mut source = self.source;
        let mut start = 0;
        loop {
            let step = if together { all.len().max(1) } else { segment };
            let end = all.len().min(start + step);
            let contents = &all[start..end];
            let segment_size = (contents.len() > segment).then_some(segment);
            let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: source };
            match self.socket.try_send(&transmit) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.socket.poll_writable(cx) {
                        Poll::Ready(Ok(())) => continue,
                        // A runtime that stops can't tell; then these are lost.
                        Poll::Ready(Err(_)) => return None,
                        // The caller keeps the rest: what has left must not leave twice.
                        Poll::Pending => return Some(start),
                    }
                }
                // The system cuts a lone datagram into pieces that is too long for the way, but none of a run.
                Err(error) if segment_size.is_some() => {
                    if refuses_length(&error) {
                        *longest = u16::try_from(segment - 1).unwrap_or(u16::MAX);
                    }
                    together = false;
                }
                Err(error) if source.is_some() && refuses_source(&error) => source = None,
                // Any other error is of these datagrams, which may be lost on the way in any case.
                _ => start = end,
            }
            if start >= all.len() {
                return None;
            }
        }
    }

    fn max_segments(&self) -> usize {
        self.socket.max_segments()
    }
}

/// Whether what failed may be that the way does not carry a run of so long datagrams, whatever is sent when: it is narrower
/// than most, or what is at its beginning cannot cut runs into datagrams.
fn refuses_length(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_of_length = matches!(error.raw_os_error(), Some(libc::EMSGSIZE | libc::EIO));
    #[cfg(windows)]
    let is_of_length = error.raw_os_error() == Some(WSAEMSGSIZE);
    #[cfg(not(any(unix, windows)))]
    let is_of_length = false;
    is_of_length || error.kind() == io::ErrorKind::InvalidInput
}

/// Whether what failed may be the address to send from: one that has gone meanwhile, or many hosts', where the peer sent a
/// broadcast. Then the system chooses one: the peer may not know it, but from the other nothing would ever leave.
pub(crate) fn refuses_source(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, InvalidInput, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | InvalidInput | NetworkUnreachable)
}

/// Whether these are one address; the kernel leaves away a scope that means nothing to it.
fn same(one: SocketAddr, other: SocketAddr) -> bool {
    (one.ip(), one.port()) == (other.ip(), other.port())
}

/// Gives each datagram of a buffer that one call filled, all sharing one allocation.
pub(crate) fn each_datagram(filled: &[u8], stride: usize, mut give: impl FnMut(Bytes)) {
    let contents = keep(filled);
    if stride == 0 || contents.len() <= stride {
        give(contents);
        return;
    }
    let mut start = 0;
    while start < contents.len() {
        let end = contents.len().min(start + stride);
        give(contents.slice(start..end));
        start = end;
    }
}
