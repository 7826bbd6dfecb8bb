//! What a runtime provides: sockets, a timer, tasks, and the time. An adapter implements these and nothing else.

use std::fmt::Debug;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub use darkrift_proto::Instant;
pub use quinn_udp::{RecvMeta, Transmit};
pub use socket2::SockRef;

/// The flag of a call that sends on a stream: a peer that has gone shall be an error, and not a signal that ends a program
/// whose `main` is not Rust's, as where a game engine has loaded this as a library.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// The same where calls have no such flag: Windows has no such signal, and on Apple's systems the standard library and
/// `socket2` set it as an option of the socket.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
pub const NO_SIGNAL: i32 = 0;

/// A future that owns what it needs and may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Everything the driver asks of a runtime.
///
/// Each method touches the reactor and nothing of the protocol, so an adapter has no decisions to make.
pub trait Runtime: Debug + Send + Sync + 'static {
    /// The time now, monotonic, since any fixed point of this value's.
    fn now(&self) -> Instant;

    /// A timer that becomes ready at `at`.
    fn timer(&self, at: Instant) -> Pin<Box<dyn Timer>>;

    /// Runs a task to its end, in the background.
    fn spawn(&self, task: BoxFuture<()>);

    /// Looks up the name `host`, and gives each address that it has, with `port`. Addresses in numbers do not come here.
    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>>;

    /// Wakes this once other tasks have had their turn, and the runtime has looked at its sockets. Overridden where a task
    /// that wakes itself may run again before that.
    fn come_back(&self, waker: &Waker) {
        waker.wake_by_ref();
    }

    /// Whether other threads run tasks while this one goes on. Then they help with broadcasts to many.
    fn is_parallel(&self) -> bool {
        true
    }

    /// Opens a TCP connection.
    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn TcpStream>>>;

    /// Takes over a listening socket that is already non-blocking.
    ///
    /// # Errors
    /// When the reactor cannot register it.
    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Box<dyn TcpListener>>;

    /// Takes over a bound socket that is already non-blocking; a client's is connected to the server on Linux.
    ///
    /// # Errors
    /// When the reactor cannot register it.
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn UdpSocket>>;
}

/// A timer that can be set again.
pub trait Timer: Send {
    /// Moves the moment at which it becomes ready.
    fn reset(self: Pin<&mut Self>, at: Instant);

    /// Ready once the moment has come.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

/// One TCP connection.
pub trait TcpStream: Debug + Send + 'static {
    /// Reads what there is into `buffer`; 0 at the end of the stream. When it is pending, the waker is woken once
    /// the stream may be read.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from `slices` in one call, as much as the socket takes. When it is pending, the waker is woken once
    /// the stream may be written.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// The socket itself, for its options, its addresses and its shutdown; `None` where there is none (a mock).
    fn socket(&self) -> Option<SockRef<'_>>;
}

/// A listening TCP socket.
pub trait TcpListener: Debug + Send + 'static {
    /// Takes the next connection.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn TcpStream>, SocketAddr)>>;
}

/// A UDP socket, shaped for batches: several datagrams a call each way.
///
/// One task at a time waits for each direction; a later waker replaces an earlier one.
pub trait UdpSocket: Debug + Send + Sync + 'static {
    /// Receives into `buffers`, one sender's datagrams a buffer, as described by `meta`; gives how many were
    /// filled.
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>>;

    /// Sends what `transmit` holds, or nothing of it.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes no more now; anything else is of these datagrams alone.
    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()>;

    /// Ready once the socket may be written.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// How many datagrams of equal length [`try_send`](Self::try_send) takes at once: 1 where the system has no
    /// segmentation offload.
    fn max_segments(&self) -> usize;
}
