//! Every scenario in a game loop.

use darkrift_std::proto::SendError;
use darkrift_testsuite::adapters::Std;
use darkrift_testsuite::every_scenario;

every_scenario!(Std);

#[test]
fn what_is_sent_on_a_connect_that_failed_is_refused_for_good() {
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let mut client = darkrift_std::Client::begin(nobody).unwrap();
    let message = darkrift_std::proto::Message::empty(1);
    let mode = darkrift_std::proto::SendMode::Reliable;
    assert_eq!(client.send(mode, &message), Err(SendError::NotConnected));
    client.wait(std::time::Duration::from_secs(60));
    assert!(matches!(client.next_event(), Some(darkrift_std::Event::Failed(_))));
    assert_eq!(client.send(mode, &message), Err(SendError::Closed));
    assert!(client.connection().is_none() && !client.is_connected());
}
