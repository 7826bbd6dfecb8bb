//! The driver over sockets that do what sockets do at their worst, in virtual time.

mod mock;

use std::io;
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, ConnectPhase, Message, SendMode, TransportError};
use darkrift_driver::{Client, ConnectError, Server};
use mock::{Faults, Mock, anywhere, run, sleep, spawn};

const RELIABLE: SendMode = SendMode::Reliable;
const UNRELIABLE: SendMode = SendMode::Unreliable;

/// Short reads and writes, calls that are not ready, and calls that are interrupted.
const ROUGH: Faults = Faults {
    capacity: 1000,
    most: 300,
    would_block: 20,
    interrupted: 20,
    datagram_errors: 0,
    lost: 0,
    fails: None,
    takes: Duration::ZERO,
};

/// A client that is connected to a server, and the server's side of it.
async fn pair() -> (Server<Mock>, Client<Mock>, Client<Mock>) {
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let client = Client::<Mock>::connect(server.local_addr()).await.unwrap();
    let accepted = server.accept().await.unwrap();
    (server, client, accepted)
}

/// The same over sockets that lose datagrams: five tokens in a row may be among them, and then the client tries again.
async fn pair_in_time() -> (Server<Mock>, Client<Mock>, Client<Mock>) {
    let server = Server::<Mock>::bind(anywhere()).await.unwrap();
    let client = loop {
        match Client::<Mock>::connect(server.local_addr()).await {
            Err(ConnectError::Timeout { phase: ConnectPhase::Acknowledgement, .. }) => {}
            connected => break connected.unwrap(),
        }
    };
    let accepted = server.accept().await.unwrap();
    (server, client, accepted)
}

/// A payload that says which message it is.
fn numbered(number: u16, length: usize) -> Message {
    let mut payload = vec![number as u8; length];
    payload[..2].copy_from_slice(&number.to_be_bytes());
    Message::new(number, payload)
}

/// Sends `count` messages in the background.
fn send_all(from: &Client<Mock>, count: u16, length: usize) {
    let from = from.clone();
    spawn(async move {
        for number in 0..count {
            from.send(RELIABLE, &numbered(number, length)).await.unwrap();
        }
    });
}

/// Receives as many as were sent, each in its turn and whole.
async fn receive_all(at: &Client<Mock>, count: u16, length: usize) {
    for number in 0..count {
        let received = at.recv().await.expect("the connection is open");
        assert_eq!(*received.message(), numbered(number, length));
    }
}

#[test]
fn ten_mebibytes_each_way_at_once_do_not_deadlock_however_little_the_sockets_take() {
    const COUNT: u16 = 640;
    const LENGTH: usize = 16 << 10;
    let faults = Faults { capacity: 4096, most: 3000, would_block: 5, interrupted: 5, ..Faults::default() };
    run(1, faults, async {
        let (_server, client, accepted) = pair().await;
        send_all(&client, COUNT, LENGTH);
        send_all(&accepted, COUNT, LENGTH);
        // One side is not even looked at before the other is done.
        receive_all(&client, COUNT, LENGTH).await;
        receive_all(&accepted, COUNT, LENGTH).await;
    });
}

#[test]
fn short_calls_calls_that_are_not_ready_and_interrupted_ones_lose_nothing() {
    for seed in 0..60 {
        run(seed, ROUGH, async {
            let (server, client, accepted) = pair().await;
            for (from, to) in [(&client, &accepted), (&accepted, &client)] {
                send_all(from, 40, 2 + seed as usize * 40);
                receive_all(to, 40, 2 + seed as usize * 40).await;
            }
            client.close().await;
            assert_eq!(accepted.recv().await, None);
            server.shutdown().await;
        });
    }
}

#[test]
fn one_byte_a_call_is_enough() {
    run(1, Faults { capacity: 1, most: 1, ..Faults::default() }, async {
        let (_server, client, accepted) = pair().await;
        send_all(&client, 30, 100);
        send_all(&accepted, 30, 100);
        receive_all(&accepted, 30, 100).await;
        receive_all(&client, 30, 100).await;
    });
}

/// How many messages each side sends in each mode in [`a_whole_life`].
const EACH: u16 = 5;

/// One side of a connection that is over.
struct Side {
    /// How many reliable messages its `send` took.
    sent: usize,
    /// What it received.
    reliable: Vec<u16>,
    unreliable: Vec<u16>,
    ended: CloseKind,
}

impl Side {
    async fn of(connection: &Client<Mock>, sent: usize) -> Self {
        let (mut reliable, mut unreliable) = (Vec::new(), Vec::new());
        while let Some(received) = connection.recv().await {
            assert_eq!(*received.message(), numbered(received.tag(), 100));
            let numbers = if received.send_mode() == RELIABLE { &mut reliable } else { &mut unreliable };
            numbers.push(received.tag());
        }
        let ended = connection.close_reason().expect("it is over").kind;
        Self { sent, reliable, unreliable, ended }
    }
}

/// Connects, exchanges, and closes; whatever fails on the way is an error or a reason, and nothing is left. Gives how
/// many calls on sockets that took, and what became of the client and of its server's side, if they were connected.
async fn a_whole_life() -> (usize, Option<[Side; 2]>) {
    let Ok(server) = Server::<Mock>::bind(anywhere()).await else { return (Mock::default().calls(), None) };
    let mut sides = None;
    if let Ok(client) = Client::<Mock>::connect(server.local_addr()).await {
        // The server's side may have failed before it was announced.
        let accepted = server.clients().into_iter().next();
        let mut sent = [0; 2];
        for number in 0..EACH {
            for (from, sent) in [Some(&client), accepted.as_ref()].into_iter().zip(&mut sent) {
                let Some(from) = from else { continue };
                *sent += usize::from(from.send(RELIABLE, &numbered(number, 100)).await.is_ok());
                let _ = from.try_send(UNRELIABLE, &numbered(number, 100));
            }
        }
        sleep(Duration::from_millis(10)).await;
        client.close().await;
        let client = Side::of(&client, sent[0]).await;
        if let Some(accepted) = accepted {
            sides = Some([client, Side::of(&accepted, sent[1]).await]);
        }
    }
    server.shutdown().await;
    assert_eq!(server.len(), 0);
    (Mock::default().calls(), sides)
}

/// What has to have been delivered by the end of a life in which one call failed, or none.
fn check_delivered([client, accepted]: &[Side; 2], fault: &str) {
    for (from, to) in [(client, accepted), (accepted, client)] {
        let (reliable, unreliable) = (&to.reliable, &to.unreliable);
        assert!(
            reliable.iter().copied().eq(0..reliable.len() as u16),
            "{fault}: {reliable:?} is not in order"
        );
        assert!(reliable.len() <= from.sent, "{fault}: {reliable:?}, but {} were sent", from.sent);
        assert!(unreliable.is_sorted_by(|a, b| a < b), "{fault}: {unreliable:?}, which came twice");
    }
    let both = [client, accepted];
    if both.iter().all(|side| !matches!(side.ended, CloseKind::Transport(_))) {
        assert!(
            both.iter().all(|side| side.reliable.len() == usize::from(EACH)),
            "{fault}: reliable ones were lost"
        );
        // One call sends the datagrams of one side.
        assert!(
            both.iter().any(|side| side.unreliable.len() == usize::from(EACH)),
            "{fault}: both sides lost some"
        );
    }
}

#[test]
fn whichever_call_fails_and_however_nothing_hangs_and_nothing_is_left() {
    const KINDS: [io::ErrorKind; 5] = [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::OutOfMemory,
    ];
    let ((calls, sides), _) = run(1, Faults::default(), a_whole_life());
    let sides = sides.expect("it connects where nothing fails");
    check_delivered(&sides, "no fault");
    for side in &sides {
        assert!(!matches!(side.ended, CloseKind::Transport(_)), "{:?} without a fault", side.ended);
        assert_eq!(side.unreliable.len(), usize::from(EACH));
    }
    for kind in KINDS {
        for call in 0..calls {
            let fault = format!("{kind:?} at call {call} of {calls}");
            let faults = Faults { fails: Some((call, kind)), ..Faults::default() };
            let ((made, sides), network) = run(1, faults, a_whole_life());
            assert!(made > call, "{fault}, which was never made");
            assert_eq!(network.lock().streams, 0, "{fault} left a stream");
            if let Some(sides) = sides {
                check_delivered(&sides, &fault);
            }
        }
    }
}

#[test]
fn a_burst_leaves_in_few_calls_however_long_a_call_takes() {
    for takes in [0, 1, 100, 10_000].map(Duration::from_micros) {
        let (calls, _) = run(1, Faults { takes, ..Faults::default() }, async {
            let (_server, client, accepted) = pair().await;
            let calls = Mock::default().calls();
            send_all(&client, 100, 20);
            receive_all(&accepted, 100, 20).await;
            Mock::default().calls() - calls
        });
        assert!(calls < 20, "{calls} calls, where each takes {takes:?}");
    }
}

#[test]
fn broadcasts_in_a_row_leave_in_few_calls_however_long_a_call_takes() {
    for takes in [0, 1, 20, 100].map(Duration::from_micros) {
        let (calls, _) = run(1, Faults { takes, ..Faults::default() }, async {
            let (server, first, _accepted) = pair().await;
            let (mut clients, mut kept) = (vec![first], Vec::new());
            while clients.len() < 4 {
                clients.push(Client::<Mock>::connect(server.local_addr()).await.unwrap());
                kept.push(server.accept().await.unwrap());
            }
            let calls = Mock::default().calls();
            for number in 0..100 {
                assert_eq!(server.broadcast(RELIABLE, &numbered(number, 20)).unwrap().sent, 4);
            }
            for client in &clients {
                receive_all(client, 100, 20).await;
            }
            Mock::default().calls() - calls
        });
        assert!(calls < 80, "{calls} calls, where each takes {takes:?}");
    }
}

#[test]
fn errors_of_datagrams_are_never_the_connections_end() {
    let mut arrived = 0;
    for seed in 0..30 {
        let faults = Faults { datagram_errors: 30, lost: 10, would_block: 10, ..Faults::default() };
        let (unreliable, _) = run(seed, faults, async {
            let (_server, client, accepted) = pair_in_time().await;
            for number in 0..50 {
                client.send(UNRELIABLE, &numbered(number, 50)).await.unwrap();
                accepted.send(UNRELIABLE, &numbered(number, 50)).await.unwrap();
            }
            client.send(RELIABLE, &numbered(1000, 50)).await.unwrap();
            let mut unreliable = 0;
            loop {
                let received = accepted.recv().await.expect("the connection is open");
                if received.send_mode() == RELIABLE {
                    break;
                }
                assert_eq!(*received.message(), numbered(received.tag(), 50));
                unreliable += 1;
            }
            assert!(unreliable <= 50);
            assert!(client.is_connected() && accepted.is_connected());
            unreliable
        });
        arrived += unreliable;
    }
    // Of a hundred, 30 are in calls that fail and 10 of the others are lost; the rest arrive.
    assert!((30 * 25..30 * 50).contains(&arrived), "{arrived} of {} arrived", 30 * 50);
}

#[test]
fn a_reset_ends_the_connection_with_its_reason_on_both_sides() {
    run(1, Faults::default(), async {
        let (_server, client, accepted) = pair().await;
        Mock::default().fail_next(io::ErrorKind::ConnectionReset);
        let _ = client.try_send(RELIABLE, &numbered(1, 100));
        for side in [&client, &accepted] {
            assert_eq!(side.closed().await.kind, CloseKind::Transport(TransportError::Reset));
            assert_eq!(side.recv().await, None);
        }
    });
}

#[test]
fn where_every_datagram_is_lost_the_connect_fails_in_time_and_says_why() {
    let ((), _) = run(1, Faults { lost: 100, ..Faults::default() }, async {
        let server = Server::<Mock>::bind(anywhere()).await.unwrap();
        let error = Client::<Mock>::connect(server.local_addr()).await.unwrap_err();
        let ConnectError::Timeout { phase, limit } = error else { panic!("{error}") };
        assert_eq!((phase, limit), (ConnectPhase::Acknowledgement, Duration::from_secs(5)));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(server.len(), 0);
    });
}

#[test]
fn where_the_name_server_says_nothing_the_connect_fails_in_time_and_says_why() {
    run(1, Faults::default(), async {
        let error = Client::<Mock>::connect((mock::SILENT_NAME, 4296)).await.unwrap_err();
        let ConnectError::Timeout { phase, limit } = error else { panic!("{error}") };
        assert_eq!((phase, limit), (ConnectPhase::Resolve, Duration::from_secs(10)));
    });
}

#[test]
fn half_of_all_datagrams_lost_do_not_keep_a_client_out() {
    for seed in 0..20 {
        run(seed, Faults { lost: 50, ..Faults::default() }, async {
            let server = Server::<Mock>::bind(anywhere()).await.unwrap();
            // Fifty tries.
            let builder = Client::<Mock>::builder().token_interval(Duration::from_millis(100));
            let client = builder.connect(server.local_addr()).await.unwrap();
            assert_eq!(client.id(), server.accept().await.unwrap().id());
        });
    }
}
