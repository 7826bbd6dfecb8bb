//! UDP in batches.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

use std::io::{self, IoSliceMut};
use std::task::{Context, Poll};

use darkrift_driver::UdpBatch;
use darkrift_driver::runtime::{self, RecvMeta, SockRef, Transmit};

#[cfg(not(unix))]
use self::elsewhere::Socket;
#[cfg(unix)]
use self::unix::Socket;

#[derive(Debug)]
pub(crate) struct UdpSocket {
    socket: Socket,
    batch: UdpBatch,
}

impl UdpSocket {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let batch = UdpBatch::new(&SockRef::from(&socket))?;
        Ok(Self { socket: Socket::new(socket)?, batch })
    }
}

impl runtime::UdpSocket for UdpSocket {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_receive(cx, |socket| {
            let count = self.batch.receive(socket, buffers, meta)?;
            // A call that could have brought more has found the socket empty: the runtime is told so, and the
            // next call waits for the next datagram without asking the system first.
            let is_empty = count < buffers.len().min(UdpBatch::BUFFERS);
            Ok(Received { count, is_empty })
        })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(|socket| self.batch.send(socket, transmit))
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    fn max_segments(&self) -> usize {
        self.batch.max_segments()
    }
}

/// What a call has brought.
struct Received {
    /// How many buffers it has filled.
    count: usize,
    /// Whether nothing is left.
    is_empty: bool,
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::SocketAddr;

    use darkrift_driver::runtime::UdpSocket as _;

    use super::*;

    fn on_tokio<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(test)
    }

    fn bind() -> (UdpSocket, SocketAddr) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        (UdpSocket::new(socket).unwrap(), address)
    }

    fn send(socket: &UdpSocket, destination: SocketAddr, contents: &[u8]) {
        let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
        socket.try_send(&transmit).unwrap();
    }

    /// The lengths of the datagrams that one call brings, of two at most.
    async fn receive(socket: &UdpSocket) -> Vec<usize> {
        let mut memory = [[0; 100]; 2];
        let mut meta = [RecvMeta::default(); 2];
        let mut buffers = memory.each_mut().map(|memory| IoSliceMut::new(memory));
        let count = poll_fn(|cx| socket.poll_receive(cx, &mut buffers, &mut meta)).await.unwrap();
        meta[..count].iter().map(|meta| meta.len).collect()
    }

    #[test]
    fn every_datagram_is_received_whether_the_call_before_left_some_or_found_the_socket_empty() {
        on_tokio(async {
            let (server, to) = bind();
            let (client, _) = bind();
            for round in 0..3 {
                let mut expected: Vec<usize> = (1..=5).map(|length| 10 * length + round).collect();
                for &length in &expected {
                    send(&client, to, &[7; 100][..length]);
                }
                while !expected.is_empty() {
                    let received = receive(&server).await;
                    let rest = expected.split_off(received.len());
                    assert_eq!(std::mem::replace(&mut expected, rest), received);
                }
                // It waits, and what comes then wakes it.
                let sends = async {
                    tokio::task::yield_now().await;
                    send(&client, to, &[7; 9]);
                };
                let ((), received) = tokio::join!(sends, receive(&server));
                assert_eq!(received, [9]);
            }
        });
    }

    #[test]
    fn a_socket_tells_that_it_takes_output_each_time_that_it_is_asked() {
        on_tokio(async {
            let (socket, to) = bind();
            for _ in 0..3 {
                poll_fn(|cx| socket.poll_writable(cx)).await.unwrap();
                send(&socket, to, b"itself");
                assert_eq!(receive(&socket).await, [6]);
            }
        });
    }
}
