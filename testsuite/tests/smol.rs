//! Every scenario on smol.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use darkrift_smol::{BindError, Client, ConnectError, Server};
use darkrift_testsuite::{Adapter, ClientSettings, ServerSettings, every_scenario, tests_of};

struct Smol;

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

every_scenario!(Smol);
tests_of!(Smol, servers: f15_a_handler_that_panics_loses_its_client_and_no_other,);
