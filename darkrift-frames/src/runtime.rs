//! What a client or server is given to run on: the sockets, timers and tasks of a loop.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::thread;

use async_executor::Executor;
use darkrift_driver::nonblocking;
use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime, Timer};

use crate::budget::{Budget, Budgeted};
use crate::sockets::Sockets;
use crate::timers::Timers;

/// The runtime of a client or server that is updated once a frame.
///
/// [`FrameLoop::runtime`](crate::FrameLoop::runtime) gives the one of a loop, whose calls run everything that is begun on
/// it. A host name is looked up on a thread that ends with it, so that no call waits for a name server; an address is not
/// looked up at all.
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
        Box::pin(beside(move || Ok((host, port).to_socket_addrs()?.collect())))
    }

    fn is_parallel(&self) -> bool {
        false
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

/// Does what would keep the loop's thread on one of its own.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    // It never waits, so it runs once and nothing wakes it.
    let (work, result) = async_task::spawn(async { work() }, |_| {});
    thread::Builder::new().name("look-up".into()).spawn(|| work.run())?;
    result.await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::FrameLoop;

    #[test]
    fn no_update_waits_for_what_is_done_beside_it_and_a_wait_ends_with_it() {
        let mut network = FrameLoop::new().expect("there are sockets");
        let (answer, answered) = mpsc::channel();
        let events = network.events();
        let asking = async move {
            let result = beside(move || answered.recv().map_err(io::Error::other)).await;
            events.send(result.expect("an answer")).await
        };
        network.spawn(asking).detach();
        for _ in 0..3 {
            network.update();
            assert_eq!(network.next_event(), None);
        }
        answer.send(7).expect("it is awaited");
        network.wait(Duration::MAX);
        assert_eq!(network.next_event(), Some(7));
    }

    #[test]
    fn what_is_done_beside_it_may_be_left_to_itself() {
        let mut network = FrameLoop::<()>::new().expect("there are sockets");
        let (answer, answered) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let asking = network.spawn(beside(move || {
            tell.send("begun").map_err(io::Error::other)?;
            answered.recv().map_err(io::Error::other)?;
            tell.send("ended").map_err(io::Error::other)
        }));
        network.update();
        assert_eq!(told.recv(), Ok("begun"));
        drop((asking, network));
        answer.send(()).expect("it is awaited");
        assert_eq!(told.recv(), Ok("ended"));
    }
}
