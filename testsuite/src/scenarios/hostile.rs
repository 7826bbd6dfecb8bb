//! Everything malformed, at live peers, beside a pair that must not notice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use darkrift_driver::proto::{Message, SendMode};
use fastrand::Rng;

use crate::harness::{Pair, accounted, blocking, expect_nothing_besides, next_client, soon, start};
use crate::raw::{HELLO, RawClient, RawServer, acknowledgement, configure, frame, user};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

/// How many connections are misused by each side. With the cases of each they are 100,000 and more.
const CONNECTIONS: u64 = 600;
/// How many datagrams, and how many frames, each of them carries before the one that ends it.
const CASES: usize = 42;

/// Panics of any thread since the first hostile scenario began: a runtime may catch those of its tasks.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// A pair that sends numbers both ways for as long as the other goes on, and sees that each one arrives.
async fn well_behaved<A: Adapter>(pair: Pair<A>, is_over: Arc<AtomicBool>) {
    let mut number = 0_u64;
    while !is_over.load(Ordering::Relaxed) || number < 1_000 {
        for (from, to) in [(&pair.client, &pair.served), (&pair.served, &pair.client)] {
            let message = Message::new(7, number.to_be_bytes().to_vec());
            from.send(SendMode::Reliable, &message).await.expect("the well-behaved stay connected");
            let received =
                soon::<A, _>("its arrival", to.recv()).await.expect("the well-behaved stay connected");
            assert_eq!(received.message(), &message);
        }
        number += 1;
    }
    assert_eq!((pair.client.strikes(), pair.served.strikes()), (0, 0));
    expect_nothing_besides::<A>(&pair.client, &pair.served).await;
}

pub async fn a_server_survives_every_malformed_thing<A: Adapter>() {
    count_panics();
    let settings = ServerSettings::with(|settings| {
        settings.config.max_strikes = u32::MAX;
        settings.config.max_pending_per_address = settings.config.max_pending;
    });
    let pair = Pair::<A>::with(ClientSettings::default(), settings).await;
    let server = pair.server.clone();
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let is_over = Arc::<AtomicBool>::default();
    let neighbours = start::<A, _>(well_behaved::<A>(pair, is_over.clone()));
    let attack = blocking(move || (0..CONNECTIONS).for_each(|seed| misuse_server(seed, tcp, udp)));
    // Every attacker becomes a client, whose messages somebody takes.
    let serving = start::<A, _>(async move {
        for _ in 0..CONNECTIONS {
            let served = next_client::<A>(&server).await;
            while soon::<A, _>("a message or the end", served.recv()).await.is_some() {}
        }
        server
    });
    accounted::<A, _>("the attack", attack).await;
    let server = accounted::<A, _>("the end of the last attacker", serving).await;
    is_over.store(true, Ordering::Relaxed);
    accounted::<A, _>("all that the well-behaved sent", neighbours).await;
    crate::harness::until::<A>("nobody to be left", || server.connected() == 0).await;
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

fn misuse_server(seed: u64, tcp: std::net::SocketAddr, udp: std::net::SocketAddr) {
    let mut random = Rng::with_seed(seed);
    let mut raw = RawClient::open(tcp, udp);
    // Whatever it says before it is paired is nobody's, or waits.
    for _ in 0..random.usize(..3) {
        raw.send_datagram(&datagram(&mut random));
    }
    raw.pair();
    raw.read_configure();
    for _ in 0..CASES {
        raw.send_datagram(&datagram(&mut random));
    }
    // The server has taken them all once it has answered a token repeated.
    raw.send_datagram(&raw.hello);
    while raw.receive_datagram() != acknowledgement(&raw.hello) {}
    let mut frames = Vec::new();
    for _ in 0..CASES {
        frames.extend(frame(&body(&mut random)));
    }
    // Cut anywhere.
    let cut = random.usize(..frames.len());
    raw.stream.write(&frames[..cut]);
    raw.stream.write(&frames[cut..]);
    if let Some(end) = last(&mut random, 65_534) {
        raw.stream.write_if_open(&end);
        raw.stream.read_to_end();
    }
}

pub async fn a_client_survives_every_malformed_thing<A: Adapter>() {
    count_panics();
    let is_over = Arc::<AtomicBool>::default();
    let neighbours = start::<A, _>(well_behaved::<A>(Pair::<A>::new().await, is_over.clone()));
    accounted::<A, _>("the attack", async {
        for seed in 0..CONNECTIONS {
            let server = RawServer::default();
            let settings = ClientSettings::with(|settings| settings.udp_port = Some(server.udp_port()));
            let address = server.tcp_address();
            let attack = blocking(move || misuse_client(seed, server));
            let client =
                soon::<A, _>("connecting", A::connect(address, settings)).await.expect("it connects");
            assert_eq!(client.id().get(), 3);
            while soon::<A, _>("a message or the end", client.recv()).await.is_some() {}
            attack.await;
        }
    })
    .await;
    is_over.store(true, Ordering::Relaxed);
    accounted::<A, _>("all that the well-behaved sent", neighbours).await;
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

fn misuse_client(seed: u64, server: RawServer) {
    let mut random = Rng::with_seed(seed);
    let mut served = server.accept();
    served.stream.write(&HELLO);
    served.receive_token();
    // None of these is an acknowledgement but by chance, and then Configure would do instead.
    for _ in 0..random.usize(..3) {
        served.send_datagram(&datagram(&mut random));
    }
    served.send_datagram(&acknowledgement(&HELLO));
    served.stream.write(&frame(&configure(3)));
    for _ in 0..CASES {
        served.send_datagram(&datagram(&mut random));
    }
    let mut frames = Vec::new();
    for _ in 0..CASES {
        let mut body = body(&mut random);
        // What is shorter than its header ends a client's connection at once; so that comes last.
        body.resize(body.len().max(5), 0);
        if body[0] & 0x80 != 0 && body[1..3] == [0, 0] {
            body = configure(random.u16(..));
        }
        frames.extend(frame(&body));
    }
    served.stream.write_if_open(&frames);
    match last(&mut random, (16 << 20) + 5) {
        Some(end) => {
            served.stream.write_if_open(&end);
            served.stream.read_to_end();
        }
        None => drop(served),
    }
}

/// A datagram of any kind.
fn datagram(random: &mut Rng) -> Vec<u8> {
    match random.u8(..16) {
        0 => Vec::new(),
        // As long as a datagram can be.
        1 if random.u8(..16) == 0 => noise(random, 65_507),
        // A token, though nobody's.
        2 => noise(random, 9),
        // The shapes of acknowledgements.
        3 => vec![0],
        4 => noise(random, 12),
        _ => body(random),
    }
}

/// A message of any kind, with a header that fits or does not. Never empty: that is an end of its own.
fn body(random: &mut Rng) -> Vec<u8> {
    match random.u8(..8) {
        0 => vec![random.u8(..)],
        1 => noise(random, 2),
        // A ping without its code, or with half of it.
        2 => [&[0x40, 0, 1][..], &noise(random, 1)[..random.usize(..=1)]].concat(),
        // A command, known or not.
        3 => [&[0x80 | random.u8(..), 0][..], &noise(random, 3)].concat(),
        // An acknowledgement that nobody asked for.
        4 => [&[0x60, 0, 1][..], &random.u16(..).to_be_bytes()].concat(),
        // A ping, which asks for an answer.
        5 => [&[0x40, 0, 1][..], &random.u16(..).to_be_bytes()].concat(),
        6 => user(random.u16(..), &[]),
        _ => {
            let length = random.usize(1..300);
            noise(random, length)
        }
    }
}

/// What ends the connection; `None` for leaving without a word.
fn last(random: &mut Rng, limit: i32) -> Option<Vec<u8>> {
    Some(match random.u8(..6) {
        0 => vec![0; 4],
        1 => random.i32(i32::MIN..0).to_be_bytes().to_vec(),
        2 => random.i32(limit + 1..).to_be_bytes().to_vec(),
        3 => i32::MAX.to_be_bytes().to_vec(),
        4 => (limit + 1).to_be_bytes().to_vec(),
        _ => return None,
    })
}

fn noise(random: &mut Rng, length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}
