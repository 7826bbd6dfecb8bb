//! What is counted.

use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};

use darkrift_tokio::proto::{EncodeError, SendMode, ToMessage, Writer};
use darkrift_tokio::{Client, Server};
use stats_alloc::Region;
use tokio::runtime::Runtime;

use crate::handshake::{PlainClient, handshake};
use crate::{ALLOCATOR, Row, allocations};

/// Messages before the count begins, so that buffers and queues have their size.
const WARM_UP: usize = 2_000;
/// Messages counted.
const MESSAGES: usize = 20_000;
/// Messages that are under way at the same time at most.
const BATCH: usize = 100;
/// Who hears a broadcast.
const LISTENERS: usize = 50;
/// Broadcasts counted.
const BROADCASTS: usize = 500;

/// The payload of every message, in bytes.
const PAYLOAD: usize = 24;
/// The same with flags and tag: as it is in a datagram.
const DATAGRAM: usize = 3 + PAYLOAD;
/// The same with its length: as it is on the stream.
const FRAME: usize = 4 + DATAGRAM;

/// A value of the game's own, written straight into the message.
struct Position([u64; PAYLOAD / 8]);

impl ToMessage for Position {
    fn tag(&self) -> u16 {
        1
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.0.iter().for_each(|&part| writer.write_u64(part));
        Ok(())
    }
}

pub(crate) fn all(runtime: &Runtime) -> io::Result<Vec<Row>> {
    Ok(vec![
        received(runtime, SendMode::Reliable, BATCH, "reliable message received, 100 at a time", 1.0)?,
        received(runtime, SendMode::Reliable, 1, "reliable message received, one at a time", 1.0)?,
        received(runtime, SendMode::Unreliable, BATCH, "unreliable message received, 100 at a time", 1.0)?,
        received(runtime, SendMode::Unreliable, 1, "unreliable message received, one at a time", 1.0)?,
        sent(runtime, SendMode::Reliable, BATCH, "reliable message sent, 100 at a time", 1.0)?,
        sent(runtime, SendMode::Reliable, 1, "reliable message sent, one at a time", 1.0)?,
        sent(runtime, SendMode::Unreliable, BATCH, "unreliable message sent, 100 at a time", 1.0)?,
        sent(runtime, SendMode::Unreliable, 1, "unreliable message sent, one at a time", 1.0)?,
        broadcast(runtime, SendMode::Reliable, "reliable broadcast to 50 clients", 1.0)?,
        broadcast(runtime, SendMode::Unreliable, "unreliable broadcast to 50 clients", 1.0)?,
    ])
}

fn connected(runtime: &Runtime) -> io::Result<(Server, Client, PlainClient)> {
    let server = runtime.block_on(Server::bind("127.0.0.1:0")).map_err(io::Error::other)?;
    let plain = handshake(server.local_addr())?;
    let client = runtime.block_on(server.accept()).ok_or_else(|| io::Error::other("the server ended"))?;
    Ok((server, client, plain))
}

/// The plain client sends, the library receives.
fn received(
    runtime: &Runtime,
    mode: SendMode,
    batch: usize,
    what: &'static str,
    most: f64,
) -> io::Result<Row> {
    let (_server, client, mut plain) = connected(runtime)?;
    let mut frames = Vec::new();
    for _ in 0..batch {
        frames.extend_from_slice(&(DATAGRAM as u32).to_be_bytes());
        frames.extend_from_slice(&[0, 0, 1]);
        frames.extend_from_slice(&[7; PAYLOAD]);
    }
    let mut exchange = |messages: usize| -> io::Result<()> {
        for _ in 0..messages / batch {
            match mode {
                SendMode::Reliable => plain.stream.write_all(&frames)?,
                SendMode::Unreliable => {
                    for frame in frames.chunks(FRAME) {
                        plain.socket.send(&frame[FRAME - DATAGRAM..])?;
                    }
                }
            }
            runtime.block_on(async {
                for _ in 0..batch {
                    let received = client.recv().await.ok_or_else(|| io::Error::other("the client ended"))?;
                    if received.payload()[..] != [7; PAYLOAD] {
                        return Err(io::Error::other("a payload is not what was sent"));
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    };
    exchange(WARM_UP)?;
    let region = Region::new(ALLOCATOR);
    exchange(MESSAGES)?;
    Ok(Row { what, most, figure: allocations(&region) / MESSAGES as f64 })
}

/// The library sends, the plain client receives.
fn sent(runtime: &Runtime, mode: SendMode, batch: usize, what: &'static str, most: f64) -> io::Result<Row> {
    let (_server, client, mut plain) = connected(runtime)?;
    let mut buffer = vec![0; FRAME * batch];
    let mut exchange = |messages: usize| -> io::Result<()> {
        for _ in 0..messages / batch {
            runtime.block_on(async {
                for number in 0..batch as u64 {
                    client.send(mode, &Position([number; PAYLOAD / 8])).await.map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            })?;
            hear(&mut plain.stream, &plain.socket, mode, &mut buffer)?;
        }
        Ok(())
    };
    exchange(WARM_UP)?;
    let region = Region::new(ALLOCATOR);
    exchange(MESSAGES)?;
    Ok(Row { what, most, figure: allocations(&region) / MESSAGES as f64 })
}

/// The library sends to many at once.
fn broadcast(runtime: &Runtime, mode: SendMode, what: &'static str, most: f64) -> io::Result<Row> {
    let server = runtime.block_on(Server::bind("127.0.0.1:0")).map_err(io::Error::other)?;
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push(handshake(server.local_addr())?);
        let client = runtime.block_on(server.accept()).ok_or_else(|| io::Error::other("the server ended"))?;
        runtime.spawn(async move { while client.recv().await.is_some() {} });
    }
    let mut buffer = [0; FRAME];
    let mut exchange = |broadcasts: usize| -> io::Result<()> {
        for number in 0..broadcasts as u64 {
            server.broadcast(mode, &Position([number; PAYLOAD / 8])).map_err(io::Error::other)?;
            for listener in &mut listeners {
                hear(&mut listener.stream, &listener.socket, mode, &mut buffer)?;
            }
        }
        Ok(())
    };
    exchange(BROADCASTS)?;
    let region = Region::new(ALLOCATOR);
    exchange(BROADCASTS)?;
    Ok(Row { what, most, figure: allocations(&region) / BROADCASTS as f64 })
}

/// Receives as many messages as the buffer has room for frames.
fn hear(stream: &mut TcpStream, socket: &UdpSocket, mode: SendMode, buffer: &mut [u8]) -> io::Result<()> {
    match mode {
        SendMode::Reliable => stream.read_exact(buffer),
        SendMode::Unreliable => {
            for datagram in buffer.chunks_mut(FRAME) {
                socket.recv(datagram)?;
            }
            Ok(())
        }
    }
}
