//! Settings that are used more than once.

mod mock;

use std::io;
use std::time::Duration;

use darkrift_driver::{Client, ConnectError, Server};
use mock::{Faults, Mock, anywhere, run};

#[test]
fn the_settings_of_a_client_serve_for_another_attempt() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        // A runtime need not be one that can be cloned.
        let settings = Client::<Mock>::builder().connect_timeout(Duration::from_secs(3));
        Mock::default().fail_next(io::ErrorKind::ConnectionRefused);
        let error = settings.clone().connect(server.local_addr()).await.unwrap_err();
        assert!(matches!(error, ConnectError::Tcp { .. }), "{error}");
        let client = settings.connect(server.local_addr()).await.unwrap();
        assert!(client.is_connected());
    });
}
