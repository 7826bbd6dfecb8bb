//! tokio with a clock that the test sets, which tells its sockets to the test.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use darkrift_driver::runtime::{BoxFuture, Instant, Runtime, TcpListener, TcpStream, Timer, UdpSocket};
use darkrift_tokio::Tokio;

/// tokio whose time goes on where [`advance`](Self::advance) says so.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    tokio: Tokio,
    clock: Arc<Mutex<Clock>>,
    streams: Arc<Mutex<Vec<std::net::TcpStream>>>,
}

#[derive(Debug, Default)]
struct Clock {
    passed: Duration,
    waiting: Vec<Waker>,
}

impl Watched {
    /// Lets time pass.
    pub(crate) fn advance(&self, time: Duration) {
        let mut clock = self.clock.lock().unwrap();
        clock.passed += time;
        clock.waiting.drain(..).for_each(Waker::wake);
    }

    /// The streams that were opened or accepted, each another handle of the socket.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) fn streams(&self) -> Vec<std::net::TcpStream> {
        std::mem::take(&mut self.streams.lock().unwrap())
    }
}

fn note(streams: &Mutex<Vec<std::net::TcpStream>>, stream: &dyn TcpStream) {
    let socket = stream.socket().expect("tokio has sockets").try_clone().unwrap();
    streams.lock().unwrap().push(socket.into());
}

impl Runtime for Watched {
    fn now(&self) -> Instant {
        Instant::ZERO + self.clock.lock().unwrap().passed
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(At { at, clock: self.clock.clone() })
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.tokio.spawn(task);
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        self.tokio.resolve(host, port)
    }

    fn come_back(&self, waker: &Waker) {
        self.tokio.come_back(waker);
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn TcpStream>>> {
        let (connecting, streams) = (self.tokio.connect(to), self.streams.clone());
        Box::pin(async move {
            let stream = connecting.await?;
            note(&streams, &*stream);
            Ok(stream)
        })
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Box<dyn TcpListener>> {
        let listener = self.tokio.wrap_tcp_listener(listener)?;
        Ok(Box::new(Listener { listener, streams: self.streams.clone() }))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn UdpSocket>> {
        self.tokio.wrap_udp_socket(socket)
    }
}

struct At {
    at: Instant,
    clock: Arc<Mutex<Clock>>,
}

impl Timer for At {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.at = at;
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut clock = self.clock.lock().unwrap();
        if Instant::ZERO + clock.passed >= self.at {
            return Poll::Ready(());
        }
        clock.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

#[derive(Debug)]
struct Listener {
    listener: Box<dyn TcpListener>,
    streams: Arc<Mutex<Vec<std::net::TcpStream>>>,
}

impl TcpListener for Listener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn TcpStream>, SocketAddr)>> {
        let accepted = self.listener.poll_accept(cx);
        if let Poll::Ready(Ok((stream, _))) = &accepted {
            note(&self.streams, &**stream);
        }
        accepted
    }
}
