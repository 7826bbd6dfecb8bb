//! What an engine may rely on that has a loop of its own.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use darkrift_driver::proto::{CloseReason, Initiator, Message, Received, SendMode};
use darkrift_driver::{Client, ClientBuilder, ServerBuilder};
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
