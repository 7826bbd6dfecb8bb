//! M and S: messages arrive once, whole, in order, and nothing besides.

use std::time::{Duration, Instant};

use darkrift_driver::proto::{CloseKind, Initiator, Message, MessageKind, SendMode};
use futures::FutureExt;
use futures::future::join_all;

use crate::harness::{
    MODES, Pair, accounted, blocking, client_of, expect, expect_end, expect_nothing_besides, next_client,
    receive, server, start, text, until,
};
use crate::raw::RawClient;
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

pub async fn m1_a_client_sends_to_the_server<A: Adapter>() {
    for mode in MODES {
        let pair = Pair::<A>::new().await;
        pair.client.send(mode, &text(5, "Hello World")).await.expect("it is sent");
        expect::<A>(&pair.served, mode, &text(5, "Hello World")).await;
        expect_nothing_besides::<A>(&pair.client, &pair.served).await;
    }
}

pub async fn m2_a_server_sends_to_the_client<A: Adapter>() {
    for mode in MODES {
        let pair = Pair::<A>::new().await;
        pair.served.send(mode, &text(6, "Hello World")).await.expect("it is sent");
        expect::<A>(&pair.client, mode, &text(6, "Hello World")).await;
        expect_nothing_besides::<A>(&pair.served, &pair.client).await;
    }
}

pub async fn m3_a_client_pings_the_server<A: Adapter>() {
    for mode in MODES {
        let pair = Pair::<A>::with(ClientSettings::default(), by_hand()).await;
        ping::<A>(&pair.client, &pair.served, mode).await;
    }
}

pub async fn m4_a_server_pings_the_client<A: Adapter>() {
    for mode in MODES {
        let settings = ClientSettings::with(|settings| settings.config.limits.answer_pings = false);
        let pair = Pair::<A>::with(settings, ServerSettings::default()).await;
        ping::<A>(&pair.served, &pair.client, mode).await;
    }
}

fn by_hand() -> ServerSettings {
    ServerSettings::with(|settings| settings.config.limits.answer_pings = false)
}

/// Pings until the round trip is what an acknowledgement after 55 ms should make it: a machine that is busy with
/// other things makes some of them longer, and none of them longer than it took by a clock outside.
async fn ping<A: Adapter>(from: &A::Client, to: &A::Client, mode: SendMode) {
    const DELAY: Duration = Duration::from_millis(55);
    for _ in 0..20 {
        let begun = Instant::now();
        let code = from.ping(mode, &text(5, "Hello World")).await.expect("it is sent");
        let ping = receive::<A>(to).await;
        assert_eq!(ping.send_mode(), mode);
        assert_eq!(ping.message(), &text(5, "Hello World").with_kind(MessageKind::Ping(code)));
        A::sleep(DELAY).await;
        to.acknowledge(&ping, &Message::empty(ping.tag())).await.expect("it is sent");
        let acknowledgement = Message::empty(5).with_kind(MessageKind::Acknowledgement(code));
        expect::<A>(from, mode, &acknowledgement).await;
        let latest = from.round_trip().expect("there is a sample").latest;
        assert!(latest <= begun.elapsed(), "{latest:?}");
        assert!(latest >= Duration::from_millis(25), "{latest:?}");
        if latest <= Duration::from_millis(75) {
            return expect_nothing_besides::<A>(from, to).await;
        }
    }
    panic!("no round trip of twenty took 50 ± 25 ms");
}

pub async fn m5_5_clients_send_100_messages_each<A: Adapter>() {
    stress::<A>(5, 100).await;
}

pub async fn m5_5_clients_send_1_000_messages_each<A: Adapter>() {
    stress::<A>(5, 1_000).await;
}

pub async fn m5_5_clients_send_10_000_messages_each<A: Adapter>() {
    stress::<A>(5, 10_000).await;
}

pub async fn m5_50_clients_send_100_messages_each<A: Adapter>() {
    stress::<A>(50, 100).await;
}

pub async fn m5_50_clients_send_1_000_messages_each<A: Adapter>() {
    stress::<A>(50, 1_000).await;
}

pub async fn m5_50_clients_send_10_000_messages_each<A: Adapter>() {
    stress::<A>(50, 10_000).await;
}

/// Each client to the server, from it, and both at once.
async fn stress<A: Adapter>(clients: usize, count: usize) {
    for (to_server, from_server) in [(true, false), (false, true), (true, true)] {
        let server = server::<A>().await;
        let clients = join_all((0..clients).map(|_| client_of::<A>(&server))).await;
        let mut served = Vec::new();
        for _ in &clients {
            served.push(next_client::<A>(&server).await);
        }
        served.sort_by_key(Client::id);
        let mut ends: Vec<_> = clients.into_iter().collect();
        ends.sort_by_key(Client::id);
        let mut work = Vec::new();
        for (client, served) in ends.iter().zip(&served) {
            for (wanted, from, to) in [(to_server, client, served), (from_server, served, client)] {
                if wanted {
                    let seed = work.len() as u64;
                    work.push(start::<A, _>(send_random::<A>(from.clone(), seed, count)).boxed());
                    work.push(start::<A, _>(receive_random::<A>(to.clone(), seed, count)).boxed());
                }
            }
        }
        accounted::<A, _>("the arrival of every message", join_all(work)).await;
        for (client, served) in ends.iter().zip(&served) {
            expect_nothing_besides::<A>(client, served).await;
        }
        until::<A>("every client to be counted no more", || server.connected() == 0).await;
    }
}

/// A random number as a string, with a random tag.
fn random(random: &mut fastrand::Rng) -> Message {
    let tag = random.u16(..);
    text(tag, &random.f64().to_string())
}

async fn send_random<A: Adapter>(from: A::Client, seed: u64, count: usize) {
    let mut generator = fastrand::Rng::with_seed(seed);
    for _ in 0..count {
        from.send(SendMode::Reliable, &random(&mut generator)).await.expect("it is sent");
    }
}

/// The same seed gives the same messages.
async fn receive_random<A: Adapter>(to: A::Client, seed: u64, count: usize) {
    let mut generator = fastrand::Rng::with_seed(seed);
    for _ in 0..count {
        let received = to.recv().await.expect("the connection is open");
        assert_eq!(received.send_mode(), SendMode::Reliable);
        assert_eq!(received.message(), &random(&mut generator));
    }
}

pub async fn m6_5_000_messages_arrive_whole<A: Adapter>() {
    const COUNT: u16 = 5_000;
    let pair = Pair::<A>::new().await;
    let message = |i: u16| text(i, &i.to_string().repeat(30));
    let client = pair.client.clone();
    let sending = start::<A, _>(async move {
        for i in 0..COUNT {
            client.send(SendMode::Reliable, &message(i)).await.expect("it is sent");
        }
    });
    accounted::<A, _>("the arrival of every message", async {
        for i in 0..COUNT {
            let received = pair.served.recv().await.expect("the connection is open");
            assert_eq!(received.message(), &message(i));
        }
    })
    .await;
    sending.await;
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

pub async fn m7_frames_may_come_in_pieces<A: Adapter>() {
    let server = server::<A>().await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let mut raw = blocking(move || RawClient::join(tcp, udp)).await;
    let served = next_client::<A>(&server).await;
    for piece in [&[0, 0][..], &[0, 0x0b], &[0, 0, 0, 0, 0, 0, 4, 0x48, 0, 0x69, 0]] {
        assert!(served.is_connected());
        raw = blocking(move || {
            raw.stream.write(piece);
            std::thread::sleep(Duration::from_millis(20));
            raw
        })
        .await;
    }
    expect::<A>(&served, SendMode::Reliable, &text(0, "Hi")).await;
    assert!(served.is_connected());
    drop(raw);
    expect_end::<A>(&served).await;
}

pub async fn m8_what_a_client_sends_at_once_waits_for_the_server<A: Adapter>() {
    let server = server::<A>().await;
    for mode in MODES {
        let client = client_of::<A>(&server).await;
        client.send(mode, &text(1, "Hello")).await.expect("it is sent");
        A::sleep(Duration::from_millis(100)).await;
        let served = next_client::<A>(&server).await;
        expect::<A>(&served, mode, &text(1, "Hello")).await;
        expect_nothing_besides::<A>(&client, &served).await;
    }
}

pub async fn m9_100_000_messages_arrive_in_order_each_way<A: Adapter>() {
    const COUNT: i32 = 100_000;
    let pair = Pair::<A>::new().await;
    let mut work = Vec::new();
    for (from, to) in [(&pair.client, &pair.served), (&pair.served, &pair.client)] {
        let (from, to) = (from.clone(), to.clone());
        let sending = start::<A, _>(async move {
            for counter in 0..COUNT {
                let message = Message::encode(9, &counter).expect("a number");
                from.send(SendMode::Reliable, &message).await.expect("it is sent");
            }
        });
        work.push(start::<A, _>(async move {
            for counter in 0..COUNT {
                let received = to.recv().await.expect("the connection is open");
                assert_eq!((received.tag(), received.decode_strict()), (9, Ok(counter)));
            }
            sending.await;
        }));
    }
    accounted::<A, _>("the arrival of every message", join_all(work)).await;
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

pub async fn s1_a_message_past_the_limit_ends_the_connection<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    let message = text(1, &"*".repeat(70_000));
    let length = u32::try_from(message.payload().len() + 3).expect("it is short enough");
    pair.client.send(SendMode::Reliable, &message).await.expect("this side has another limit");
    let reason = expect_end::<A>(&pair.served).await;
    assert_eq!(reason.initiator, Initiator::Local);
    assert_eq!(reason.kind, CloseKind::FrameTooLong { length, limit: 65_534 });
    assert_eq!(pair.served.strikes(), 10);
    expect_end::<A>(&pair.client).await;
    until::<A>("the client to be counted no more", || pair.server.connected() == 0).await;
}
