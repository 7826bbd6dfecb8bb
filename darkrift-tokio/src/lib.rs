//! A DarkRift 2 client and server for tokio.
//!
//! ```no_run
//! use darkrift_tokio::proto::{Message, SendMode};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = darkrift_tokio::Client::connect("127.0.0.1:4296").await?;
//! client.send(SendMode::Reliable, &Message::encode(5, "Hello World")?).await?;
//! while let Some(received) = client.recv().await {
//!     println!("tag {}: {:?}", received.tag(), received.decode::<String>());
//! }
//! println!("{}", client.close_reason().expect("it has closed"));
//! # Ok(())
//! # }
//! ```
//!
//! Everything here is [`darkrift_driver`] with tokio filled in.
//!
//! # Tests with a paused clock
//! Where a runtime's time is paused (`tokio::time::pause`), both ends belong into that runtime. It moves the clock on as soon as
//! nothing in it can go on, so what another thread is about to answer comes after every time limit.
//!
//! # Panics
//! `connect` and `bind` outside of a tokio runtime, or in one without I/O and time (`enable_all`), as everything of tokio's
//! does.
#![forbid(unsafe_code)]

mod udp;

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime, SockRef};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net;
use tokio::runtime::Handle;

use self::udp::UdpSocket;

darkrift_driver::adapter!(Tokio, "tokio");

/// The tokio runtime that is current where a client connects or a server binds.
#[derive(Debug)]
pub struct Tokio {
    start: tokio::time::Instant,
    is_parallel: bool,
}

impl Default for Tokio {
    fn default() -> Self {
        let workers = Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers());
        Self { start: tokio::time::Instant::now(), is_parallel: workers > 1 }
    }
}

impl Runtime for Tokio {
    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        let start = self.start;
        Box::pin(Timer { sleep: tokio::time::sleep_until(start + since_start(at)), start })
    }

    fn spawn(&self, task: BoxFuture<()>) {
        tokio::spawn(task);
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(net::lookup_host((host, port)).await?.collect()) })
    }

    fn come_back(&self, waker: &Waker) {
        // It looks at the sockets before the task runs again, which a task that wakes itself may do sixty times first. What
        // it has registered stays when the future goes.
        let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
    }

    fn is_parallel(&self) -> bool {
        self.is_parallel
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        Box::pin(async move { Ok(Box::new(TcpStream(net::TcpStream::connect(to).await?)) as _) })
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Box<dyn runtime::TcpListener>> {
        Ok(Box::new(TcpListener(net::TcpListener::from_std(listener)?)))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        Ok(Box::new(UdpSocket::new(socket)?))
    }
}

fn since_start(at: Instant) -> Duration {
    at - Instant::ZERO
}

pin_project_lite::pin_project! {
    struct Timer {
        #[pin]
        sleep: tokio::time::Sleep,
        start: tokio::time::Instant,
    }
}

impl runtime::Timer for Timer {
    fn reset(self: Pin<&mut Self>, at: Instant) {
        let this = self.project();
        this.sleep.reset(*this.start + since_start(at));
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

#[derive(Debug)]
struct TcpStream(net::TcpStream);

impl runtime::TcpStream for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let send = || {
            let socket = SockRef::from(&self.0);
            match slices {
                // The kernel has less to look at.
                [slice] => socket.send_with_flags(slice, runtime::NO_SIGNAL),
                slices => socket.send_vectored_with_flags(slices, runtime::NO_SIGNAL),
            }
        };
        loop {
            // Tried first, since asking whether the socket is ready costs a task that writes to many its turn.
            match self.0.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_write_ready(cx))?;
                }
                result => return Poll::Ready(result),
            }
        }
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(&self.0))
    }
}

#[derive(Debug)]
struct TcpListener(net::TcpListener);

impl runtime::TcpListener for TcpListener {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        let (stream, address) = ready!(self.0.poll_accept(cx))?;
        Poll::Ready(Ok((Box::new(TcpStream(stream)), address)))
    }
}
