//! Frames in and out, beside tokio-util's `LengthDelimitedCodec`, which is what people would take who frame by hand.
//!
//! `cargo bench --bench frames`

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_proto::wire::{Frames, Hello, Token};
use darkrift_proto::{
    ClientConfig, Connection, EncodedMessage, Event, Instant, Listener, Message, Routing, SendMode,
    ServerConfig, TokenSource,
};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

fn main() {
    divan::main();
}

/// A frame of 24 bytes: 4 of length, 3 of header, and these.
const PAYLOAD: [u8; 17] = [9; 17];
const FRAME_BYTES: usize = 24;
const BUFFER_BYTES: usize = 64 << 10;
const FRAMES: usize = BUFFER_BYTES / FRAME_BYTES;
const LIMIT: usize = 65_534;
const NOW: Instant = Instant::ZERO;

fn message() -> Message {
    Message::new(5, &PAYLOAD[..])
}

/// The same without its length: what a datagram holds.
fn datagram() -> Bytes {
    Bytes::from([&[0, 0, 5][..], &PAYLOAD].concat())
}

fn buffer() -> BytesMut {
    let frame = EncodedMessage::new(&message()).expect("a short message");
    assert_eq!(frame.frame().len(), FRAME_BYTES);
    BytesMut::from(&frame.frame().repeat(FRAMES)[..])
}

/// A client that is connected, with limits that nothing here reaches.
fn connection() -> Connection {
    let mut config = ClientConfig::default();
    config.limits.reliable_queue = 1 << 30;
    let mut connection = Connection::client(Arc::new(config), NOW);
    let mut handshake = BytesMut::from(&[1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 5, 0x80, 0, 0, 0, 0][..]);
    connection.handle_stream(NOW, &mut handshake);
    assert!(matches!(connection.poll_event(), Some(Event::Connected(_))));
    connection
}

mod decode {
    use super::*;

    #[divan::bench]
    fn frames_iterator(bencher: Bencher<'_, '_>) {
        let buffer = buffer();
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            let mut bytes = 0;
            for message in Frames::new(black_box(&buffer), LIMIT) {
                bytes += black_box(message).len();
            }
            bytes
        });
    }

    #[divan::bench]
    fn connection_events(bencher: Bencher<'_, '_>) {
        let mut connection = connection();
        take_all(bencher, |input| {
            // As many as may wait for the application at once, again and again.
            while !input.is_empty() {
                connection.handle_stream(NOW, input);
                while let Some(event) = connection.poll_event() {
                    black_box(event);
                }
            }
        });
    }

    #[divan::bench]
    fn length_delimited_codec(bencher: Bencher<'_, '_>) {
        take_all(bencher, |input| {
            let mut codec = LengthDelimitedCodec::new();
            while let Ok(Some(frame)) = codec.decode(input) {
                black_box(frame);
            }
        });
    }

    /// Measures how all the frames of a buffer are taken off it.
    fn take_all(bencher: Bencher<'_, '_>, mut take: impl FnMut(&mut BytesMut)) {
        bencher.counter(ItemsCount::new(FRAMES)).with_inputs(buffer).bench_local_values(|mut input| {
            take(&mut input);
            input
        });
    }
}

mod encode {
    use super::*;

    #[divan::bench]
    fn connection_send(bencher: Bencher<'_, '_>) {
        let message = message();
        write_all(
            bencher,
            &mut connection(),
            |connection| {
                connection.send(NOW, SendMode::Reliable, black_box(&message)).expect("room");
            },
            drain,
        );
    }

    #[divan::bench]
    fn connection_send_encoded(bencher: Bencher<'_, '_>) {
        let message = EncodedMessage::new(&message()).expect("a short message");
        write_all(
            bencher,
            &mut connection(),
            |connection| {
                connection.send_encoded(NOW, SendMode::Reliable, black_box(&message)).expect("room");
            },
            drain,
        );
    }

    /// One message at a time, as a quiet connection sends: nothing may be allocated for it.
    #[divan::bench]
    fn connection_send_and_write_one_by_one(bencher: Bencher<'_, '_>) {
        let message = message();
        write_all(
            bencher,
            &mut connection(),
            |connection| {
                connection.send(NOW, SendMode::Reliable, black_box(&message)).expect("room");
                drain(connection);
            },
            |_| {},
        );
    }

    #[divan::bench]
    fn length_delimited_codec(bencher: Bencher<'_, '_>) {
        let mut codec = LengthDelimitedCodec::new();
        // The header is the user's own business there: it is part of what is framed.
        let message = datagram();
        write_all(
            bencher,
            &mut BytesMut::new(),
            |output| {
                codec.encode(black_box(message.clone()), output).expect("a short frame");
            },
            |output| {
                black_box(&output[..]);
                output.clear();
            },
        );
    }

    /// Measures how as many frames are written `into` something as fill a buffer, one after the other, and then leave.
    fn write_all<T>(
        bencher: Bencher<'_, '_>,
        into: &mut T,
        mut write: impl FnMut(&mut T),
        mut leave: impl FnMut(&mut T),
    ) {
        bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
            for _ in 0..FRAMES {
                write(into);
            }
            leave(into);
        });
    }

    fn drain(connection: &mut Connection) {
        let mut output = connection.stream_output();
        while output.has_remaining() {
            let count = black_box(output.chunk()).len();
            output.advance(count);
        }
    }
}

mod datagrams {
    use super::*;

    /// The door of a server with this many clients: whose is a datagram?
    #[divan::bench(args = [10, 10_000])]
    fn listener_routes(bencher: Bencher<'_, '_>, clients: u32) {
        let mut config = ServerConfig::default();
        (config.max_pending, config.max_pending_per_address) = (usize::MAX, usize::MAX);
        let mut listener = Listener::new(Arc::new(config));
        let address = |client: u32| SocketAddr::from(([192, 0, 2, 1], 1024 + client as u16));
        for client in 0..clients {
            let mut tokens = Counted(u64::from(client));
            listener.accept(NOW, address(client), &mut tokens).expect("room for all");
            let hello = Hello::new(1, tokens.token()).to_bytes();
            let routing = listener.handle_datagram(NOW, address(client), &hello);
            assert!(matches!(routing, Routing::Paired { .. }));
        }
        let datagram = datagram();
        let mut client = 0;
        bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
            // A stride that visits all of them, near ones never in turn.
            client = (client + 7919) % clients;
            listener.handle_datagram(NOW, address(client), black_box(&datagram))
        });
    }

    struct Counted(u64);

    impl TokenSource for Counted {
        fn token(&mut self) -> Token {
            Token::new(self.0.to_be_bytes())
        }
    }

    const BURST: usize = 64;

    #[divan::bench]
    fn connection_send_and_take_a_run(bencher: Bencher<'_, '_>) {
        let (mut connection, message) = (connection(), message());
        bencher.counter(ItemsCount::new(BURST)).bench_local(|| {
            for _ in 0..BURST {
                connection.send(NOW, SendMode::Unreliable, black_box(&message)).expect("no limit");
            }
            while let Some(run) = connection.poll_datagrams(BURST) {
                black_box(run);
            }
        });
    }

    #[divan::bench]
    fn connection_handle_datagram(bencher: Bencher<'_, '_>) {
        let mut connection = connection();
        let datagram = datagram();
        bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
            connection.handle_datagram(NOW, black_box(datagram.clone()));
            black_box(connection.poll_event())
        });
    }
}
