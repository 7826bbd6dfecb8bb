//! Sockets for adapters that are told when one is ready, and no more: the system's own, set non-blocking.
//!
//! Such an adapter implements [`Reactor`], and its [`Runtime`](crate::runtime::Runtime) has [`connect`],
//! [`wrap_tcp_listener`] and [`wrap_udp_socket`] do the rest: they try each call, and wait only where it would block.

use std::fmt::Debug;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::net::{self, SocketAddr};
use std::task::{Context, Poll, ready};

pub use socket2::Socket;
use socket2::{Domain, Protocol, Type};

use crate::UdpBatch;
use crate::runtime::{self, RecvMeta, SockRef, Transmit};

/// What tells when a socket is ready.
pub trait Reactor: Clone + Debug + Send + Sync + 'static {
    /// A socket that is watched, until it is dropped.
    type Watched: Debug + Send + Sync + 'static;

    /// Begins to watch a non-blocking socket.
    ///
    /// # Errors
    /// When it cannot be watched.
    fn watch(&self, socket: Socket) -> io::Result<Self::Watched>;

    /// The socket itself.
    fn socket(watched: &Self::Watched) -> &Socket;

    /// Ready once the socket may be read again; called when that would have blocked. The waker replaces the one before.
    fn poll_readable(watched: &Self::Watched, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ready once the socket may be written again, in the same way.
    fn poll_writable(watched: &Self::Watched, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Opens a TCP connection, as [`Runtime::connect`](crate::runtime::Runtime::connect).
///
/// # Errors
/// When there is none, for whatever reason the system gives.
///
/// # Cancel safety
/// Dropping the future gives the attempt up.
pub async fn connect<R: Reactor>(reactor: R, to: SocketAddr) -> io::Result<Box<dyn runtime::TcpStream>> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if let Err(error) = socket.connect(&to.into()) {
        if !is_under_way(&error) {
            return Err(error);
        }
    }
    let watched = reactor.watch(socket)?;
    let is_connected = || match (R::socket(&watched).take_error()?, R::socket(&watched).peer_addr()) {
        (Some(error), _) => Err(error),
        (None, Ok(_)) => Ok(()),
        // Not yet, and nothing has gone wrong.
        (None, Err(_)) => Err(io::ErrorKind::WouldBlock.into()),
    };
    poll_fn(|cx| attempt(is_connected, || R::poll_writable(&watched, cx))).await?;
    Ok(Box::new(TcpStream::<R>(watched)))
}

/// Whether a connect that did not succeed at once has not failed either. Unix and Windows say it differently.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

/// Takes over a listening socket, as [`Runtime::wrap_tcp_listener`](crate::runtime::Runtime::wrap_tcp_listener).
///
/// # Errors
/// When it cannot be watched.
pub fn wrap_tcp_listener<R: Reactor>(
    reactor: R,
    listener: net::TcpListener,
) -> io::Result<Box<dyn runtime::TcpListener>> {
    Ok(Box::new(TcpListener { watched: reactor.watch(listener.into())?, reactor }))
}

/// Takes over a UDP socket, as [`Runtime::wrap_udp_socket`](crate::runtime::Runtime::wrap_udp_socket).
///
/// # Errors
/// When it cannot be watched, or lacks an option that [`UdpBatch`] needs.
pub fn wrap_udp_socket<R: Reactor>(
    reactor: R,
    socket: net::UdpSocket,
) -> io::Result<Box<dyn runtime::UdpSocket>> {
    let batch = UdpBatch::new(&SockRef::from(&socket))?;
    Ok(Box::new(UdpSocket::<R> { watched: reactor.watch(socket.into())?, batch }))
}

/// Tries the call, and waits where it would block.
fn attempt<T>(
    mut call: impl FnMut() -> io::Result<T>,
    mut wait: impl FnMut() -> Poll<io::Result<()>>,
) -> Poll<io::Result<T>> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(wait())?,
            result => return Poll::Ready(result),
        }
    }
}

#[derive(Debug)]
struct TcpStream<R: Reactor>(R::Watched);

impl<R: Reactor> runtime::TcpStream for TcpStream<R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        attempt(|| R::socket(&self.0).read(buffer), || R::poll_readable(&self.0, cx))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let call = || match slices {
            // The kernel has less to look at.
            [slice] => R::socket(&self.0).send_with_flags(slice, runtime::NO_SIGNAL),
            slices => R::socket(&self.0).send_vectored_with_flags(slices, runtime::NO_SIGNAL),
        };
        attempt(call, || R::poll_writable(&self.0, cx))
    }

    fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(R::socket(&self.0)))
    }
}

#[derive(Debug)]
struct TcpListener<R: Reactor> {
    watched: R::Watched,
    /// What its streams are watched by, too.
    reactor: R,
}

impl<R: Reactor> runtime::TcpListener for TcpListener<R> {
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Box<dyn runtime::TcpStream>, SocketAddr)>> {
        let accepted = attempt(|| R::socket(&self.watched).accept(), || R::poll_readable(&self.watched, cx));
        let (socket, address) = ready!(accepted)?;
        socket.set_nonblocking(true)?;
        let address = address.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Poll::Ready(Ok((Box::new(TcpStream::<R>(self.reactor.watch(socket)?)), address)))
    }
}

#[derive(Debug)]
struct UdpSocket<R: Reactor> {
    watched: R::Watched,
    batch: UdpBatch,
}

impl<R: Reactor> runtime::UdpSocket for UdpSocket<R> {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let socket = R::socket(&self.watched);
        attempt(|| self.batch.receive(socket, buffers, meta), || R::poll_readable(&self.watched, cx))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.batch.send(R::socket(&self.watched), transmit)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        R::poll_writable(&self.watched, cx)
    }

    fn max_segments(&self) -> usize {
        self.batch.max_segments()
    }
}
