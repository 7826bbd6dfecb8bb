//! A client of its own making: it sends right behind the hello, before its token, or much that is no message.

mod mock;

use std::future::poll_fn;
use std::io::IoSlice;
use std::time::Duration;

use darkrift_driver::Server;
use darkrift_driver::runtime::{Runtime, TcpStream, Transmit};
use mock::{Faults, Mock, anywhere, run, sleep, spawn};

/// Bytes of a hello.
const HELLO: usize = 9;
/// The beginning of a message of 57 bytes.
const MESSAGE: [u8; 7] = [0, 0, 0, 53, 0, 0, 1];
/// Bytes of its payload.
const PAYLOAD: [u8; 50] = [0; 50];
/// A frame that is too short for a message.
const TOO_SHORT: [u8; 5] = [0, 0, 0, 1, 0];
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

/// A client of its own making that has had its hello, and that.
async fn open(server: &Server<Mock>) -> (Box<dyn TcpStream>, Vec<u8>) {
    let mut stream = Mock::default().connect(server.local_addr()).await.unwrap();
    let hello = read_to(&mut *stream, |read| read.len() == HELLO).await;
    (stream, hello)
}

/// Sends the token.
fn pair(server: &Server<Mock>, hello: &[u8]) {
    let socket = std::net::UdpSocket::bind(anywhere()).unwrap();
    let udp = Mock::default().wrap_udp_socket(socket).unwrap();
    let destination = server.udp_addr();
    let token = Transmit { destination, ecn: None, contents: hello, segment_size: None, src_ip: None };
    udp.try_send(&token).unwrap();
}

#[test]
fn a_ping_that_came_before_the_token_is_answered_when_that_has_come() {
    // The last are more than is held before the token; and more than one turn reads, but fewer than a connection holds.
    for (messages, most) in [(0, usize::MAX), (1, usize::MAX), (200, 1000), (200, 10)] {
        run(1, Faults { most, ..Faults::default() }, async {
            let server = Server::<Mock>::bind(anywhere()).await.unwrap();
            let (mut stream, hello) = open(&server).await;
            write(&mut *stream, &[&MESSAGE[..], &PAYLOAD].concat().repeat(messages)).await;
            write(&mut *stream, &PING).await;
            sleep(Duration::from_secs(1)).await;

            let runtime = Mock::default();
            pair(&server, &hello);
            let begun = runtime.now();
            read_to(&mut *stream, |read| read.ends_with(&ANSWER)).await;
            assert!(runtime.now() - begun < Duration::from_millis(1), "{messages} messages, {most} a read");
        });
    }
}

#[test]
fn a_message_behind_many_strikes_is_received() {
    run(1, Faults { most: 10, ..Faults::default() }, async {
        let server = Server::<Mock>::builder().max_strikes(u32::MAX).bind(anywhere()).await.unwrap();
        let (mut stream, hello) = open(&server).await;
        pair(&server, &hello);
        let served = server.accept().await.unwrap();
        // While someone waits for it; and more than a turn reads brings nothing else.
        spawn(async move {
            sleep(Duration::from_secs(1)).await;
            write(&mut *stream, &TOO_SHORT.repeat(200)).await;
            write(&mut *stream, &[&MESSAGE[..], &PAYLOAD].concat()).await;
            sleep(Duration::from_secs(60)).await;
        });
        assert_eq!(served.recv().await.unwrap().payload()[..], PAYLOAD);
    });
}
