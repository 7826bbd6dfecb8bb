//! What all commands have: help, errors of usage, a pipe that closes.

use crate::program::{Listening, Program};

const COMMANDS: [&str; 6] = ["probe", "connect", "ping", "listen", "load", "decode"];

#[test]
fn each_command_has_help() {
    let all = Program::run(&["--help"]);
    assert_eq!((all.code, all.errors.as_str()), (0, ""));
    for command in COMMANDS {
        all.line_with(&format!("  {command} "));
        for help in ["--help", "-h"] {
            let finished = Program::run(&[command, help]);
            assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
            assert!(finished.lines[0].starts_with(&format!("usage: darkrift {command} ")), "{finished:#?}");
        }
    }
}

#[test]
fn lines_of_help_fit_a_page() {
    for command in COMMANDS {
        for line in Program::run(&[command, "--help"]).lines {
            assert!(line.len() <= 120, "{line}");
        }
    }
}

#[test]
fn the_version_is_the_packages() {
    let finished = Program::run(&["--version"]);
    assert_eq!((finished.code, finished.lines), (0, vec![format!("darkrift {}", env!("CARGO_PKG_VERSION"))]));
}

#[test]
fn wrong_arguments_are_one_line_and_the_exit_code_2() {
    for (arguments, error) in [
        (&[][..], "a command is missing (see `darkrift --help`)"),
        (&["dance"], "there is no command \"dance\" (see `darkrift --help`)"),
        (&["--dance"], "invalid option '--dance' (see `darkrift --help`)"),
        (&["probe"], "the server's address is missing (see `darkrift probe --help`)"),
        (&["ping", "localhost", "--dance"], "invalid option '--dance' (see `darkrift ping --help`)"),
        (&["ping", "localhost", "more"], "unexpected argument \"more\" (see `darkrift ping --help`)"),
        (&["ping", "localhost", "--count", "0"], "a count of 0 pings, not of 1 to 1000000"),
        (&["ping", "localhost", "--interval", "5"], "not a time with its unit, such as 250ms, 1.5s or 2m"),
        (&["connect", "a:b"], "not a host, or a host and a port up to 65535"),
        (&["connect", "localhost", "--encoding", "latin1"], "not an encoding: there are utf16le"),
        (&["listen", "localhost", "--dialect", "v2"], "not a dialect: there are v1, v0 and legacy"),
        (&["load", "localhost", "--clients", "0"], "--clients 0 is not from 1 to 65536"),
        (&["load", "localhost", "--size", "70000", "--unreliable"], "--size 70000 is not from 4 to 65504"),
        (&["load", "localhost", "--first", "Ada"], "\"Ada\" is no tag: that is a number up to 65535"),
        (&["decode"], "the bytes are missing (see `darkrift decode --help`)"),
        (&["decode", "xyz"], "\"xyz\" is not hexadecimal"),
    ] {
        let finished = Program::run(arguments);
        assert_eq!((finished.code, finished.lines.len()), (2, 0), "{finished:#?}");
        assert!(
            finished.errors.starts_with("darkrift: ") && finished.errors.contains(error),
            "{finished:#?}"
        );
        assert_eq!(finished.errors.lines().count(), 1, "{finished:#?}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut server = Listening::start(&[]);
    let pings = ["ping", &server.address, "--count", "100000", "--interval", "1ms"];
    let mut program = Program::start(&pings);
    program.line_with("ping 1: ");
    program.close_output();
    let finished = program.wait();
    assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");

    server.program.close_output();
    let _client = Program::start(&pings);
    let finished = server.program.wait();
    assert_eq!((finished.code, finished.errors.as_str()), (0, ""), "{finished:#?}");
}
