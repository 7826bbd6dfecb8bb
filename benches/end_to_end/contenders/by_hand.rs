//! The handshake as a game would write it by hand over tokio: hello, token, acknowledgement and Configure, and nothing that
//! guards them. What it takes beside [`Bare`](super::Bare) is the protocol's price, and the rest is the library's.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::oneshot;

use super::bare::SilentClient;
use super::{LOOPBACK, ended, server_sockets};
use crate::contender::{Addresses, Contender, Shape};
use crate::handshake::{ACKNOWLEDGEMENT, CONFIGURE, HELLO};

/// Configure, to the client with the id 1.
const FIRST: [u8; CONFIGURE] = [0, 0, 0, 5, 0x80, 0, 0, 0, 1];

/// Who waits for which token.
type Pending = Arc<Mutex<HashMap<[u8; HELLO], oneshot::Sender<()>>>>;

#[derive(Debug)]
pub(crate) struct ByHand;

impl Contender for ByHand {
    const NAME: &'static str = "by hand";
    type Client = SilentClient;
    type Server = ();

    async fn serve(_shape: Shape) -> io::Result<(Addresses, ())> {
        let (listener, socket, addresses) = server_sockets()?;
        let pending = Pending::default();
        tokio::spawn(acknowledge(socket, pending.clone()));
        tokio::spawn(async move {
            for number in 1_u64.. {
                let Ok((stream, _)) = listener.accept().await else { break };
                let mut hello = [1; HELLO];
                hello[1..].copy_from_slice(&number.to_be_bytes());
                tokio::spawn(keep(stream, hello, pending.clone()));
            }
        });
        Ok((addresses, ()))
    }

    async fn connect(to: Addresses, _shape: Shape) -> io::Result<SilentClient> {
        let mut stream = TcpStream::connect(to.tcp).await?;
        stream.set_nodelay(true)?;
        let mut hello = [0; HELLO];
        stream.read_exact(&mut hello).await?;
        let socket = UdpSocket::bind(LOOPBACK).await?;
        socket.connect(to.udp).await?;
        socket.send(&hello).await?;
        let mut acknowledgement = [0; ACKNOWLEDGEMENT + 1];
        let length = socket.recv(&mut acknowledgement).await?;
        let mut configure = [0; CONFIGURE];
        stream.read_exact(&mut configure).await?;
        if length != ACKNOWLEDGEMENT || acknowledgement[..8] != hello[1..] || configure != FIRST {
            return Err(ended());
        }
        Ok(SilentClient { _stream: stream, _socket: socket })
    }
}

/// Answers every token that somebody waits for, and tells him.
async fn acknowledge(socket: UdpSocket, pending: Pending) {
    let mut hello = [0; HELLO + 1];
    loop {
        let Ok((HELLO, from)) = socket.recv_from(&mut hello).await else { continue };
        let token = hello.first_chunk().copied().unwrap_or_default();
        let waiting = pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
        if let Some(waiting) = waiting {
            let mut acknowledgement = [0; ACKNOWLEDGEMENT];
            acknowledgement[..8].copy_from_slice(&token[1..]);
            let _ = socket.send_to(&acknowledgement, from).await;
            let _ = waiting.send(());
        }
    }
}

/// Says hello, waits for the token, configures, and stays until the client goes.
async fn keep(mut stream: TcpStream, hello: [u8; HELLO], pending: Pending) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (sender, arrived) = oneshot::channel();
    pending.lock().unwrap_or_else(PoisonError::into_inner).insert(hello, sender);
    stream.write_all(&hello).await?;
    arrived.await.map_err(|_| ended())?;
    stream.write_all(&FIRST).await?;
    stream.read_u8().await.map(drop)
}
