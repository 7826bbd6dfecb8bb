//! `darkrift load`.

use crate::program::{Listening, Program};
use crate::raw::NothingThere;

#[test]
fn what_a_server_echoes_is_counted() {
    let server = Listening::start(&["--echo", "--quiet"]);
    for channel in [&[][..], &["--unreliable"]] {
        let arguments =
            ["load", &server.address, "--clients", "5", "--rate", "20", "--size", "100", "--seconds", "1"];
        let finished = Program::run(&[&arguments[..], channel].concat());
        assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
        finished.line_with("5 of 5 clients connected in ");
        finished.line_with("100 sent, ");
        assert!(finished.line_with("round trip min ").contains(", median "), "{finished:#?}");
    }
}

#[test]
fn on_tcp_nothing_is_lost() {
    let server = Listening::start(&["--echo", "--quiet"]);
    let arguments =
        ["load", &server.address, "--clients", "2", "--rate", "50", "--size", "4", "--seconds", "1"];
    Program::run(&arguments).line_with("100 sent, 100 answered, 0 lost (0.00%), 0 not sent");
}

#[test]
fn each_client_may_say_first_who_it_is() {
    let mut server = Listening::start(&["--echo"]);
    let arguments = ["load", &server.address, "--clients", "2", "--rate", "1", "--seconds", "1"];
    let first = ["--encoding", "utf8", "--first", r#"5 "Ada" u8 7"#];
    let finished = Program::run(&[&arguments[..], &first].concat());
    assert_eq!(finished.code, 0, "{finished:#?}");
    finished.line_with("2 sent, 2 answered, 0 lost");
    finished.line_with("2 messages came that were not sent here");
    for _ in 0..2 {
        let line = server.program.line_with(" sent ");
        assert!(line.contains("sent reliable ordinary tag=5 length=8 "), "{line}");
    }
}

#[test]
fn a_server_that_does_not_echo_is_told_from_one_that_loses() {
    let server = Listening::start(&["--quiet"]);
    let finished = Program::run(&["load", &server.address, "--clients", "1", "--seconds", "1"]);
    assert_eq!(finished.code, 1, "{finished:#?}");
    finished.line_with("10 sent, 0 answered, 10 lost (100.00%)");
    finished.line_with("nothing came back: this needs a server that returns what it is sent");
}

#[test]
fn those_who_are_disconnected_are_counted_with_the_reason() {
    // More than a server takes of a client.
    let server = Listening::start(&["--quiet", "--echo"]);
    let finished =
        Program::run(&["load", &server.address, "--clients", "3", "--size", "65535", "--seconds", "1"]);
    assert_eq!(finished.code, 1, "{finished:#?}");
    finished.line_with("3 disconnected: ");
}

#[test]
fn those_who_cannot_connect_are_counted_with_the_reason() {
    let nothing = NothingThere::new();
    let finished = Program::run(&["load", &nothing.address(), "--clients", "3"]);
    assert_eq!(finished.code, 1, "{finished:#?}");
    finished.line_with("0 of 3 clients connected in ");
    finished.line_with("3 not connected: no TCP connection to ");
}

#[cfg(unix)]
#[test]
fn an_interrupt_brings_the_report() {
    let mut server = Listening::start(&["--echo"]);
    let mut program =
        Program::start(&["load", &server.address, "--clients", "2", "--rate", "100", "--seconds", "3600"]);
    program.line_with("2 of 2 clients connected in ");
    server.program.line_with(" sent reliable ordinary tag=65535 length=64 ");
    program.interrupt();
    let counts = program.line_with(" answered, ");
    assert!(!counts.starts_with("0 sent"), "{counts}");
    assert_eq!(program.wait().code, 0);
}
