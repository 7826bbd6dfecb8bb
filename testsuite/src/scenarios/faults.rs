//! F: input that makes no sense, networks that say no, and messages that are too long.

use darkrift_driver::proto::{CloseKind, CloseReason, Initiator, Message, SendError, SendMode, StrikeReason};

use crate::harness::{
    Pair, blocking, client_of, expect, expect_end, next_client, receive, server, soon, text,
};
use crate::raw::{RawClient, RawServer, frame, user};
use crate::{Adapter, Client, ClientSettings, Server, ServerSettings};

/// What one piece of bad input costs its sender.
struct Case {
    name: &'static str,
    input: Input,
    cost: Cost,
}

enum Input {
    Stream(Vec<u8>),
    Datagram(Vec<u8>),
}

enum Cost {
    /// Nothing: the message is delivered.
    Nothing,
    /// A strike of this weight. Nothing is delivered.
    Strike(StrikeReason, u32),
    /// A strike of this weight, and the message is delivered all the same.
    StrikeAndDelivered(u32),
    /// The connection, with these strikes.
    Connection(CloseKind, u32),
}

fn cases() -> Vec<Case> {
    use Input::{Datagram, Stream};
    let case = |name, input, cost| Case { name, input, cost };
    let too_short = || Cost::Strike(StrikeReason::InvalidMessageLength, 5);
    let too_long = |length| Cost::Connection(CloseKind::FrameTooLong { length, limit: 65_534 }, 10);
    let mut cases = vec![
        case("a frame of length 0", Stream(vec![0; 4]), Cost::Connection(CloseKind::EmptyFrame, 0)),
        case("a frame of length 1", Stream(frame(&[0])), too_short()),
        case("a frame of length 2", Stream(frame(&[0, 0])), too_short()),
        case("a frame of length 65,534", Stream(frame(&user(4, &vec![7; 65_531]))), Cost::Nothing),
        case("a frame of length 65,535", Stream(frame(&user(4, &vec![7; 65_532]))), too_long(65_535)),
        case(
            "the beginning of the longest frame",
            Stream(i32::MAX.to_be_bytes().to_vec()),
            too_long(0x7fff_ffff),
        ),
        case("a ping of 3 bytes", Stream(frame(&[0x40, 0, 1])), too_short()),
        case("a ping of 4 bytes", Stream(frame(&[0x40, 0, 1, 0])), too_short()),
        case("a command", Stream(frame(&[0x80, 0, 0, 0, 1])), Cost::Strike(StrikeReason::InvalidCommand, 5)),
        case(
            "an acknowledgement with the code 0",
            Stream(frame(&[0x60, 0, 4, 0, 0])),
            Cost::StrikeAndDelivered(1),
        ),
        case(
            "an acknowledgement that nobody asked for",
            Stream(frame(&[0x60, 0, 4, 0x12, 0x34])),
            Cost::StrikeAndDelivered(1),
        ),
        case("an acknowledgement without a ping", Stream(frame(&[0x20, 0, 4])), Cost::Nothing),
        case("a ping of 4 bytes, unreliable", Datagram(vec![0x40, 0, 1, 0]), too_short()),
        case(
            "a command, unreliable",
            Datagram(vec![0x80, 0, 0, 0, 1]),
            Cost::Strike(StrikeReason::InvalidCommand, 5),
        ),
        case(
            "an acknowledgement that nobody asked for, unreliable",
            Datagram(vec![0x60, 0, 4, 0, 0]),
            Cost::StrikeAndDelivered(1),
        ),
    ];
    for length in [i32::MIN, -65_535, -1] {
        let input = Stream(length.to_be_bytes().to_vec());
        cases.push(case("a negative length", input, Cost::Connection(CloseKind::NegativeFrame(length), 0)));
    }
    for length in 0..3 {
        cases.push(case("a datagram shorter than its header", Datagram(vec![0; length]), too_short()));
    }
    cases
}

pub async fn f6_malformed_input_costs_what_the_protocol_says_and_only_its_sender<A: Adapter>() {
    // The original's limit, and one that is never reached.
    for max_strikes in [3, 1_000] {
        let settings = ServerSettings::with(|settings| settings.config.max_strikes = max_strikes);
        let bystander = Pair::<A>::with(ClientSettings::default(), settings).await;
        for case in cases() {
            malformed::<A>(&bystander.server, case, max_strikes).await;
            bystander.works().await;
        }
        assert_eq!(bystander.served.strikes(), 0);
    }
}

async fn malformed<A: Adapter>(server: &A::Server, Case { name, input, cost }: Case, max_strikes: u32) {
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let mut raw = blocking(move || {
        let mut raw = RawClient::join(tcp, udp);
        match input {
            Input::Stream(bytes) => raw.stream.write_if_open(&bytes),
            Input::Datagram(bytes) => raw.send_datagram(&bytes),
        }
        raw
    })
    .await;
    let served = next_client::<A>(server).await;
    let (delivered, strikes, closes) = match cost {
        Cost::Nothing => (true, 0, None),
        Cost::StrikeAndDelivered(weight) => (true, weight, None),
        Cost::Strike(last, weight) => {
            let struck_out = CloseKind::Strikes { last, total: weight };
            (false, weight, (weight >= max_strikes).then_some(struck_out))
        }
        Cost::Connection(kind, strikes) => (false, strikes, Some(kind)),
    };
    if delivered {
        assert_eq!(receive::<A>(&served).await.tag(), 4, "{name}");
    }
    if let Some(kind) = closes {
        let reason = expect_end::<A>(&served).await;
        assert_eq!(reason, CloseReason::new(Initiator::Local, kind), "{name}");
        blocking(move || raw.stream.read_to_end()).await;
    } else {
        // The next message finds it open. It comes on the same socket, behind what was wrong.
        let next = user(5, b"next");
        raw.send_datagram(&next);
        assert_eq!(receive::<A>(&served).await.tag(), 5, "{name}");
        raw.stream.write(&frame(&next));
        assert_eq!(receive::<A>(&served).await.tag(), 5, "{name}");
        drop(raw);
        expect_end::<A>(&served).await;
    }
    assert_eq!(served.strikes(), strikes, "{name}");
}

pub async fn f6_nonsense_datagrams_cost_a_client_nothing<A: Adapter>() {
    let server = RawServer::default();
    let settings = ClientSettings::with(|settings| settings.udp_port = Some(server.udp_port()));
    let address = server.tcp_address();
    let script = blocking(move || {
        let served = server.welcome(0);
        for nonsense in [&[][..], &[0], &[0, 0], &[0x40, 0, 0, 0], &[0x80, 0, 0, 0, 9], &[0x80, 0, 9]] {
            served.send_datagram(nonsense);
        }
        served.send_datagram(&user(1, b"sense"));
        served
    });
    let client = soon::<A, _>("connecting", A::connect(address, settings)).await.expect("it connects");
    assert_eq!(receive::<A>(&client).await.tag(), 1);
    assert_eq!(client.id().get(), 0);
    // The acknowledgements among them are known by their shape, and ignored as well; so is the handshake's own where
    // Configure overtook it.
    let statistics = client.statistics();
    assert!((6..=7).contains(&statistics.datagrams_ignored), "{statistics:?}");
    assert_eq!((statistics.unreliable_received, statistics.reliable_received), (1, 0));
    drop(script.await);
    expect_end::<A>(&client).await;
}

pub async fn f9_three_clients_send_datagrams_in_every_order<A: Adapter>() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let server = server::<A>().await;
        let mut pairs = Vec::new();
        for _ in 0..3 {
            let client = client_of::<A>(&server).await;
            pairs.push((client, next_client::<A>(&server).await));
        }
        for place in order {
            pairs[place].0.send(SendMode::Unreliable, &text(place as u16, "me")).await.expect("it is sent");
        }
        for (place, (client, served)) in pairs.iter().enumerate() {
            expect::<A>(served, SendMode::Unreliable, &text(place as u16, "me")).await;
            crate::harness::expect_nothing_besides::<A>(client, served).await;
        }
    }
}

pub async fn f11_a_closed_udp_port_ends_no_connection<A: Adapter>() {
    // The server's socket hears that a client's port is closed.
    let server = server::<A>().await;
    let (tcp, udp) = (server.tcp_address(), server.udp_address());
    let client = client_of::<A>(&server).await;
    let served = next_client::<A>(&server).await;
    let neighbour = Pair::<A> { server: server.clone(), client, served };
    let raw = blocking(move || RawClient::join(tcp, udp)).await;
    let served = next_client::<A>(&server).await;
    let RawClient { mut stream, udp, .. } = raw;
    drop(udp);
    for _ in 0..10 {
        served.send(SendMode::Unreliable, &text(1, "to nobody")).await.expect("it is open");
        neighbour.works().await;
    }
    stream.write(&frame(&user(2, b"still here")));
    assert_eq!(receive::<A>(&served).await.tag(), 2);

    // A client's socket hears that the server's port is closed.
    let server = RawServer::default();
    let settings = ClientSettings::with(|settings| settings.udp_port = Some(server.udp_port()));
    let address = server.tcp_address();
    let script = blocking(move || server.welcome(0).close_udp());
    let client = soon::<A, _>("connecting", A::connect(address, settings)).await.expect("it connects");
    let mut stream = script.await;
    for tag in 0..10 {
        client.send(SendMode::Unreliable, &text(1, "to nobody")).await.expect("it is open");
        stream.write(&frame(&user(tag, b"still here")));
        assert_eq!(receive::<A>(&client).await.tag(), tag);
    }
}

pub async fn f12_a_datagram_too_long_is_refused<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    for (from, to) in [(&pair.client, &pair.served), (&pair.served, &pair.client)] {
        let longest = Message::new(1, vec![7; 65_504]);
        let too_long = Message::new(1, vec![7; 65_505]);
        let refused = SendError::TooLong { length: 65_508, limit: 65_507 };
        assert_eq!(from.send(SendMode::Unreliable, &too_long).await, Err(refused.clone()));
        assert_eq!(from.try_send(SendMode::Unreliable, &too_long), Err(refused));
        from.send(SendMode::Unreliable, &longest).await.expect("it just fits");
        expect::<A>(to, SendMode::Unreliable, &longest).await;
    }
    pair.works().await;
}

pub async fn f16_50_megabytes_are_refused_and_16_mebibytes_arrive<A: Adapter>() {
    let pair = Pair::<A>::new().await;
    let too_long = Message::new(1, vec![7; 50_000_000]);
    let refused = SendError::TooLong { length: 50_000_003, limit: (16 << 20) + 5 };
    for from in [&pair.client, &pair.served] {
        assert_eq!(from.send(SendMode::Reliable, &too_long).await, Err(refused.clone()));
    }
    // The message is still there, to be sent in another way.
    assert_eq!(too_long.payload().len(), 50_000_000);
    let longest = Message::new(2, (0..16 << 20).map(|i: u32| (i % 251) as u8).collect::<Vec<_>>());
    let sending = {
        let (served, longest) = (pair.served.clone(), longest.clone());
        crate::harness::start::<A, _>(async move { served.send(SendMode::Reliable, &longest).await })
    };
    let received = soon::<A, _>("the whole message", pair.client.recv()).await.expect("it is open");
    assert!(received.message() == &longest, "every byte is what was sent");
    sending.await.expect("it is sent");
    pair.works().await;
}
