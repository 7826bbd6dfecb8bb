//! Baseline (c): blocking std sockets with no framing, one thread per connection.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;

use super::{LOOPBACK, ended, server_datagrams};
use crate::contender::{Addresses, Answer, Client, Contender, Mode, SILENCE, Shape};

#[derive(Debug)]
pub(crate) struct Blocking;

/// Ends the server's threads when it is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    ending: Arc<AtomicBool>,
    addresses: Addresses,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; where it fails, that thread has ended already.
        let _ = TcpStream::connect(self.addresses.tcp);
        // The others look up when they have waited for so long, and none may run into the next measurement.
        thread::sleep(2 * SILENCE);
    }
}

impl Contender for Blocking {
    const NAME: &'static str = "blocking";
    type Client = BlockingClient;
    type Server = Threads;

    async fn serve(shape: Shape) -> io::Result<(Addresses, Threads)> {
        let listener = TcpListener::bind(LOOPBACK)?;
        let socket = server_datagrams()?;
        socket.set_read_timeout(Some(SILENCE))?;
        let addresses = Addresses { tcp: listener.local_addr()?, udp: socket.local_addr()? };
        let ending = Arc::new(AtomicBool::new(false));
        thread::spawn({
            let ending = Arc::clone(&ending);
            move || echo_datagrams(&socket, &ending)
        });
        thread::spawn({
            let ending = Arc::clone(&ending);
            move || {
                for stream in listener.incoming() {
                    match stream {
                        Ok(stream) if !ending.load(Ordering::Relaxed) => {
                            thread::spawn(move || BlockingStream::new(stream, shape)?.echo());
                        }
                        _ => break,
                    }
                }
            }
        });
        Ok((addresses, Threads { ending, addresses }))
    }

    async fn connect(to: Addresses, shape: Shape) -> io::Result<BlockingClient> {
        match shape.channels {
            crate::contender::Channels::Only(Mode::Unreliable) => {
                let socket = UdpSocket::bind(LOOPBACK)?;
                socket.connect(to.udp)?;
                socket.set_read_timeout(Some(SILENCE))?;
                Ok(BlockingClient::Unreliable(socket))
            }
            _ => Ok(BlockingClient::Reliable(BlockingStream::new(TcpStream::connect(to.tcp)?, shape)?)),
        }
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        // Everything it awaits blocks, so one poll runs it to its end.
        thread::spawn(|| task.now_or_never());
    }
}

fn echo_datagrams(socket: &UdpSocket, ending: &AtomicBool) {
    let mut buffer = [0; 2048];
    while !ending.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..length], from);
        }
    }
}

/// A client of one channel or the other: blocking calls cannot wait for both.
#[derive(Debug)]
pub(crate) enum BlockingClient {
    Reliable(BlockingStream),
    Unreliable(UdpSocket),
}

impl Client for BlockingClient {
    async fn send(&mut self, _mode: Mode, payload: &[u8]) -> io::Result<()> {
        match self {
            Self::Reliable(stream) => stream.send(payload),
            Self::Unreliable(socket) => socket.send(payload).map(drop),
        }
    }

    async fn recv(&mut self) -> io::Result<Option<Answer>> {
        match self {
            Self::Reliable(stream) => stream.recv().map(Some),
            Self::Unreliable(socket) => {
                let mut buffer = [0; 2048];
                match socket.recv(&mut buffer) {
                    Ok(length) => Answer::read(Mode::Unreliable, &buffer[..length]).map(Some),
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// How much one call reads at most, and how much is queued before it is written.
const CHUNK: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct BlockingStream {
    stream: TcpStream,
    size: usize,
    buffer: Box<[u8]>,
    input: BytesMut,
    output: Vec<u8>,
}

impl BlockingStream {
    fn new(stream: TcpStream, shape: Shape) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let buffer = vec![0; CHUNK.max(shape.size)].into();
        Ok(Self { stream, size: shape.size, buffer, input: BytesMut::new(), output: Vec::new() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    fn fill(&mut self) -> io::Result<bool> {
        while self.input.len() < self.size {
            if !self.output.is_empty() {
                self.flush()?;
            }
            let length = self.stream.read(&mut self.buffer)?;
            if length == 0 {
                return Ok(false);
            }
            self.input.extend_from_slice(&self.buffer[..length]);
        }
        Ok(true)
    }

    fn echo(mut self) -> io::Result<()> {
        while self.fill()? {
            let whole = self.input.len() - self.input.len() % self.size;
            self.stream.write_all(&self.input[..whole])?;
            self.input.advance(whole);
        }
        Ok(())
    }

    fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        if self.output.len() + payload.len() > CHUNK {
            self.flush()?;
        }
        if payload.len() > CHUNK {
            return self.stream.write_all(payload);
        }
        self.output.extend_from_slice(payload);
        Ok(())
    }

    fn recv(&mut self) -> io::Result<Answer> {
        if !self.fill()? {
            return Err(ended());
        }
        let answer = Answer::read(Mode::Reliable, &self.input[..self.size]);
        self.input.advance(self.size);
        answer
    }
}
