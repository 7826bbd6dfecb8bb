//! `darkrift listen`.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use crate::program::{Listening, Program};
use crate::raw::{CONFIGURE, frame, message};

#[test]
fn who_comes_and_goes_and_what_they_send_is_printed() {
    let mut server = Listening::start(&[]);
    let mut client = Program::start(&["connect", &server.address]);
    let joined = server.program.line();
    assert!(joined.contains(" client 0 joined from TCP 127.0.0.1:"), "{joined}");
    client.type_line("send 3 \"Hello\"");
    let sent = server.program.line();
    assert!(
        sent.contains(" client 0 sent reliable ordinary tag=3 length=14 string=\"Hello\" hex="),
        "{sent}"
    );
    client.type_line("quit");
    let left = server.program.line();
    assert!(left.ends_with(" client 0 left: the peer ended its stream"), "{left}: it had sent something");
    let finished = server.program.finish();
    assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
    finished.line_with("clients joined=1 left=1 lost=0");
    finished.line_with("traffic reliable_sent=0 reliable_received=1");
}

#[test]
fn without_messages_it_is_quiet() {
    let mut server = Listening::start(&["--quiet", "--echo"]);
    let mut client = Program::start(&["connect", &server.address]);
    client.type_line("send 3 \"Hello\"");
    client.line_with("string=\"Hello\"");
    client.type_line("quit");
    server.program.line_with("client 0 joined");
    assert!(server.program.line().contains("client 0 left"));
}

#[test]
fn a_hostile_client_writes_nothing_to_the_terminal_and_is_disconnected() {
    let mut server = Listening::start(&[]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut hello = [0; 9];
    stream.read_exact(&mut hello).unwrap();
    udp.send_to(&hello, &server.address).unwrap();
    stream.write_all(&frame(&message(b"\x1b]0;owned\x07\x1b[2J, and text for the most part"))).unwrap();
    // A command, which no client sends.
    stream.write_all(&frame(&CONFIGURE)).unwrap();
    server.program.line_with("client 0 joined");
    let sent = server.program.line();
    assert!(sent.contains("client 0 sent reliable ordinary tag=5 length=42 hex=1b 5d 30 3b"), "{sent}");
    assert!(sent.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{sent:?}");
    let left = server.program.line();
    assert!(left.ends_with("client 0 left: 5 strikes, the last for an invalid command"), "{left}");
}

#[test]
fn those_who_never_became_clients_are_told_of() {
    let mut server = Listening::start(&[]);
    drop(TcpStream::connect(&server.address).unwrap());
    server.program.line_with("a connection ended before it was a client");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let mut hello = Vec::new();
    // Until the server has waited for the token long enough.
    let _ = stream.read_to_end(&mut hello);
    assert_eq!(hello.len(), 9);
    let line = server.program.line_with("sent no token on UDP in time");
    assert!(line.contains("UDP is blocked on the way"), "{line}");
    server
        .program
        .finish()
        .line_with("clients joined=0 left=0 lost=0 disconnected=0 closed=0 without_token=1 abandoned=1");
}

#[test]
fn clients_that_are_there_at_the_end_are_disconnected() {
    let server = Listening::start(&[]);
    let mut client = Program::start(&["connect", &server.address]);
    client.line_with("connected");
    let finished = server.program.finish();
    finished.line_with("client 0 left: the server shut down");
    finished.line_with("clients joined=1 left=0 lost=0 disconnected=0 closed=1");
    assert_eq!(client.wait().code, 1);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_in_order() {
    let server = Listening::start(&[]);
    server.program.interrupt();
    let finished = server.program.wait();
    assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
    finished.line_with("clients joined=0");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = Listening::start(&[]);
    let second = Program::run(&["listen", &server.address]);
    assert_eq!((second.code, second.lines.len()), (1, 0), "{second:#?}");
    assert!(second.errors.starts_with("darkrift: cannot listen on TCP 127.0.0.1:"), "{second:#?}");
}
