//! Which datagrams leave together, over which ways, and what is done where a way is narrower than most.

mod mock;

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use darkrift_driver::proto::{Message, SendMode};
use darkrift_driver::{Client, Server};
use mock::{Faults, Mock, anywhere, run, sleep};

/// An address that is not this machine's.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const COUNT: u16 = 9;
/// Bytes of a message beside its payload.
const HEADER: usize = 3;

/// A client at this address, and the server's side of it.
async fn pair(at: Ipv4Addr) -> (Server<Mock>, Client<Mock>, Client<Mock>) {
    Mock::default().ways(|ways| ways.clients = at);
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
    let served = server.accept().await.unwrap();
    assert_eq!(served.udp_address().ip(), at);
    (server, client, served)
}

/// A datagram of this length that says which it is.
fn datagram(tag: u16, length: usize) -> Message {
    Message::new(tag, vec![tag as u8; length - HEADER])
}

/// Sends a burst of datagrams of this length, and sees that each arrives once and in its turn. Gives how many the calls
/// carried that were taken, and how many those that were refused.
async fn burst(from: &Client<Mock>, to: &Client<Mock>, length: usize) -> (Vec<usize>, Vec<usize>) {
    Mock::default().ways(|ways| ways.sent.clear());
    for tag in 0..COUNT {
        from.try_send(SendMode::Unreliable, &datagram(tag, length)).unwrap();
    }
    for tag in 0..COUNT {
        assert_eq!(*to.recv().await.expect("it is open").message(), datagram(tag, length));
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(to.try_recv(), None, "each comes once");
    let sent = Mock::default().ways(|ways| std::mem::take(&mut ways.sent));
    assert!(sent.iter().flat_map(|sent| &sent.datagrams).all(|datagram| datagram.len() == length));
    let (taken, refused): (Vec<_>, Vec<_>) = sent.into_iter().partition(|sent| sent.taken);
    let counts = |sent: Vec<mock::Sent>| sent.iter().map(|sent| sent.datagrams.len()).collect();
    (counts(taken), counts(refused))
}

fn are_together(calls: &[usize]) -> bool {
    calls.iter().any(|count| *count > 1)
}

#[test]
fn to_another_machine_only_datagrams_of_up_to_1_200_bytes_leave_together() {
    run(1, Faults::default(), async {
        let (_server, client, served) = pair(ELSEWHERE).await;
        for (length, together) in [(100, true), (1200, true), (1201, false), (5000, false), (1200, true)] {
            let (taken, refused) = burst(&served, &client, length).await;
            assert_eq!(are_together(&taken), together, "{length} bytes each left in {taken:?}");
            assert_eq!(refused, []);
        }
    });
}

#[test]
fn on_this_machine_longer_ones_leave_together_too() {
    run(1, Faults::default(), async {
        let (_server, client, served) = pair(Ipv4Addr::LOCALHOST).await;
        for length in [100, 1201, 5000] {
            let (taken, refused) = burst(&served, &client, length).await;
            assert!(are_together(&taken), "{length} bytes each left in {taken:?}");
            assert_eq!(refused, []);
        }
    });
}

#[test]
fn a_run_that_is_refused_leaves_one_by_one_and_none_of_its_length_is_tried_again() {
    const WIDEST: usize = 500;
    run(1, Faults::default(), async {
        for at in [ELSEWHERE, Ipv4Addr::LOCALHOST] {
            Mock::default().ways(|ways| ways.widest = WIDEST);
            let (server, client, served) = pair(at).await;
            let (taken, refused) = burst(&served, &client, 600).await;
            assert_eq!((refused.len(), taken), (1, vec![1; COUNT.into()]));
            // As long, or longer.
            for length in [600, 601, 1100] {
                let (taken, refused) = burst(&served, &client, length).await;
                assert_eq!((refused, taken), (vec![], vec![1; COUNT.into()]), "{length} bytes");
            }
            // Shorter ones are still tried, and may be too long as well.
            let (taken, refused) = burst(&served, &client, 599).await;
            assert_eq!((refused.len(), taken), (1, vec![1; COUNT.into()]));
            let (taken, refused) = burst(&served, &client, WIDEST).await;
            assert!(are_together(&taken) && refused.is_empty(), "{taken:?}");
            // Another client may have a wider way.
            Mock::default().ways(|ways| ways.widest = usize::MAX);
            let other = Client::<Mock>::connect(server.local_addr()).await.unwrap();
            let served_other = server.accept().await.unwrap();
            assert!(are_together(&burst(&served_other, &other, 600).await.0));
        }
    });
}

#[test]
fn a_run_that_fails_for_what_may_pass_leaves_one_by_one_and_the_next_leaves_together() {
    const PASSING: [io::ErrorKind; 3] =
        [io::ErrorKind::PermissionDenied, io::ErrorKind::NetworkUnreachable, io::ErrorKind::OutOfMemory];
    for refusal in PASSING {
        run(1, Faults::default(), async {
            let (_server, client, served) = pair(Ipv4Addr::LOCALHOST).await;
            Mock::default().ways(|ways| (ways.widest, ways.refusal) = (0, refusal));
            let (taken, refused) = burst(&served, &client, 600).await;
            assert_eq!(taken, vec![1; COUNT.into()]);
            assert!(!refused.is_empty());
            Mock::default().ways(|ways| ways.widest = usize::MAX);
            let (taken, _) = burst(&served, &client, 600).await;
            assert!(are_together(&taken), "{refusal:?}: {taken:?}");
        });
    }
}

#[test]
fn on_a_narrow_way_whose_socket_is_often_full_each_datagram_comes_once_and_in_its_turn() {
    for seed in 0..60 {
        run(seed, Faults { would_block: 30, ..Faults::default() }, async {
            let (_server, client, served) = pair(ELSEWHERE).await;
            for length in [600, 1100, 1300, 300] {
                Mock::default().ways(|ways| ways.widest = length / 2);
                for tag in 0..COUNT {
                    served.try_send(SendMode::Unreliable, &datagram(tag, length)).unwrap();
                }
                sleep(Duration::from_secs(1)).await;
                for tag in 0..COUNT {
                    let received = client.try_recv().unwrap_or_else(|| panic!("{tag} is lost, seed {seed}"));
                    assert_eq!(*received.message(), datagram(tag, length), "seed {seed}");
                }
                assert_eq!(client.try_recv(), None);
            }
            assert!(served.is_connected() && client.is_connected());
        });
    }
}
