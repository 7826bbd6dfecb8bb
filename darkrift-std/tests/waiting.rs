//! What a wait costs.
#![cfg(target_os = "linux")] // What tells a thread's processor time is.

use std::time::{Duration, Instant};

use darkrift_std::{Client, Event, Server, ServerEvent};

/// How long each of them waits.
const WAIT: Duration = Duration::from_millis(300);

/// The most of it that the processor may be busy for: a thousand times what it takes, and much less than a loop that never
/// sleeps gets, however many threads it shares the processor with.
const BUSY: Duration = Duration::from_millis(30);

/// How long the processor has been busy for this thread.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time is positive")
}

/// Expects that this takes its time, and sleeps for nearly all of it.
fn expect_sleep(wait: impl FnOnce()) {
    let (begun, before) = (Instant::now(), processor_time());
    wait();
    let (time, busy) = (begun.elapsed(), processor_time() - before);
    assert!(time >= WAIT && busy < BUSY, "busy for {busy:?} of {time:?}");
}

#[test]
fn a_loop_that_never_sleeps_would_be_noticed() {
    let before = processor_time();
    while processor_time() - before < BUSY {}
}

#[test]
fn a_wait_for_nothing_is_no_busy_one() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    expect_sleep(|| server.wait(WAIT));
    server.shutdown();
    while !server.is_finished() {
        server.wait(Duration::from_millis(1));
    }
    // Nothing can come any more, and still it takes its time.
    expect_sleep(|| server.wait(WAIT));
    assert!(server.next_event().is_none());
}

#[test]
fn a_wait_beside_a_connection_that_is_idle_or_over_is_no_busy_one() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    let mut client = Client::begin(server.local_addr()).expect("there are sockets");
    while !client.is_connected() {
        server.update();
        client.update();
    }
    server.wait(Duration::from_secs(20));
    assert!(matches!(server.next_event(), Some(ServerEvent::Connected(_))));
    assert!(matches!(client.next_event(), Some(Event::Connected(_))));
    expect_sleep(|| server.wait(WAIT));
    expect_sleep(|| client.wait(WAIT));
    // An end that has been told is not told again and again.
    server.shutdown();
    while !matches!(client.next_event(), Some(Event::Closed(_))) {
        server.update();
        client.wait(Duration::from_millis(1));
    }
    expect_sleep(|| client.wait(WAIT));
}
