//! The async adapters: a runtime each, and the driver's client and server on it.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_driver::runtime::Runtime;
use darkrift_driver::{BindError, Client, ConnectError, Server};

use crate::{Adapter, ClientSettings, Executor, ServerSettings};

/// An executor with a runtime of the driver's.
pub trait OnRuntime: Executor {
    /// What runs the driver.
    type Runtime: Runtime + Default;
}

impl<A: OnRuntime> Adapter for A {
    type Client = Client<A::Runtime>;
    type Server = Server<A::Runtime>;

    fn connect(
        to: SocketAddr,
        settings: ClientSettings,
    ) -> impl Future<Output = Result<Self::Client, ConnectError>> + Send {
        settings.builder().connect(to)
    }

    fn bind(
        at: SocketAddr,
        settings: ServerSettings,
    ) -> impl Future<Output = Result<Self::Server, BindError>> + Send {
        settings.builder().bind(at)
    }
}

/// tokio.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tokio;

impl OnRuntime for Tokio {
    type Runtime = darkrift_tokio::Tokio;
}

impl Executor for Tokio {
    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime").block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }
}

/// smol.
#[derive(Debug)]
#[non_exhaustive]
pub struct Smol;

impl OnRuntime for Smol {
    type Runtime = darkrift_smol::Smol;
}

impl Executor for Smol {
    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        smol::block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    async fn sleep(time: Duration) {
        smol::Timer::after(time).await;
    }
}

/// async-std.
#[derive(Debug)]
#[non_exhaustive]
pub struct AsyncStd;

impl OnRuntime for AsyncStd {
    type Runtime = darkrift_async_std::AsyncStd;
}

impl Executor for AsyncStd {
    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        async_std::task::block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }

    async fn sleep(time: Duration) {
        async_std::task::sleep(time).await;
    }
}
