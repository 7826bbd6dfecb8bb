//! The least that opens both channels: a TCP accept, and one exchange of datagrams.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UdpSocket};

use super::datagrams::echo_datagrams;
use super::{LOOPBACK, ended, server_sockets};
use crate::contender::{Addresses, Answer, Client, Contender, Mode, Shape};

/// What is exchanged in place of a token.
const GREETING: [u8; 9] = *b"\x01greeting";

#[derive(Debug)]
pub(crate) struct Bare;

/// A client that is connected, and says nothing.
#[derive(Debug)]
pub(crate) struct SilentClient {
    pub(super) _stream: TcpStream,
    pub(super) _socket: UdpSocket,
}

impl Contender for Bare {
    const NAME: &'static str = "bare";
    type Client = SilentClient;
    type Server = ();

    async fn serve(_shape: Shape) -> io::Result<(Addresses, ())> {
        let (listener, socket, addresses) = server_sockets()?;
        tokio::spawn(echo_datagrams(socket));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // The connection stays until its client goes.
                tokio::spawn(async move { stream.read_u8().await });
            }
        });
        Ok((addresses, ()))
    }

    async fn connect(to: Addresses, _shape: Shape) -> io::Result<SilentClient> {
        let stream = TcpStream::connect(to.tcp).await?;
        let socket = UdpSocket::bind(LOOPBACK).await?;
        socket.connect(to.udp).await?;
        socket.send(&GREETING).await?;
        let mut answer = [0; GREETING.len() + 1];
        let length = socket.recv(&mut answer).await?;
        if answer[..length] != GREETING {
            return Err(ended());
        }
        Ok(SilentClient { _stream: stream, _socket: socket })
    }
}

impl Client for SilentClient {
    async fn send(&mut self, _mode: Mode, _payload: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn recv(&mut self) -> io::Result<Option<Answer>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
