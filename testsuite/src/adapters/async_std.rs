//! async-std.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Adapter, ClientSettings, ServerSettings};
use darkrift_async_std::{BindError, Client, ConnectError, Server};

/// async-std.
#[derive(Debug)]
#[non_exhaustive]
pub struct AsyncStd;

impl Adapter for AsyncStd {
    type Client = Client;
    type Server = Server;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        async_std::task::block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }

    async fn sleep(time: Duration) {
        async_std::task::sleep(time).await;
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
