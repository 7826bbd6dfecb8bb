//! Hosts with several addresses.

mod mock;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use darkrift_driver::proto::ConnectPhase;
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{BindError, Client, ConnectError, Server};
use mock::{FOREIGN_ADDRESS, Faults, Mock, NAME_OF_TWO, anywhere, run};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_host_whose_first_address_says_nothing_is_reached_at_the_next() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        let begun = Mock::default().now();
        let client = Client::<Mock>::builder().connect_timeout(LIMIT);
        let client = client.connect((NAME_OF_TWO, server.local_addr().port())).await.unwrap();
        assert_eq!(client.tcp_address(), server.local_addr());
        assert_eq!(Mock::default().now() - begun, LIMIT / 2);
    });
}

#[test]
fn where_the_only_address_says_nothing_the_connect_has_all_of_its_time() {
    run(1, Faults::default(), async {
        let client = Client::<Mock>::builder().connect_timeout(LIMIT);
        let error = client.connect((IpAddr::from(FOREIGN_ADDRESS), 4296)).await.unwrap_err();
        let ConnectError::Timeout { phase, limit } = error else { panic!("{error}") };
        assert_eq!((phase, limit), (ConnectPhase::Tcp, LIMIT));
        assert_eq!(Mock::default().now().as_nanos(), LIMIT.as_nanos() as u64);
    });
}

#[test]
fn a_server_listens_on_the_first_of_its_hosts_addresses_that_it_can_have() {
    run(1, Faults::default(), async {
        let server = Server::<Mock>::bind((NAME_OF_TWO, 0)).await.unwrap();
        assert_eq!(server.local_addr().ip(), Ipv4Addr::LOCALHOST);
        // Now it can have none of them on this port.
        let port = server.local_addr().port();
        let error = Server::<Mock>::bind((NAME_OF_TWO, port)).await.unwrap_err();
        let BindError::Tcp { address, .. } = error else { panic!("{error}") };
        assert_eq!(address, server.local_addr());
    });
}
