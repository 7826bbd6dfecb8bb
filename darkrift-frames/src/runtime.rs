//! What a client or server is given to run on: the sockets, timers and tasks of a loop.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Weak};

use async_executor::Executor;
use darkrift_driver::nonblocking;
use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime, Timer};

use crate::budget::{Budget, Budgeted};
use crate::sockets::Sockets;
use crate::timers::Timers;

/// The runtime of a client or server that is updated once a frame.
///
/// [`FrameLoop::runtime`](crate::FrameLoop::runtime) gives the one of a loop, whose calls run everything that is begun on
/// it. A host name is looked up within such a call, which may take a while; an address is not.
#[derive(Debug)]
pub struct Frames {
    pub(crate) sockets: Sockets,
    pub(crate) timers: Arc<Timers>,
    pub(crate) budget: Arc<Budget>,
    /// Weak, since its tasks hold this.
    pub(crate) executor: Weak<Executor<'static>>,
}

impl Runtime for Frames {
    fn now(&self) -> Instant {
        self.timers.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(self.timers.timer(at))
    }

    fn spawn(&self, task: BoxFuture<()>) {
        // Without an executor the loop is gone, and so is its task.
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(task).detach();
        }
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok((host, port).to_socket_addrs()?.collect()) })
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        let (sockets, budget) = (self.sockets.clone(), self.budget.clone());
        Box::pin(async move { Ok(Budgeted::new(&budget, nonblocking::connect(sockets, to).await?) as _) })
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Box<dyn runtime::TcpListener>> {
        let listener = nonblocking::wrap_tcp_listener(self.sockets.clone(), listener)?;
        Ok(Budgeted::new(&self.budget, listener))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        Ok(Budgeted::new(&self.budget, nonblocking::wrap_udp_socket(self.sockets.clone(), socket)?))
    }
}
