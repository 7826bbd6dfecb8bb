//! smol.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Adapter, ClientSettings, ServerSettings};
use darkrift_smol::{BindError, Client, ConnectError, Server};

/// smol.
#[derive(Debug)]
#[non_exhaustive]
pub struct Smol;

impl Adapter for Smol {
    type Client = Client;
    type Server = Server;

    fn block_on<T>(scenario: impl Future<Output = T>) -> T {
        smol::block_on(scenario)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    async fn sleep(time: Duration) {
        smol::Timer::after(time).await;
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
