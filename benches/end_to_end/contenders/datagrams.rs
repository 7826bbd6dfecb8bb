//! Raw tokio UDP, as a client and as an echo server: a message is a datagram.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::LOOPBACK;
use crate::contender::{Answer, Mode, Patience, Shape};

/// The longest payload that UDP carries over IPv4, in bytes.
const LONGEST: usize = 65_507;

pub(crate) async fn echo_datagrams(socket: UdpSocket) {
    let mut buffer = vec![0; LONGEST];
    loop {
        // An error is about one datagram: that of a client that has gone, for one.
        if let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&buffer[..length], from).await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Datagrams {
    socket: UdpSocket,
    buffer: Box<[u8]>,
    patience: Patience,
}

impl Datagrams {
    pub(crate) async fn connect(to: SocketAddr, shape: Shape) -> io::Result<Self> {
        let socket = UdpSocket::bind(LOOPBACK).await?;
        socket.connect(to).await?;
        Ok(Self { socket, buffer: vec![0; 2048].into(), patience: Patience::new(shape) })
    }

    pub(crate) async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        self.patience.sent();
        self.socket.send(payload).await.map(drop)
    }

    pub(crate) async fn recv(&mut self) -> io::Result<Option<Answer>> {
        match self.patience.wait(self.socket.recv(&mut self.buffer)).await {
            Some(length) => Answer::read(Mode::Unreliable, &self.buffer[..length?]).map(Some),
            None => Ok(None),
        }
    }
}
