//! `darkrift ping`.

use crate::program::{Listening, Program};
use crate::raw::RawServer;

#[test]
fn each_answer_is_printed_and_a_summary_behind_them() {
    let server = Listening::start(&[]);
    for channel in [&[][..], &["--unreliable"]] {
        let arguments = [&["ping", &server.address, "--count", "5", "--interval", "10ms"], channel].concat();
        let finished = Program::run(&arguments);
        assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
        finished.line_with("ping 1: ");
        finished.line_with("ping 5: ");
        let summary = finished.lines.last().unwrap();
        assert!(summary.starts_with("5 sent, 5 answered, 0 lost (0%); round trip min "), "{summary}");
        assert!(summary.contains(" ms, median ") && summary.contains(" ms, max "), "{summary}");
    }
}

#[test]
fn that_none_is_answered_does_not_mean_that_the_server_is_down() {
    let server = RawServer::welcoming(|served| served.wait());
    let finished = Program::run(&[
        "ping",
        &server.address,
        "--udp-port",
        &server.udp_port,
        "--count",
        "2",
        "--interval",
        "1ms",
    ]);
    assert_eq!(finished.code, 1, "{finished:#?}");
    finished.line_with("2 sent, 0 answered, 2 lost (100%)");
    finished.line_with("a server in C# answers pings only where its game does");
}

#[test]
fn a_server_that_leaves_ends_it() {
    let server = RawServer::welcoming(|_| {});
    let finished =
        Program::run(&["ping", &server.address, "--udp-port", &server.udp_port, "--interval", "1ms"]);
    assert_eq!(finished.code, 1, "{finished:#?}");
    finished.line_with("closed: ");
    finished.line_with(" 0 answered");
}

#[cfg(unix)]
#[test]
fn a_server_that_asks_and_never_reads_holds_nothing_up() {
    let server = RawServer::welcoming(|served| {
        let ping = [0x40, 0, 5, 0, 1];
        let pings = crate::raw::frame(&ping).repeat(10_000);
        // Until the client has gone.
        while served.write_if_open(&pings) {}
    });
    let arguments = ["--udp-port", &server.udp_port, "--count", "1000000", "--interval", "1ms"];
    let mut program = Program::start(&[&["ping", &server.address], &arguments[..]].concat());
    program.line_with("not sent: ");
    program.interrupt();
    let finished = program.wait();
    assert_eq!(finished.code, 1, "{finished:#?}");
    assert!(finished.line_with(" 0 answered, ").contains(" not sent"), "{finished:#?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_brings_the_summary() {
    let server = Listening::start(&[]);
    let mut program = Program::start(&["ping", &server.address, "--count", "1000", "--interval", "1m"]);
    program.line_with("ping 1: ");
    program.interrupt();
    let finished = program.wait();
    assert_eq!(finished.code, 0, "{finished:#?}");
    finished.line_with("1 sent, 1 answered, 0 lost (0%)");
}
