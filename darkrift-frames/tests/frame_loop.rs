//! What an engine may rely on that has a loop of its own.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use darkrift_driver::proto::{CloseReason, Initiator, Message, Received, SendMode};
use darkrift_driver::runtime::Runtime;
use darkrift_driver::{Client, ClientBuilder, Server, ServerBuilder};
use darkrift_frames::{FrameLoop, Frames};

#[derive(Debug)]
enum News {
    Arrived(Client<Frames>),
    Said(Client<Frames>, Received),
    Left(Client<Frames>, CloseReason),
    Answered(Received),
    Ended(CloseReason),
}

#[test]
fn a_server_and_several_clients_share_one_loop() {
    const CLIENTS: usize = 3;
    let mut network = FrameLoop::new().expect("there are sockets");
    let bind = ServerBuilder::new().bind_on(network.runtime(), "127.0.0.1:0");
    let server = network.block_on(bind).expect("a free port");
    network.accept(server.clone(), News::Arrived, News::Said, News::Left);
    for _ in 0..CLIENTS {
        let connect = ClientBuilder::new().connect_on(network.runtime(), server.local_addr());
        let events = network.events();
        let playing = async move {
            let client = connect.await.expect("there is a server");
            client.send(SendMode::Reliable, &Message::empty(5)).await.expect("it is open");
            events.forward(&client, News::Answered, News::Ended).await
        };
        network.spawn(playing).detach();
    }

    let (mut arrived, mut answered, mut left, mut ended) = (0, 0, 0, 0);
    while left < CLIENTS || ended < CLIENTS {
        network.update();
        while let Some(news) = network.next_event() {
            match news {
                News::Arrived(client) => {
                    assert!(client.is_connected());
                    arrived += 1;
                }
                News::Said(from, received) => {
                    from.try_send(SendMode::Reliable, received.message()).expect("there is room");
                }
                News::Answered(received) => {
                    assert_eq!(received.tag(), 5);
                    answered += 1;
                    if answered == CLIENTS {
                        drop(server.shutdown());
                    }
                }
                News::Left(client, reason) => {
                    assert_eq!(client.close_reason(), Some(reason));
                    left += 1;
                }
                News::Ended(reason) => {
                    assert_eq!(reason.initiator, Initiator::Peer);
                    ended += 1;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((arrived, answered), (CLIENTS, CLIENTS));
    network.finish(server.shutdown());
}

#[test]
fn an_update_ends_however_much_there_is_to_do() {
    let mut network = FrameLoop::<()>::new().expect("there are sockets");
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = steps.clone();
    let restless = network.spawn(poll_fn(move |cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    network.update();
    let first = steps.load(Ordering::Relaxed);
    assert!(first > 1);
    network.update();
    assert!(steps.load(Ordering::Relaxed) > first, "what is left is done in the next frame");
    drop(restless);
    network.update();
    assert_eq!(Arc::strong_count(&steps), 1, "a task whose handle is dropped is cancelled");
}

/// A task that always has something to do, and takes its time for it each time.
fn busy() -> impl Future<Output = ()> + Send {
    poll_fn(|cx| {
        std::thread::sleep(Duration::from_millis(2));
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn each_task_has_its_turn_beside_those_that_never_rest() {
    let mut network = FrameLoop::<()>::new().expect("there are sockets");
    let turns: Arc<[AtomicUsize; 8]> = Arc::default();
    for number in 0..8 {
        network.spawn(busy()).detach();
        let counted = turns.clone();
        let task = poll_fn(move |cx| {
            counted[number].fetch_add(1, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        network.spawn(task).detach();
    }
    for update in 1..10 {
        network.update();
        let counts: Vec<_> = turns.iter().map(|turns| turns.load(Ordering::Relaxed)).collect();
        assert!(counts.iter().all(|&count| count >= update), "{counts:?}");
        assert_eq!(counts.iter().max(), counts.iter().min(), "all of them as often");
    }
    // The same holds within a wait, which ends none the less.
    let before = turns[7].load(Ordering::Relaxed);
    network.wait(Duration::from_millis(50));
    assert!(turns[7].load(Ordering::Relaxed) > before);
    network.finish(poll_fn(|_| Poll::Ready(())));
}

/// A server in the loop, with one client in it, as its server's side and its own.
fn pair(network: &mut FrameLoop<News>) -> (Server<Frames>, Client<Frames>, Client<Frames>) {
    let bind = ServerBuilder::new().bind_on(network.runtime(), "127.0.0.1:0");
    let server = network.block_on(bind).expect("a free port");
    let connect = ClientBuilder::new().connect_on(network.runtime(), server.local_addr());
    let client = network.block_on(connect).expect("there is a server");
    let served = network.block_on(server.accept()).expect("a client");
    (server, served, client)
}

#[test]
fn what_was_sent_leaves_first_however_much_there_is_to_do() {
    let mut network = FrameLoop::new().expect("there are sockets");
    let (_server, served, client) = pair(&mut network);
    (0..8).for_each(|_| network.spawn(busy()).detach());
    network.update();
    let before = client.statistics().stream_bytes_sent;
    // The first may leave by itself; a burst waits for the flush.
    for _ in 0..10 {
        client.try_send(SendMode::Reliable, &Message::empty(5)).expect("there is room");
    }
    network.flush();
    assert_eq!(client.statistics().stream_bytes_sent, before + 10 * 7);
    assert_eq!(served.statistics().reliable_received, 0, "a flush reads nothing");
    while served.statistics().reliable_received < 10 {
        network.update();
    }
}

#[test]
fn peers_that_never_stop_sending_hold_up_neither_the_frame_nor_each_other() {
    const FLOODS: usize = 3;
    let mut network = FrameLoop::new().expect("there are sockets");
    let (server, ..) = pair(&mut network);
    network.accept(server.clone(), News::Arrived, News::Said, News::Left);
    let stop = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..FLOODS)
        .map(|_| {
            let (address, stop) = (server.local_addr(), stop.clone());
            std::thread::spawn(move || {
                let mut own = FrameLoop::<()>::new().expect("there are sockets");
                let connect = ClientBuilder::new().connect_on(own.runtime(), address);
                let client = own.block_on(connect).expect("there is a server");
                let message = Message::new(1, vec![0; 3]);
                while !stop.load(Ordering::Relaxed) {
                    while client.try_send(SendMode::Reliable, &message).is_ok() {}
                    own.update();
                }
            })
        })
        .collect();
    let mut arrived = Vec::new();
    let mut said = BTreeMap::new();
    // Each of them has been heard often, and so has one that says little and came last.
    let mut quiet = None;
    while arrived.len() <= FLOODS || said.len() <= FLOODS || said.values().any(|&count| count < 100) {
        network.update();
        while let Some(news) = network.next_event() {
            match news {
                News::Arrived(client) => arrived.push(client),
                News::Said(from, _) => *said.entry(from.id()).or_insert(0) += 1,
                other => panic!("{other:?}"),
            }
        }
        if arrived.len() == FLOODS && quiet.is_none() {
            let connect = ClientBuilder::new().connect_on(network.runtime(), server.local_addr());
            quiet = Some(network.block_on(connect).expect("there is a server"));
        }
        if let Some(quiet) = &quiet {
            // One message a frame.
            let _ = quiet.try_send(SendMode::Reliable, &Message::empty(2));
        }
    }
    stop.store(true, Ordering::Relaxed);
    others.into_iter().for_each(|other| other.join().expect("it has not panicked"));
}

#[test]
fn a_forward_that_is_dropped_loses_no_message() {
    const COUNT: u16 = 5000;
    let mut network = FrameLoop::new().expect("there are sockets");
    let (_server, served, client) = pair(&mut network);
    for tag in 0..COUNT {
        served.try_send(SendMode::Reliable, &Message::empty(tag)).expect("there is room");
    }
    let events = Arc::new(network.events());
    let forward = || {
        let (events, client) = (events.clone(), client.clone());
        async move { events.forward(&client, News::Answered, News::Ended).await }
    };
    // Each is dropped when it has sent something, and most when they may send no more.
    let mut next = 0;
    while next < COUNT {
        let forwarding = network.spawn(forward());
        (0..10).for_each(|_| network.update());
        drop(forwarding);
        while next < COUNT {
            match network.next_event() {
                Some(News::Answered(received)) => assert_eq!(received.tag(), next),
                None => break,
                Some(other) => panic!("{other:?}"),
            }
            next += 1;
        }
    }
    drop(served);
    for _ in 0..2 {
        let forwarding = network.spawn(forward());
        network.wait(Duration::MAX);
        let Some(News::Ended(reason)) = network.next_event() else { panic!("nothing else is left") };
        assert_eq!(reason.initiator, Initiator::Peer);
        drop(forwarding);
    }
}

#[test]
fn an_event_of_another_thread_ends_a_wait() {
    let mut network = FrameLoop::new().expect("there are sockets");
    let events = network.events();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        let mut own = FrameLoop::<()>::new().expect("there are sockets");
        own.block_on(events.send(7))
    });
    network.wait(Duration::MAX);
    assert_eq!(network.next_event(), Some(7));
    assert_eq!(other.join().expect("it has not panicked"), Ok(()));
}

#[test]
fn a_wait_for_nothing_takes_its_time() {
    let mut network = FrameLoop::<()>::new().expect("there are sockets");
    let begun = Instant::now();
    network.wait(Duration::from_millis(50));
    assert_eq!(network.next_event(), None);
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_wait_looks_only_when_there_is_something_to_look_for() {
    let mut network = FrameLoop::new().expect("there are sockets");
    // Connections that are idle, and a task that waits for nothing that ever comes.
    let _pair = pair(&mut network);
    network.spawn(std::future::pending::<()>()).detach();
    let runtime = network.runtime();
    let mut timer = runtime.timer(runtime.now() + Duration::from_millis(300));
    let mut looks = 0;
    network.block_on(poll_fn(|cx| {
        looks += 1;
        timer.as_mut().poll(cx)
    }));
    // At its beginning, for what the connections' own tasks have to see to, and at its end; a loop that never sleeps looks
    // many thousand times.
    assert!(looks < 30, "{looks}");
}

#[test]
fn a_finish_waits_for_no_task_whose_events_nobody_takes() {
    let mut network = FrameLoop::new().expect("there are sockets");
    let events = network.events();
    let telling = network.spawn(async move {
        let mut number = 0;
        while events.send(number).await.is_ok() {
            number += 1;
        }
        number
    });
    network.update();
    assert!(!telling.is_finished(), "so many events wait to be taken that it waits, too");
    assert_eq!(network.finish(telling), 1024);
    assert_eq!(network.next_event(), None, "those that were left are dropped");
}

#[test]
fn dropping_a_loop_drops_its_tasks() {
    let network = FrameLoop::new().expect("there are sockets");
    let events = network.events();
    let held = Arc::new(());
    let holding = held.clone();
    let task = async move {
        let _holding = holding;
        std::future::pending::<()>().await;
    };
    network.spawn(task).detach();
    drop(network);
    assert_eq!(Arc::strong_count(&held), 1);
    let mut other = FrameLoop::<()>::new().expect("there are sockets");
    assert_eq!(other.block_on(events.send(7)), Err(7));
}
