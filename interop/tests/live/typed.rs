//! A message with a field of every type that DarkRiftPy's messages may have, against a struct that derives its own.

use bytes::Bytes;
use darkrift::tokio::Client;
use darkrift::{Message, SendMode};
use tokio::time::timeout;

use crate::program::Program;
use crate::{PATIENCE, legacy_server};

/// `EveryType` of `every_type.py`, field by field.
#[derive(Clone, Debug, PartialEq, Message)]
#[darkrift(tag = 3, encoding = "utf8")]
struct EveryType {
    text: String,
    raw: Bytes,
    flag: bool,
    /// DarkRiftPy's `char` is one byte.
    letter: u8,
    single: f32,
    double: f64,
    i8: i8,
    u8: u8,
    i16: i16,
    u16: u16,
    i32: i32,
    u32: u32,
    i64: i64,
    u64: u64,
    texts: Vec<String>,
    singles: Vec<f32>,
    doubles: Vec<f64>,
    i8s: Vec<i8>,
    u8s: Vec<u8>,
    i16s: Vec<i16>,
    u16s: Vec<u16>,
    i32s: Vec<i32>,
    u32s: Vec<u32>,
    i64s: Vec<i64>,
    u64s: Vec<u64>,
}

/// `example()` of `every_type.py`.
fn example() -> EveryType {
    EveryType {
        text: "Hello World".into(),
        raw: Bytes::from_static(&[0x00, 0xff, 0x80]),
        flag: true,
        letter: b'x',
        single: -1.5,
        double: 0.1,
        i8: i8::MIN,
        u8: u8::MAX,
        i16: i16::MIN,
        u16: u16::MAX,
        i32: i32::MIN,
        u32: u32::MAX,
        i64: i64::MIN,
        u64: u64::MAX,
        texts: vec!["one".into(), "".into(), "three".into()],
        singles: vec![1.5, -0.25],
        doubles: vec![0.1, -1e300],
        i8s: vec![-1, 127],
        u8s: vec![0, 255],
        i16s: vec![-1, 258],
        u16s: vec![258, 65535],
        i32s: vec![i32::MIN, i32::MAX],
        // DarkRiftPy writes no larger ones in a list.
        u32s: vec![0, i32::MAX as u32],
        i64s: vec![-1, i64::MAX],
        u64s: vec![1, u64::MAX],
    }
}

#[tokio::test]
async fn our_server_reads_a_message_of_every_type_from_its_client_and_sends_the_same_bytes_back() {
    let server = legacy_server().await;
    let port = server.local_addr().port().to_string();
    let program = Program::python("typed_client.py", &[&port]);

    let client =
        timeout(PATIENCE, server.accept()).await.expect("it connects in time").expect("the server is open");
    let received =
        timeout(PATIENCE, client.recv()).await.expect("it sends in time").expect("it is still there");
    assert_eq!(received.decode_strict(), Ok(example()));
    client.send(SendMode::Reliable, &example()).await.expect("it takes the answer");

    assert_eq!(program.finish().await, ["the same message came back"]);
}

#[tokio::test]
async fn its_server_reads_a_message_of_every_type_from_our_client_and_sends_the_same_bytes_back() {
    let (mut program, port) = Program::python_server("typed_server.py", &[]).await;
    let client = Client::connect(("127.0.0.1", port)).await.expect("its server takes our client");

    client.send(SendMode::Reliable, &example()).await.expect("its server takes the message");

    assert_eq!(program.line().await, "as expected");
    let received =
        timeout(PATIENCE, client.recv()).await.expect("it answers in time").expect("it is still there");
    assert_eq!(received.decode_strict(), Ok(example()));
    assert_eq!(received.message(), &ours_encoded());
    client.close().await;
}

/// Our bytes for the example, to be compared with DarkRiftPy's.
fn ours_encoded() -> Message {
    Message::encode(3, &example()).expect("the example can be encoded")
}
