//! One message to many: from one server to a thousand receivers, the next as soon as all have the last.
//!
//! The receivers are the same for every contender, plain sockets that count, so that what differs is the server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_tokio::Server;
use darkrift_tokio::proto::SendMode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::contender::Mode;
use crate::contenders::ours::Payload;
use crate::contenders::{LOOPBACK, ended};
use crate::handshake::{PlainClient, handshake};
use crate::measure::{Figure, Tally, Timing, set_up, two_workers};

/// The payload of every broadcast, in bytes.
pub(crate) const PAYLOAD: usize = 100;
/// A length, flags and a tag: what goes before the payload on the stream.
const HEADER: usize = 7;
/// The part of it that is not in a datagram.
const LENGTH_FIELD: usize = 4;
/// What a receiver waits for after a datagram was lost.
const PATIENCE: Duration = Duration::from_millis(20);

/// A server that can send one message to all its clients.
pub(crate) trait Broadcaster: Sized + Send + 'static {
    /// A server, and so many receivers that it knows.
    fn new(receivers: usize, mode: Mode) -> impl Future<Output = io::Result<(Self, Vec<Receiver>)>> + Send;

    /// Sends the payload to all, with a tag.
    fn broadcast(&mut self, payload: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Broadcast {
    pub(crate) mode: Mode,
    pub(crate) receivers: usize,
}

impl Broadcast {
    /// Deliveries a second.
    pub(crate) fn run<B: Broadcaster>(self, timing: Timing) -> io::Result<Figure> {
        let runtime = two_workers()?;
        let tally = Tally::new(self.receivers);
        set_up(&runtime, async {
            let (broadcaster, receivers) = B::new(self.receivers, self.mode).await?;
            let delivered = Arc::new(Delivered::default());
            for (index, receiver) in receivers.into_iter().enumerate() {
                tokio::spawn(tally.watch(receiver.count(index, Arc::clone(&delivered), Arc::clone(&tally))));
            }
            tokio::spawn(tally.watch(self.send(broadcaster, delivered, Arc::clone(&tally))));
            Ok(())
        })?;
        // A new TCP connection acknowledges its first segments one by one: all have to get past them first.
        tally.rate(timing.times(5, 3))
    }

    async fn send(
        self,
        mut to: impl Broadcaster,
        delivered: Arc<Delivered>,
        tally: Arc<Tally>,
    ) -> io::Result<()> {
        let mut lost = 0;
        for broadcast in 0_u64.. {
            if tally.is_stopping() {
                break;
            }
            let mut payload = [0; PAYLOAD];
            payload[PAYLOAD - 8..].copy_from_slice(&broadcast.to_be_bytes());
            let all = (broadcast + 1) * self.receivers as u64 - lost;
            delivered.goal.store(all, Ordering::SeqCst);
            to.broadcast(&payload).await?;
            while delivered.count.load(Ordering::SeqCst) < all {
                let arrived = delivered.reached.notified();
                if self.mode == Mode::Reliable {
                    arrived.await;
                } else if timeout(PATIENCE, arrived).await.is_err() {
                    let missing = all.saturating_sub(delivered.count.load(Ordering::SeqCst));
                    lost += missing;
                    tally.add_lost(missing);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// How many deliveries there were, and at how many the next broadcast may start.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    count: AtomicU64,
    goal: AtomicU64,
    reached: Notify,
}

impl Delivered {
    fn add(&self, deliveries: u64) {
        let count = self.count.fetch_add(deliveries, Ordering::SeqCst) + deliveries;
        if count >= self.goal.load(Ordering::SeqCst) {
            self.reached.notify_one();
        }
    }
}

/// A plain socket that counts what arrives; and the other half of its connection, kept open.
#[derive(Debug)]
pub(crate) enum Receiver {
    Stream(TcpStream, Option<UdpSocket>),
    Datagrams(UdpSocket, Option<TcpStream>),
}

impl Receiver {
    async fn count(self, index: usize, delivered: Arc<Delivered>, tally: Arc<Tally>) -> io::Result<()> {
        match self {
            Self::Stream(mut stream, _kept) => {
                let mut input = BytesMut::with_capacity(4 * (HEADER + PAYLOAD));
                let mut next = 0;
                while !tally.is_stopping() {
                    input.reserve(HEADER + PAYLOAD);
                    if stream.read_buf(&mut input).await? == 0 {
                        return Err(ended());
                    }
                    let before = next;
                    while input.len() >= HEADER + PAYLOAD {
                        check(&input[HEADER..HEADER + PAYLOAD], |sequence| sequence == next)?;
                        input.advance(HEADER + PAYLOAD);
                        next += 1;
                    }
                    tally.set_answers(index, next);
                    delivered.add(next - before);
                }
            }
            Self::Datagrams(socket, _kept) => {
                let mut input = [0; 256];
                let mut next = 0;
                while !tally.is_stopping() {
                    let length = socket.recv(&mut input).await?;
                    check(&input[HEADER - LENGTH_FIELD..length], |sequence| sequence >= next)?;
                    next += 1;
                    tally.set_answers(index, next);
                    delivered.add(1);
                }
            }
        }
        Ok(())
    }
}

fn check(payload: &[u8], is_right: impl FnOnce(u64) -> bool) -> io::Result<()> {
    let sequence = payload.last_chunk().map(|&bytes| u64::from_be_bytes(bytes));
    if payload.len() == PAYLOAD && sequence.is_some_and(is_right) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "a broadcast of {} bytes with number {sequence:?} is not the next",
        payload.len()
    )))
}

/// The bytes that every contender sends, so that the work of the sockets is the same.
fn frame(payload: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&((HEADER - LENGTH_FIELD + payload.len()) as u32).to_be_bytes());
    frame.extend_from_slice(&[0, 0, 1]);
    frame.extend_from_slice(payload);
    frame
}

/// A bare loop of writes of the same bytes.
#[derive(Debug)]
pub(crate) enum BareLoop {
    Streams(Vec<TcpStream>),
    Datagrams(UdpSocket, Vec<SocketAddr>),
}

impl Broadcaster for BareLoop {
    async fn new(receivers: usize, mode: Mode) -> io::Result<(Self, Vec<Receiver>)> {
        match mode {
            Mode::Reliable => {
                let (streams, receivers) = connected(receivers).await?;
                Ok((Self::Streams(streams), receivers))
            }
            Mode::Unreliable => {
                let sender = UdpSocket::bind(LOOPBACK).await?;
                let (mut addresses, mut sockets) = (Vec::new(), Vec::new());
                for _ in 0..receivers {
                    let socket = UdpSocket::bind(LOOPBACK).await?;
                    socket.connect(sender.local_addr()?).await?;
                    addresses.push(socket.local_addr()?);
                    sockets.push(Receiver::Datagrams(socket, None));
                }
                Ok((Self::Datagrams(sender, addresses), sockets))
            }
        }
    }

    async fn broadcast(&mut self, payload: &[u8]) -> io::Result<()> {
        let frame = frame(payload);
        match self {
            Self::Streams(streams) => {
                for stream in streams {
                    let written = stream.try_write(&frame).unwrap_or(0);
                    if written < frame.len() {
                        stream.write_all(&frame[written..]).await?;
                    }
                }
            }
            Self::Datagrams(socket, addresses) => {
                for &address in addresses.iter() {
                    if socket.try_send_to(&frame[LENGTH_FIELD..], address).is_err() {
                        socket.send_to(&frame[LENGTH_FIELD..], address).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The library: its server, and a task for each client that receives what the client says, as a game has one.
#[derive(Debug)]
pub(crate) struct Broadcasting {
    server: Server,
    mode: SendMode,
}

impl Broadcaster for Broadcasting {
    async fn new(receivers: usize, mode: Mode) -> io::Result<(Self, Vec<Receiver>)> {
        let server = Server::bind(LOOPBACK).await.map_err(io::Error::other)?;
        let mut sockets = Vec::new();
        for _ in 0..receivers {
            // It blocks, but the server runs on the workers, and nothing else waits here.
            let PlainClient { stream, socket } = handshake(server.local_addr())?;
            stream.set_nonblocking(true)?;
            socket.set_nonblocking(true)?;
            let (stream, socket) = (TcpStream::from_std(stream)?, UdpSocket::from_std(socket)?);
            sockets.push(match mode {
                Mode::Reliable => Receiver::Stream(stream, Some(socket)),
                Mode::Unreliable => Receiver::Datagrams(socket, Some(stream)),
            });
            let client = server.accept().await.ok_or_else(ended)?;
            tokio::spawn(async move { while client.recv().await.is_some() {} });
        }
        let mode = match mode {
            Mode::Reliable => SendMode::Reliable,
            Mode::Unreliable => SendMode::Unreliable,
        };
        Ok((Self { server, mode }, sockets))
    }

    async fn broadcast(&mut self, payload: &[u8]) -> io::Result<()> {
        let report = self.server.broadcast(self.mode, &Payload(payload)).map_err(io::Error::other)?;
        if report.behind.is_empty() { Ok(()) } else { Err(io::Error::other("a receiver is behind")) }
    }
}

/// One task per connection, which is handed the message through a channel.
#[derive(Debug)]
pub(crate) struct TaskEach(Vec<mpsc::Sender<Bytes>>);

impl Broadcaster for TaskEach {
    async fn new(receivers: usize, mode: Mode) -> io::Result<(Self, Vec<Receiver>)> {
        if mode == Mode::Unreliable {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let (streams, receivers) = connected(receivers).await?;
        let senders = streams.into_iter().map(|mut stream| {
            let (sender, mut messages) = mpsc::channel::<Bytes>(64);
            tokio::spawn(async move {
                while let Some(message) = messages.recv().await {
                    stream.write_all(&message).await?;
                }
                io::Result::Ok(())
            });
            sender
        });
        Ok((Self(senders.collect()), receivers))
    }

    async fn broadcast(&mut self, payload: &[u8]) -> io::Result<()> {
        let frame = frame(payload).freeze();
        for sender in &self.0 {
            sender.send(frame.clone()).await.map_err(|_| ended())?;
        }
        Ok(())
    }
}

async fn connected(count: usize) -> io::Result<(Vec<TcpStream>, Vec<Receiver>)> {
    let listener = TcpListener::bind(LOOPBACK).await?;
    let address = listener.local_addr()?;
    let (mut streams, mut receivers) = (Vec::new(), Vec::new());
    for _ in 0..count {
        receivers.push(Receiver::Stream(TcpStream::connect(address).await?, None));
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok((streams, receivers))
}
