//! tokio.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Adapter, ClientSettings, ServerSettings};
use darkrift_tokio::{BindError, Client, ConnectError, Server};

/// tokio.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tokio;

impl Adapter for Tokio {
    type Client = Client;
    type Server = Server;

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

    fn connect(
        to: SocketAddr,
        settings: ClientSettings,
    ) -> impl Future<Output = Result<Client, ConnectError>> + Send {
        settings.builder().connect(to)
    }

    fn bind(
        at: SocketAddr,
        settings: ServerSettings,
    ) -> impl Future<Output = Result<Server, BindError>> + Send {
        settings.builder().bind(at)
    }
}
