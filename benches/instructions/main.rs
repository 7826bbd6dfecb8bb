//! Instructions for each message in the protocol's core, counted by callgrind: the same on a busy machine as on a
//! quiet one, so that a regression shows where times only wander.
//!
//! It needs valgrind, and the runner of gungraun in the version of the library:
//!
//! ```text
//! cargo install gungraun-runner --version 0.18.2
//! cargo bench -p darkrift-bench --features instructions --bench instructions
//! ```
//!
//! Every figure is of [`MESSAGES`] messages; what is set up before is not counted. A second run says how much each has
//! changed since the first.
#![allow(missing_docs, unreachable_pub, reason = "the macros write public modules")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_tokio::proto::{ClientConfig, Connection, EncodedMessage, Event, Instant, Message, SendMode};
use gungraun::{library_benchmark, library_benchmark_group, main};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

/// Messages of a run: fewer than a connection keeps for an application that does not look.
const MESSAGES: usize = 200;
/// With the length, the flags and the tag, a frame of 24 bytes.
const PAYLOAD: [u8; 17] = [9; 17];
const NOW: Instant = Instant::ZERO;

fn message() -> Message {
    Message::new(5, &PAYLOAD[..])
}

fn encoded() -> EncodedMessage {
    EncodedMessage::new(&message()).expect("a short message")
}

fn frames() -> BytesMut {
    BytesMut::from(&encoded().frame().repeat(MESSAGES)[..])
}

/// A client that is connected and whose queues have the sizes that traffic gives them.
fn connection() -> Connection {
    let mut connection = Connection::client(Arc::new(ClientConfig::default()), NOW);
    let mut handshake = BytesMut::from(&[1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 5, 0x80, 0, 0, 0, 0][..]);
    connection.handle_stream(NOW, &mut handshake);
    assert!(matches!(connection.poll_event(), Some(Event::Connected(_))));
    connection = stream_in((connection, frames()));
    connection = datagrams_in((connection, encoded().datagram()));
    connection = stream_out((connection, message()));
    datagrams_out((connection, message()))
}

fn stream_in((mut connection, mut input): (Connection, BytesMut)) -> Connection {
    while !input.is_empty() {
        connection.handle_stream(NOW, &mut input);
        take_events(&mut connection);
    }
    connection
}

fn datagrams_in((mut connection, datagram): (Connection, Bytes)) -> Connection {
    for _ in 0..MESSAGES {
        connection.handle_datagram(NOW, black_box(datagram.clone()));
        take_events(&mut connection);
    }
    connection
}

fn take_events(connection: &mut Connection) {
    while let Some(event) = connection.poll_event() {
        black_box(event);
    }
}

fn stream_out((mut connection, message): (Connection, Message)) -> Connection {
    for _ in 0..MESSAGES {
        connection.send(NOW, SendMode::Reliable, black_box(&message)).expect("room");
    }
    let mut output = connection.stream_output();
    while output.has_remaining() {
        let count = black_box(output.chunk()).len();
        output.advance(count);
    }
    connection
}

fn datagrams_out((mut connection, message): (Connection, Message)) -> Connection {
    for _ in 0..MESSAGES {
        connection.send(NOW, SendMode::Unreliable, black_box(&message)).expect("it is short");
        while let Some(run) = connection.poll_datagrams(1) {
            black_box(run);
        }
    }
    connection
}

#[library_benchmark]
#[bench::frames((connection(), frames()))]
fn reliable_received(input: (Connection, BytesMut)) -> Connection {
    stream_in(input)
}

#[library_benchmark]
#[bench::frames(frames())]
fn reliable_received_by_length_delimited_codec(mut input: BytesMut) -> BytesMut {
    let mut codec = LengthDelimitedCodec::new();
    while let Ok(Some(frame)) = codec.decode(&mut input) {
        black_box(frame);
    }
    input
}

#[library_benchmark]
#[bench::messages((connection(), message()))]
fn reliable_sent(input: (Connection, Message)) -> Connection {
    stream_out(input)
}

#[library_benchmark]
#[bench::messages((BytesMut::with_capacity(24 * MESSAGES), encoded().datagram()))]
fn reliable_sent_by_length_delimited_codec((mut output, frame): (BytesMut, Bytes)) -> BytesMut {
    let mut codec = LengthDelimitedCodec::new();
    for _ in 0..MESSAGES {
        codec.encode(black_box(frame.clone()), &mut output).expect("a short frame");
    }
    output
}

#[library_benchmark]
#[bench::datagrams((connection(), encoded().datagram()))]
fn unreliable_received(input: (Connection, Bytes)) -> Connection {
    datagrams_in(input)
}

#[library_benchmark]
#[bench::messages((connection(), message()))]
fn unreliable_sent(input: (Connection, Message)) -> Connection {
    datagrams_out(input)
}

library_benchmark_group!(
    name = messages;
    benchmarks =
        reliable_received,
        reliable_received_by_length_delimited_codec,
        reliable_sent,
        reliable_sent_by_length_delimited_codec,
        unreliable_received,
        unreliable_sent
);

main!(library_benchmark_groups = messages);
