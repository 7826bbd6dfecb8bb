//! The sockets: pipes in memory, which fail when they are told to.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use darkrift_driver::runtime::{self, RecvMeta, SockRef, Transmit};

use super::{Network, Outcome, Sent, Wakers};

/// One direction of a stream.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    ended: bool,
    reset: bool,
    readers: Wakers,
    writers: Wakers,
}

impl Pipe {
    fn wake(&mut self) {
        self.readers.wake();
        self.writers.wake();
    }
}

type SharedPipe = Arc<Mutex<Pipe>>;

/// One end of a stream. Dropping it ends the stream, or resets it where something was not read.
#[derive(Debug)]
pub(crate) struct Stream {
    network: Network,
    incoming: SharedPipe,
    outgoing: SharedPipe,
}

/// Streams that wait to be accepted.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    streams: VecDeque<(Stream, SocketAddr)>,
    acceptors: Wakers,
}

impl Stream {
    fn pair(network: &Network) -> (Self, Self) {
        let (up, down) = (SharedPipe::default(), SharedPipe::default());
        network.lock().streams += 2;
        let client = Self { network: network.clone(), incoming: down.clone(), outgoing: up.clone() };
        (client, Self { network: network.clone(), incoming: up, outgoing: down })
    }

    pub(crate) fn connect(network: &Network, to: SocketAddr) -> io::Result<Self> {
        if let Outcome::Fails(kind) = network.lock().call(true) {
            if kind != io::ErrorKind::Interrupted {
                return Err(kind.into());
            }
        }
        if !network.lock().listeners.contains_key(&to) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (client, server) = Self::pair(network);
        let mut state = network.lock();
        let backlog = state.listeners.get_mut(&to).expect("it is still there");
        backlog.streams.push_back((server, SocketAddr::from((Ipv4Addr::LOCALHOST, 9))));
        backlog.acceptors.wake();
        Ok(client)
    }

    /// Counts the call, and says what it comes to where it does not work.
    fn refuses<T>(&self, cx: &Context<'_>) -> Option<Poll<io::Result<T>>> {
        match self.network.lock().call(true) {
            Outcome::Works => None,
            Outcome::NotReady => {
                cx.waker().wake_by_ref();
                Some(Poll::Pending)
            }
            Outcome::Fails(kind) => {
                if kind != io::ErrorKind::Interrupted {
                    self.fail();
                }
                Some(Poll::Ready(Err(kind.into())))
            }
        }
    }

    fn fail(&self) {
        for pipe in [&self.incoming, &self.outgoing] {
            let mut pipe = pipe.lock().expect("nobody panics here");
            pipe.reset = true;
            pipe.wake();
        }
    }
}

impl runtime::TcpStream for Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if let Some(refused) = self.refuses(cx) {
            return refused;
        }
        let mut pipe = self.incoming.lock().expect("nobody panics here");
        if pipe.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let count = self.network.lock().part(buffer.len().min(pipe.bytes.len()));
        if count == 0 && !pipe.ended {
            pipe.readers.add(cx);
            return Poll::Pending;
        }
        for (to, from) in buffer.iter_mut().zip(pipe.bytes.drain(..count)) {
            *to = from;
        }
        pipe.writers.wake();
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(refused) = self.refuses(cx) {
            return refused;
        }
        let mut pipe = self.outgoing.lock().expect("nobody panics here");
        if pipe.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let count = {
            let mut state = self.network.lock();
            let room = state.faults.capacity.saturating_sub(pipe.bytes.len());
            state.part(room.min(slices.iter().map(|slice| slice.len()).sum()))
        };
        if count == 0 {
            pipe.writers.add(cx);
            return Poll::Pending;
        }
        pipe.bytes.extend(slices.iter().flat_map(|slice| slice.iter().copied()).take(count));
        pipe.readers.wake();
        Poll::Ready(Ok(count))
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        None
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let unread = !self.incoming.lock().expect("nobody panics here").bytes.is_empty();
        if unread {
            self.fail();
        }
        let mut outgoing = self.outgoing.lock().expect("nobody panics here");
        outgoing.ended = true;
        outgoing.wake();
        drop(outgoing);
        // What is written from now on has no reader.
        let mut incoming = self.incoming.lock().expect("nobody panics here");
        incoming.reset = true;
        incoming.wake();
        drop(incoming);
        self.network.lock().streams -= 1;
    }
}

/// A listening socket, named after a real one that keeps the port.
#[derive(Debug)]
pub(crate) struct Listener {
    network: Network,
    address: SocketAddr,
    _port: std::net::TcpListener,
}

impl Listener {
    pub(crate) fn new(network: &Network, port: std::net::TcpListener) -> io::Result<Self> {
        let address = port.local_addr()?;
        if let Outcome::Fails(kind) = network.lock().call(true) {
            if kind != io::ErrorKind::Interrupted {
                return Err(kind.into());
            }
        }
        network.lock().listeners.insert(address, Backlog::default());
        Ok(Self { network: network.clone(), address, _port: port })
    }
}

impl runtime::TcpListener for Listener {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        let mut state = self.network.lock();
        match state.call(true) {
            Outcome::Works => {}
            Outcome::NotReady => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Outcome::Fails(kind) => return Poll::Ready(Err(kind.into())),
        }
        let backlog = state.listeners.get_mut(&self.address).expect("it is listening");
        match backlog.streams.pop_front() {
            Some((stream, from)) => Poll::Ready(Ok((Box::new(stream), from))),
            None => {
                backlog.acceptors.add(cx);
                Poll::Pending
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let backlog = self.network.lock().listeners.remove(&self.address);
        drop(backlog);
    }
}

/// What has come to a UDP socket.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    receivers: Wakers,
}

/// How many datagrams a UDP socket holds; past it they are lost.
const MAILBOX: usize = 64;

/// A UDP socket, named after a real one that keeps the port.
#[derive(Debug)]
pub(crate) struct Udp {
    network: Network,
    address: SocketAddr,
    is_client: bool,
    _port: std::net::UdpSocket,
}

impl Udp {
    pub(crate) fn new(network: &Network, port: std::net::UdpSocket) -> io::Result<Self> {
        // A client's socket is connected or bound to any address, and sends from the one that the test says.
        let local = port.local_addr()?;
        let is_client = port.peer_addr().is_ok() || local.ip().is_unspecified();
        let ip = if is_client { network.lock().ways.clients } else { Ipv4Addr::LOCALHOST };
        let address = SocketAddr::from((ip, local.port()));
        if let Outcome::Fails(kind) = network.lock().call(true) {
            if kind != io::ErrorKind::Interrupted {
                return Err(kind.into());
            }
        }
        network.lock().mailboxes.insert(address, Mailbox::default());
        Ok(Self { network: network.clone(), address, is_client, _port: port })
    }
}

impl runtime::UdpSocket for Udp {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.network.lock();
        match state.call(false) {
            Outcome::Works => {}
            Outcome::NotReady => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Outcome::Fails(kind) => return Poll::Ready(Err(kind.into())),
        }
        let mailbox = state.mailboxes.get_mut(&self.address).expect("it is bound");
        let mut count = 0;
        for (buffer, meta) in buffers.iter_mut().zip(meta) {
            let Some((from, contents)) = mailbox.datagrams.pop_front() else { break };
            buffer[..contents.len()].copy_from_slice(&contents);
            meta.addr = from;
            meta.len = contents.len();
            meta.stride = contents.len();
            count += 1;
        }
        if count == 0 {
            mailbox.receivers.add(cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok(count))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut state = self.network.lock();
        match state.call(false) {
            Outcome::Works => {}
            Outcome::NotReady => return Err(io::ErrorKind::WouldBlock.into()),
            Outcome::Fails(kind) => return Err(kind.into()),
        }
        let length = transmit.segment_size.unwrap_or(usize::MAX);
        if !self.is_client && state.ways.full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if !self.is_client {
            let datagrams: Vec<_> = transmit.contents.chunks(length).map(<[u8]>::to_vec).collect();
            let taken = transmit.segment_size.is_none_or(|length| length <= state.ways.widest);
            state.ways.sent.push(Sent { datagrams, taken });
            if !taken {
                return Err(state.ways.refusal.into());
            }
        }
        for contents in transmit.contents.chunks(length) {
            if state.random.u64(0..100) < state.faults.lost {
                continue;
            }
            if let Some(mailbox) = state.mailboxes.get_mut(&transmit.destination) {
                if mailbox.datagrams.len() < MAILBOX {
                    mailbox.datagrams.push_back((self.address, contents.to_vec()));
                }
                mailbox.receivers.wake();
            }
        }
        if transmit.contents.is_empty() {
            if let Some(mailbox) = state.mailboxes.get_mut(&transmit.destination) {
                mailbox.datagrams.push_back((self.address, Vec::new()));
                mailbox.receivers.wake();
            }
        }
        Ok(())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.network.lock();
        match state.call(false) {
            _ if !self.is_client && state.ways.full => Poll::Pending,
            Outcome::NotReady => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    fn max_segments(&self) -> usize {
        8
    }
}

impl Drop for Udp {
    fn drop(&mut self) {
        self.network.lock().mailboxes.remove(&self.address);
    }
}
