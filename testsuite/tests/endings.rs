//! What is left of connections when what runs them stops: the program's end, a runtime that is dropped, a hook that panics.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use darkrift_driver::proto::{
    CloseKind, CloseReason, Initiator, Message, SendError, SendMode, TransportError,
};
use darkrift_testsuite::raw::{RawClient, frame, user};
use darkrift_tokio::{Client, Server, ServerBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

const MESSAGES: u16 = 100;
/// Bytes of a payload.
const LONG: usize = 60_000;

const ENDED: CloseReason = CloseReason::new(Initiator::Peer, CloseKind::EndOfStream);
const RESET: CloseReason =
    CloseReason::new(Initiator::Transport, CloseKind::Transport(TransportError::Reset));

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whatever takes this long hangs.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), what).await.expect("it does not hang")
}

async fn bind(builder: ServerBuilder) -> (Server, SocketAddr) {
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    (server, address)
}

/// A server here, its client elsewhere, and the server's side of that.
fn pair_on(here: &Runtime, elsewhere: &Runtime) -> (Server, Client, Client) {
    let (server, address) = here.block_on(bind(Server::builder()));
    let (client, served) = std::thread::scope(|scope| {
        let client = scope.spawn(|| elsewhere.block_on(Client::connect(address)).unwrap());
        let served = here.block_on(soon(server.accept())).unwrap();
        (client.join().unwrap(), served)
    });
    (server, client, served)
}

async fn expect_all_and_the_end(served: &Client) {
    for tag in 0..MESSAGES {
        assert_eq!(soon(served.recv()).await.expect("nothing is lost").tag(), tag);
    }
    assert_eq!(soon(served.recv()).await, None);
    assert_eq!(served.close_reason(), Some(ENDED));
}

/// Sends until nothing more is taken, to a peer that does not receive.
async fn fill_up(sender: &Client) {
    let long = Message::new(1, vec![0; LONG]);
    let mut refused = 0;
    while refused < 10 {
        match sender.try_send(SendMode::Reliable, &long) {
            Ok(()) => refused = 0,
            Err(SendError::Full { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn expect_a_reset(receiver: &Client) {
    while let Some(received) = soon(receiver.recv()).await {
        assert_eq!(received.payload().len(), LONG);
    }
    assert_eq!(receiver.close_reason(), Some(RESET));
}

/// A program that sends all the messages and ends, in a thread of its own, since the server's side goes on meanwhile.
fn expect_all_of(program: impl FnOnce(SocketAddr) + Send + 'static) {
    let here = runtime();
    let (server, address) = here.block_on(bind(Server::builder()));
    let program = std::thread::spawn(move || program(address));
    here.block_on(async { expect_all_and_the_end(&soon(server.accept()).await.unwrap()).await });
    program.join().unwrap();
}

#[test]
fn what_was_sent_before_the_program_ended_arrives() {
    expect_all_of(|address| {
        runtime().block_on(async {
            let client = Client::connect(address).await.unwrap();
            for tag in 0..MESSAGES {
                client.send(SendMode::Reliable, &Message::empty(tag)).await.unwrap();
            }
        });
    });
}

#[test]
fn what_was_sent_arrives_though_nobody_read_what_the_server_sent() {
    let (here, elsewhere) = (runtime(), runtime());
    let (_server, client, served) = pair_on(&here, &elsewhere);
    here.block_on(served.send(SendMode::Reliable, &Message::new(1, vec![0; LONG]))).unwrap();
    elsewhere.block_on(async {
        for tag in 0..MESSAGES {
            client.send(SendMode::Reliable, &Message::new(tag, &[0; 1000][..])).await.unwrap();
        }
    });
    drop(elsewhere);
    here.block_on(expect_all_and_the_end(&served));
}

/// Set for a process of this program that is a client and ends.
const ENDING: &str = "DARKRIFT_TEST_ENDING_CLIENT_OF";

/// Not a test of its own: what the process does that the next test starts. A static executor is never dropped.
#[test]
fn client_of_a_static_executor() {
    let Ok(address) = std::env::var(ENDING) else { return };
    smol::block_on(async {
        let client = darkrift_smol::Client::connect(address).await.unwrap();
        for tag in 0..MESSAGES {
            client.send(SendMode::Reliable, &Message::empty(tag)).await.unwrap();
        }
    });
    std::process::exit(0);
}

#[test]
fn what_was_sent_before_a_program_on_a_static_executor_ended_arrives() {
    runtime().block_on(async {
        let (server, address) = bind(Server::builder()).await;
        let mut program = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client_of_a_static_executor"])
            .env(ENDING, address.to_string())
            .spawn()
            .unwrap();
        expect_all_and_the_end(&soon(server.accept()).await.unwrap()).await;
        assert!(program.wait().unwrap().success());
    });
}

#[test]
fn what_was_sent_before_a_game_loop_dropped_its_client_arrives() {
    expect_all_of(|address| {
        let mut client = darkrift_std::Client::connect(address).unwrap();
        for tag in 0..MESSAGES {
            client.send(SendMode::Reliable, &Message::empty(tag)).unwrap();
        }
    });
}

#[test]
fn a_peer_that_cannot_have_everything_is_not_told_of_an_orderly_end() {
    let (here, elsewhere) = (runtime(), runtime());
    let (_server, client, served) = pair_on(&here, &elsewhere);
    elsewhere.block_on(fill_up(&client));
    drop(elsewhere);
    here.block_on(expect_a_reset(&served));
}

/// A server whose closes take so long at most, a client, and the server's side of it.
async fn pair_that_lingers(limit: Duration) -> (Server, Client, Client) {
    let (server, address) = bind(Server::builder().limits(|limits| limits.linger = limit)).await;
    let client = soon(Client::connect(address)).await.unwrap();
    let served = soon(server.accept()).await.unwrap();
    (server, client, served)
}

#[test]
fn a_peer_that_reads_nothing_until_the_linger_time_is_over_sees_a_reset() {
    runtime().block_on(async {
        let (_server, client, served) = pair_that_lingers(Duration::from_millis(50)).await;
        fill_up(&served).await;
        soon(served.close()).await;
        expect_a_reset(&client).await;
    });
}

#[test]
fn a_close_waits_for_no_time_limit_though_nobody_took_what_the_peer_sent_before() {
    runtime().block_on(async {
        let (_server, client, served) = pair_that_lingers(Duration::from_secs(3600)).await;
        fill_up(&client).await;
        soon(served.close()).await;
        assert_eq!(soon(client.recv()).await, None);
    });
}

/// A client of its own making that has joined, and the server's side of it.
async fn joined(server: &Server) -> (RawClient, Client) {
    let (tcp, udp) = (server.local_addr(), server.udp_addr());
    let joining = tokio::task::spawn_blocking(move || RawClient::join(tcp, udp));
    let served = soon(server.accept()).await.unwrap();
    (joining.await.unwrap(), served)
}

#[test]
fn a_reset_is_no_orderly_end_though_a_send_notices_it_first() {
    runtime().block_on(async {
        let (server, _) = bind(Server::builder()).await;
        let (mut client, served) = joined(&server).await;
        served.send(SendMode::Reliable, &Message::empty(1)).await.unwrap();
        // It has come, and the rest of it is never read: what is dropped then is reset.
        let client = tokio::task::spawn_blocking(move || {
            client.stream.read(1);
            client
        });
        drop(client.await.unwrap());
        // Nobody has had a turn to read since.
        served.try_send(SendMode::Reliable, &Message::empty(2)).unwrap();
        assert_eq!(soon(served.closed()).await, RESET);
    });
}

/// Other systems tell of the reset alone.
#[cfg(target_os = "linux")]
#[test]
fn an_orderly_end_is_one_though_a_send_is_answered_by_a_reset() {
    runtime().block_on(async {
        let (server, _) = bind(Server::builder()).await;
        let (client, served) = joined(&server).await;
        drop(client);
        // The first is answered by a reset, which the second notices.
        for tag in 0..2 {
            served.try_send(SendMode::Reliable, &Message::empty(tag)).unwrap();
        }
        assert_eq!(soon(served.closed()).await, ENDED);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_takes_nothing_until_the_user_timeout_is_over_is_cut_off_and_has_not_ended_in_good_order() {
    runtime().block_on(async {
        let (server, _) = bind(Server::builder().user_timeout(Some(Duration::from_millis(500)))).await;
        let (_client, served) = joined(&server).await;
        let long = Message::new(1, vec![0; LONG]);
        while soon(served.send(SendMode::Reliable, &long)).await.is_ok() {}
        let cut_off = CloseReason::new(Initiator::Transport, CloseKind::Transport(TransportError::TimedOut));
        assert_eq!(served.close_reason(), Some(cut_off));
    });
}

/// As the original's clients do until they are disposed of or connect again.
#[test]
fn a_client_that_is_disconnected_and_keeps_its_stream_open_leaves_its_place_to_another() {
    runtime().block_on(async {
        let (server, address) = bind(Server::builder().max_clients(1)).await;
        let udp = server.udp_addr();
        let joining = tokio::task::spawn_blocking(move || RawClient::join(address, udp));
        let served = soon(server.accept()).await.unwrap();
        let mut client = joining.await.unwrap();

        served.send(SendMode::Reliable, &Message::empty(7)).await.unwrap();
        drop(served.close());
        let (said, client) =
            tokio::task::spawn_blocking(move || (client.stream.read_to_end(), client)).await.unwrap();
        assert_eq!(said, frame(&user(7, b"")));
        assert!(!served.is_connected());
        soon(async {
            while !server.is_empty() {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        let _second = soon(Client::connect(address)).await.expect("the place is free");
        soon(Client::connect(address)).await.expect_err("and taken again");
        drop(client);
    });
}

#[test]
fn handles_know_that_their_runtime_has_stopped() {
    let elsewhere = runtime();
    let (server, client, served) = elsewhere.block_on(async {
        let (server, address) = bind(Server::builder()).await;
        let client = Client::connect(address).await.unwrap();
        let served = soon(server.accept()).await.unwrap();
        (server, client, served)
    });
    drop(elsewhere);
    assert!(!client.is_connected());
    let reason = CloseReason::new(Initiator::Local, CloseKind::Abandoned);
    assert_eq!(client.close_reason(), Some(reason));
    assert_eq!(client.try_send(SendMode::Reliable, &Message::empty(1)), Err(SendError::Closed));
    assert!(!served.is_connected());
    assert!(server.is_empty() && server.get(client.id()).is_none());
    runtime().block_on(async {
        assert_eq!(soon(client.recv()).await, None);
        assert_eq!(soon(served.recv()).await, None);
        assert!(soon(server.accept()).await.is_none());
        soon(client.close()).await;
        soon(server.shutdown()).await;
    });
}

#[test]
fn a_connect_hook_that_panics_refuses_that_client_and_harms_no_other() {
    runtime().block_on(async {
        let asked = AtomicUsize::new(0);
        let (server, address) = bind(Server::builder().on_connect(move |joining| {
            assert!(joining.tcp_address.ip().is_loopback());
            match asked.fetch_add(1, Ordering::Relaxed) {
                1 => false,
                2 => panic!("this hook cannot handle the third client (the test wants this panic)"),
                _ => true,
            }
        }))
        .await;
        let first = soon(Client::connect(address)).await.unwrap();
        let served = soon(server.accept()).await.unwrap();
        for _ in 0..2 {
            soon(Client::connect(address)).await.expect_err("the hook does not let it in");
        }
        let fourth = soon(Client::connect(address)).await.expect("the server goes on");
        let served_fourth = soon(server.accept()).await.unwrap();
        assert_eq!(served_fourth.id(), fourth.id());
        for mode in [SendMode::Reliable, SendMode::Unreliable] {
            first.send(mode, &Message::empty(7)).await.unwrap();
            assert_eq!(soon(served.recv()).await.unwrap().send_mode(), mode);
        }
        assert_eq!(server.len(), 2);
    });
}

thread_local! {
    static KEPT: std::cell::RefCell<Option<(Client, Runtime)>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_client_that_a_thread_keeps_until_its_end_is_closed_then() {
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let at_once = Server::builder().limits(|limits| limits.linger = Duration::ZERO);
    let (server, address) = elsewhere.block_on(bind(at_once));
    for is_gone in [false, true] {
        let (go_on, may_go_on) = std::sync::mpsc::channel();
        let game = std::thread::spawn(move || {
            // Before anything of the library's that the thread keeps, so that it goes last.
            KEPT.with_borrow(|kept| assert!(kept.is_none()));
            let here = runtime();
            let client = here.block_on(soon(Client::connect(address))).unwrap();
            may_go_on.recv().unwrap();
            for tag in 0..MESSAGES {
                let _ = client.try_send(SendMode::Reliable, &Message::new(tag, vec![0; 100]));
            }
            KEPT.set(Some((client, here)));
        });
        let served = elsewhere.block_on(soon(server.accept())).unwrap();
        if is_gone {
            elsewhere.block_on(soon(served.close()));
            go_on.send(()).unwrap();
        } else {
            go_on.send(()).unwrap();
            elsewhere.block_on(expect_all_and_the_end(&served));
        }
        game.join().unwrap();
    }
}
