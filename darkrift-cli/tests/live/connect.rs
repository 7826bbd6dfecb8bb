//! `darkrift connect`: conversations, with servers of which some are hostile.

use std::thread;
use std::time::Duration;

use crate::program::{Listening, Program};
use crate::raw::{NothingThere, RawServer, frame, message};

fn connect(server: &RawServer) -> Program {
    Program::start(&["connect", &server.address, "--udp-port", &server.udp_port])
}

#[test]
fn what_is_typed_comes_back_from_a_server_that_echoes() {
    let server = Listening::start(&["--echo"]);
    let mut program = Program::start(&["connect", &server.address]);
    let connected = program.line();
    assert!(
        connected.contains("connected to 127.0.0.1:") && connected.contains("as client 0"),
        "{connected}"
    );
    for (typed, printed) in [
        (
            r#"send 5 "Hello""#,
            r#"received reliable ordinary tag=5 length=14 string="Hello" hex=00 00 00 0a 48 00 65 00 6c 00 6c 00 6f 00"#,
        ),
        ("send 5 hex 00 01 ff", "received reliable ordinary tag=5 length=3 hex=00 01 ff"),
        (
            "send 65535 i32 1 -2 u8 3",
            "received reliable ordinary tag=65535 length=9 hex=00 00 00 01 ff ff ff fe 03",
        ),
        ("unreliable 0", "received unreliable ordinary tag=0 length=0"),
        ("ping 9", "received reliable acknowledgement code=1 tag=9 length=0 after "),
    ] {
        program.type_line(typed);
        let line = program.line();
        assert!(line.contains(printed), "{typed}: {line}");
    }
    program.type_line("stats");
    let statistics = program.line();
    assert!(
        statistics.contains("traffic reliable_sent=4 reliable_received=4 unreliable_sent=1"),
        "{statistics}"
    );
    program.type_line("quit");
    let finished = program.wait();
    assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
}

#[test]
fn behind_the_end_of_the_input_answers_are_waited_for() {
    let server = Listening::start(&["--echo"]);
    let mut program = Program::start(&["connect", &server.address, "--wait", "1m"]);
    program.type_line("send 5 \"late\"");
    program.end_input();
    program.line_with("string=\"late\"");
}

#[test]
fn python_speaks_utf_8() {
    let server = Listening::start(&["--echo", "--dialect", "legacy", "--encoding", "utf8"]);
    let mut program = Program::start(&["connect", &server.address, "--encoding", "utf8"]);
    assert!(program.line().ends_with("dialect legacy (DarkRiftPy)"));
    program.type_line(r#"send 1 "grün""#);
    let line = program.line();
    assert!(line.ends_with(r#"length=9 string="grün" hex=00 00 00 05 67 72 c3 bc 6e"#), "{line}");
}

#[test]
fn text_of_the_other_encoding_is_named() {
    let server = Listening::start(&["--echo"]);
    let mut program = Program::start(&["connect", &server.address]);
    program.type_line("send 1 hex 00000005 48656c6c6f");
    let line = program.line_with("received");
    assert!(line.contains(r#"string="Hello" encoding=UTF-8 hex="#), "{line}");
}

#[test]
fn a_line_that_cannot_be_carried_out_is_named_and_the_others_are() {
    let server = Listening::start(&["--echo"]);
    let mut program = Program::start(&["connect", &server.address]);
    program.line_with("connected");
    for line in ["shout", "send 70000", "send 1 u8 256", "# a comment", "", "send 1 u8 255"] {
        program.type_line(line);
    }
    program.line_with("tag=1 length=1 hex=ff");
    program.type_line("quit");
    let finished = program.wait();
    assert_eq!(finished.code, 1, "{finished:#?}");
    let errors: Vec<_> = finished.errors.lines().collect();
    assert!(errors[0].starts_with("darkrift: line 1: there is no \"shout\""), "{errors:?}");
    assert!(errors[1].starts_with("darkrift: line 2: \"70000\" is no tag"), "{errors:?}");
    assert_eq!(errors[2..], ["darkrift: line 3: \"256\" is no u8"]);
}

#[test]
fn a_datagram_that_is_too_long_is_refused_by_name() {
    let server = Listening::start(&["--echo"]);
    let mut program = Program::start(&["connect", &server.address]);
    program.type_line(&format!("unreliable 1 hex {}", "00".repeat(65_505)));
    program.type_line("quit");
    let finished = program.wait();
    assert!(
        finished.errors.contains("line 1: a message of 65508 bytes, more than the 65507"),
        "{finished:#?}"
    );
}

#[test]
fn it_ends_with_the_reason_when_the_server_leaves() {
    let program = connect(&RawServer::welcoming(|served| served.write(&frame(&message(b"farewell")))));
    let finished = program.wait();
    assert_eq!((finished.code, finished.errors.as_str()), (1, ""), "{finished:#?}");
    finished.line_with("received reliable ordinary tag=5 length=8 text=\"farewell\"");
    assert!(finished.lines.last().unwrap().ends_with("closed: the peer ended its stream"), "{finished:#?}");
}

#[test]
fn garbage_ends_the_connection_with_a_reason() {
    for (garbage, reason) in [
        (&b"\xff\xff\xff\xff"[..], "a frame of the negative length -1"),
        (b"\0\0\0\0", "a frame of length 0"),
        (b"HTTP/1.1 400 Bad Request\r\n", "a frame of 1213486160 bytes, more than the"),
        (b"\0\0\0\x01\0", "a malformed frame"),
    ] {
        let program = connect(&RawServer::welcoming(|served| {
            served.write(garbage);
            served.wait();
        }));
        let finished = program.wait();
        assert_eq!((finished.code, finished.errors.as_str()), (1, ""), "{finished:#?}");
        assert!(finished.line_with("closed: ").contains(reason), "{finished:#?}");
    }
}

#[test]
fn a_long_payload_is_shortened() {
    const LENGTH: usize = 16 << 20;
    let mut program = connect(&RawServer::welcoming(|served| {
        served.write(&frame(&message(&vec![0xaa; LENGTH])));
        served.write(&frame(&message(&vec![b'x'; LENGTH])));
        let characters = i32::try_from(LENGTH - 4).unwrap().to_be_bytes();
        served.write(&frame(&message(&[&characters[..], &vec![b'y'; LENGTH - 4]].concat())));
        served.wait();
    }));
    for text in ["length=16777216 hex=aa aa ", "length=16777216 text=\"xxx", "length=16777216 string=\"yyy"] {
        let line = program.line_with("received");
        assert!(line.contains(text) && line.len() < 1000, "{} bytes: {:.1000}", line.len(), line);
        assert!(line.ends_with("... (16777152 more)"), "{line}");
    }
}

#[test]
fn no_server_writes_to_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7} and \u{9b}31m more \u{202e} text\r\n";
    let program = connect(&RawServer::welcoming(move |served| {
        let length = i32::try_from(hostile.len()).unwrap().to_be_bytes();
        served.write(&frame(&message(&[&length[..], hostile.as_bytes()].concat())));
        served.write(&frame(&message(hostile.as_bytes())));
        served.write(&frame(&message(b"\x1b[2J and text that is text for the most part")));
    }));
    let finished = program.wait();
    for line in &finished.lines {
        assert!(line.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{line:?}");
    }
    assert!(finished.line_with("string=").contains(r"\u{1b}[2J\u{1b}]0;owned\u{7}"), "{finished:#?}");
}

#[test]
fn however_much_a_server_sends_the_input_is_carried_out() {
    let mut program = connect(&RawServer::welcoming(|served| {
        let messages = frame(&message(b"")).repeat(1000);
        // Until the client has gone.
        for _ in 0..1_000_000 {
            if !served.write_if_open(&messages) {
                break;
            }
        }
    }));
    program.line_with("received");
    program.type_line("quit");
    assert_eq!(program.wait().code, 0);
}

#[test]
fn behind_messages_that_a_server_never_reads_the_input_is_carried_out() {
    let mut program = connect(&RawServer::welcoming(|served| {
        // Until the client has gone.
        while served.write_if_open(&frame(&message(b""))) {
            thread::sleep(Duration::from_millis(20));
        }
    }));
    // More than sockets and queues take, and not more lines than the program reads ahead.
    let line = format!("send 5 hex {}", "00".repeat(500_000));
    for _ in 0..16 {
        program.type_line(&line);
    }
    program.type_line("quit");
    let finished = program.wait();
    assert_eq!(finished.code, 1, "{finished:#?}");
    assert!(finished.errors.contains(": not sent: there was no room for 5s"), "{finished:#?}");
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let nothing = NothingThere::new();
    let finished = Program::run(&["connect", &nothing.address()]);
    assert_eq!((finished.code, finished.lines.len()), (1, 0), "{finished:#?}");
    assert!(finished.errors.contains("no TCP connection to"), "{finished:#?}");
    assert_eq!(finished.errors.lines().count(), 1, "{finished:#?}");
}

#[test]
fn what_a_server_of_another_protocol_says_is_not_left_as_a_number() {
    let finished = connect(&RawServer::start(|served| {
        served.write(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        served.wait();
    }))
    .wait();
    assert_eq!((finished.code, finished.lines.len()), (1, 0), "{finished:#?}");
    assert!(finished.errors.contains("does not speak as a DarkRift server"), "{finished:#?}");
    assert!(
        finished.errors.contains(r#"(that length is text, "penS"; `darkrift probe` says more)"#),
        "{finished:#?}"
    );
}
