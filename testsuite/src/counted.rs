//! A runtime that counts its tasks, to see that none is left.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use darkrift_driver::runtime::{self, BoxFuture, Instant, Runtime};

use crate::Executor;
use crate::adapters::OnRuntime;

static TASKS: AtomicUsize = AtomicUsize::new(0);

/// How many tasks of all [`Counted`] runtimes have begun and not ended.
pub fn tasks() -> usize {
    TASKS.load(Ordering::SeqCst)
}

/// How many files, sockets among them, this process has open.
///
/// # Panics
/// Where the system does not list them.
pub fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("the system lists open files").count()
}

/// A runtime whose tasks are counted.
#[derive(Debug, Default)]
pub struct Counted<R>(R);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        TASKS.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<R: Runtime> Runtime for Counted<R> {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn runtime::Timer>> {
        self.0.timer(at)
    }

    fn spawn(&self, task: BoxFuture<()>) {
        TASKS.fetch_add(1, Ordering::SeqCst);
        let guard = Guard;
        self.0.spawn(Box::pin(async move {
            let _guard = guard;
            task.await;
        }));
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        self.0.resolve(host, port)
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn runtime::TcpStream>>> {
        self.0.connect(to)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Box<dyn runtime::TcpListener>> {
        self.0.wrap_tcp_listener(listener)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn runtime::UdpSocket>> {
        self.0.wrap_udp_socket(socket)
    }
}

/// The same adapter with its tasks counted.
#[derive(Debug)]
pub struct Counting<A>(PhantomData<fn() -> A>);

impl<A: OnRuntime> OnRuntime for Counting<A> {
    type Runtime = Counted<A::Runtime>;
}

impl<A: Executor> Executor for Counting<A> {
    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        A::block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        A::spawn(task);
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        A::sleep(time)
    }
}
