//! A client that sends right behind the hello, before its token, and whose messages nobody takes.

mod mock;

use std::future::poll_fn;
use std::io::IoSlice;
use std::time::Duration;

use darkrift_driver::Server;
use darkrift_driver::runtime::{Runtime, TcpStream, Transmit};
use mock::{Faults, Mock, anywhere, run, sleep};

/// Bytes of a hello.
const HELLO: usize = 9;
/// The beginning of a message of 57 bytes.
const MESSAGE: [u8; 7] = [0, 0, 0, 53, 0, 0, 1];
/// Bytes of its payload.
const PAYLOAD: [u8; 50] = [0; 50];
/// A ping of tag 7 and code 1, and its acknowledgement.
const PING: [u8; 9] = [0, 0, 0, 5, 0x40, 0, 7, 0, 1];
const ANSWER: [u8; 9] = [0, 0, 0, 5, 0x60, 0, 7, 0, 1];

async fn write(stream: &mut dyn TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = poll_fn(|cx| stream.poll_write(cx, &[IoSlice::new(bytes)])).await.unwrap();
        bytes = &bytes[count..];
    }
}

/// Reads until this has come.
async fn read_to(stream: &mut dyn TcpStream, what: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (mut read, mut buffer) = (Vec::new(), [0; 100]);
    while !what(&read) {
        let count = poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.unwrap();
        assert!(count > 0, "it has ended behind {read:?}");
        read.extend_from_slice(&buffer[..count]);
    }
    read
}

#[test]
fn a_ping_that_came_before_the_token_is_answered_when_that_has_come() {
    // The last are more than is held before the token; and more than one turn reads, but fewer than a connection holds.
    for (messages, most) in [(0, usize::MAX), (1, usize::MAX), (200, 1000), (200, 10)] {
        run(1, Faults { most, ..Faults::default() }, async {
            let server = Server::<Mock>::bind(anywhere()).await.unwrap();
            let runtime = Mock::default();
            let mut stream = runtime.connect(server.local_addr()).await.unwrap();
            let hello = read_to(&mut *stream, |read| read.len() == HELLO).await;
            write(&mut *stream, &[&MESSAGE[..], &PAYLOAD].concat().repeat(messages)).await;
            write(&mut *stream, &PING).await;
            sleep(Duration::from_secs(1)).await;

            let socket = std::net::UdpSocket::bind(anywhere()).unwrap();
            let udp = runtime.wrap_udp_socket(socket).unwrap();
            let token = Transmit {
                destination: server.udp_addr(),
                ecn: None,
                contents: &hello,
                segment_size: None,
                src_ip: None,
            };
            udp.try_send(&token).unwrap();
            let begun = runtime.now();
            read_to(&mut *stream, |read| read.ends_with(&ANSWER)).await;
            assert!(runtime.now() - begun < Duration::from_millis(1), "{messages} messages, {most} a read");
        });
    }
}
