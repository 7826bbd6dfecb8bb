//! A server that has served more clients than there are ids.

mod mock;

use std::time::Duration;

use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run};

/// How many ids there are.
const IDS: u32 = 65_536;

#[test]
fn ids_that_were_given_back_are_given_again_once_all_have_been_given() {
    run(1, Faults::default(), async {
        // The mock's streams end as they are dropped, so that neither side waits for the other's end.
        let server = Server::<Mock>::builder().limits(|limits| limits.linger = Duration::ZERO);
        let server = server.bind(anywhere()).await.unwrap();
        let staying = Client::<Mock>::connect(server.local_addr()).await.unwrap();
        let _served = server.accept().await.unwrap();
        assert_eq!(staying.id().get(), 0);
        for number in 1..IDS + 100 {
            let client = Client::<Mock>::builder().limits(|limits| limits.linger = Duration::ZERO);
            let client = client.connect(server.local_addr()).await.unwrap();
            let served = server.accept().await.unwrap();
            // The one that is in use is passed over.
            let id = if number < IDS { number } else { number - IDS + 1 };
            assert_eq!((u32::from(client.id().get()), u32::from(served.id().get())), (id, id));
            // Whichever side ends it.
            if number % 2 == 0 { client.close().await } else { served.close().await }
        }
        assert!(staying.is_connected());
    });
}
