//! A peer that sends faster than its messages are handled does not keep the thread for itself. Shown on a runtime whose
//! sockets are never without something to read, which a real one is for only as long as a test would rather not wait.

use std::future::{Future, ready};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use darkrift_driver::runtime::{self, BoxFuture, Instant, RecvMeta, Runtime, SockRef, Transmit};
use darkrift_testsuite::raw::{HELLO, configure, frame, user};

/// A runtime on which time stands still, nothing runs in the background, and a server has much to say.
#[derive(Debug, Default)]
struct Flooded;

#[derive(Debug)]
struct Never;

#[derive(Debug)]
struct Flood {
    /// The handshake, which comes before the flood.
    first: Vec<u8>,
}

impl Runtime for Flooded {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn timer(&self, _: Instant) -> Pin<Box<dyn runtime::Timer>> {
        Box::pin(Never)
    }

    fn spawn(&self, task: BoxFuture<()>) {
        // It never has its turn; one that is dropped would end its connection.
        std::mem::forget(task);
    }

    fn resolve(&self, _: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(ready(Ok(vec![(Ipv4Addr::LOCALHOST, port).into()])))
    }

    fn connect(&self, _: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        let first = [HELLO.to_vec(), frame(&configure(0))].concat();
        Box::pin(ready(Ok(Box::new(Flood { first }) as _)))
    }

    fn wrap_tcp_listener(&self, _: TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn wrap_udp_socket(&self, _: UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        Ok(Box::new(Never))
    }
}

impl runtime::Timer for Never {
    fn reset(self: Pin<&mut Self>, _: Instant) {}

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl runtime::UdpSocket for Never {
    fn poll_receive(
        &self,
        _: &mut Context<'_>,
        _: &mut [IoSliceMut<'_>],
        _: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn try_send(&self, _: &Transmit<'_>) -> io::Result<()> {
        Ok(())
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn max_segments(&self) -> usize {
        1
    }
}

impl runtime::TcpStream for Flood {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let bytes =
            if self.first.is_empty() { frame(&user(1, b"!")) } else { std::mem::take(&mut self.first) };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        None
    }
}

#[test]
fn a_recv_that_always_finds_something_lets_other_tasks_run() {
    const ENOUGH: u32 = 1_000_000;
    let mut received = 0;
    let mut task = pin!(async {
        let client = darkrift_driver::Client::<Flooded>::connect("flood:1").await.expect("it connects");
        while received < ENOUGH {
            client.recv().await.expect("the flood does not end");
            received += 1;
        }
    });
    let mut looks = 0;
    while task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        looks += 1;
        if looks == 3 {
            // It let go three times, with most still to come.
            return;
        }
    }
    panic!("it took {ENOUGH} messages and let go {looks} times");
}
