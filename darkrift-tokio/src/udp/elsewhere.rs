//! Tokio's own socket, where the system has no descriptors.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::Received;

#[derive(Debug)]
pub(super) struct Socket(UdpSocket);

impl Socket {
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        Ok(Self(UdpSocket::from_std(socket)?))
    }

    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(&UdpSocket) -> io::Result<Received>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_recv_ready(cx))?;
            let mut received = None;
            let result = self.0.try_io(Interest::READABLE, || {
                let Received { count, is_empty } = receive(&self.0)?;
                received = Some(count);
                if is_empty { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (received, result) {
                (Some(count), _) => return Poll::Ready(Ok(count)),
                (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                (None, result) => return Poll::Ready(result.map(|()| 0)),
            }
        }
    }

    pub(super) fn try_send(&self, send: impl FnOnce(&UdpSocket) -> io::Result<()>) -> io::Result<()> {
        self.0.try_io(Interest::WRITABLE, || send(&self.0))
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_send_ready(cx)
    }
}
