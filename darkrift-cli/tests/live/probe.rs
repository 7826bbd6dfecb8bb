//! `darkrift probe`: what it says of servers that work, and of those that do not.

use crate::program::{Finished, Listening, Program};
use crate::raw::{CONFIGURE, HELLO, NothingThere, RawServer, frame, message};

/// Probes a server that does not let anybody in, for a time that any machine needs less of for the rest.
fn failed_probe(server: &RawServer) -> Finished {
    let probe = Program::run(&["probe", &server.address, "--udp-port", &server.udp_port, "--timeout", "3s"]);
    assert_eq!((probe.code, probe.errors.as_str()), (1, ""), "{probe:#?}");
    probe
}

#[test]
fn a_server_that_works_is_described_step_by_step() {
    for (dialect, speaker) in [("v1", "DarkRift 2.11"), ("v0", "DarkRift 2.10"), ("legacy", "DarkRiftPy")] {
        let server = Listening::start(&["--dialect", dialect]);
        let probe = Program::run(&["probe", &server.address]);
        assert_eq!(probe.code, 0, "{probe:#?}");
        for (line, beginning) in probe.lines.iter().zip([
            "look-up: ",
            "TCP: connected to ",
            "hello: version=",
            "",
            "",
            "connected: ",
        ]) {
            assert!(line.starts_with(beginning), "{line}");
        }
        assert!(probe.line_with("UDP: token sent").contains(&format!("dialect {dialect} ({speaker}")));
        probe.line_with("Configure: client id 0");
        assert!(probe.line_with("connected: ").contains(speaker));
    }
}

#[test]
fn a_server_that_was_probed_sees_a_client_that_leaves() {
    let mut server = Listening::start(&[]);
    Program::run(&["probe", &server.address]);
    server.program.line_with("client 0 joined");
    let line = server.program.line_with("client 0 left");
    assert!(line.contains("left: the peer ended its stream"), "{line}");
}

#[test]
fn where_nothing_listens_it_says_so() {
    let nothing = NothingThere::new();
    let probe = Program::run(&["probe", &nothing.address()]);
    assert_eq!(probe.code, 1, "{probe:#?}");
    probe.line_with("TCP: FAILED: ");
    probe.line_with("likely: nothing listens on that TCP port");
}

#[test]
fn a_server_that_waits_to_be_spoken_to_is_no_darkrift_server() {
    let probe = failed_probe(&RawServer::start(|served| served.wait()));
    probe.line_with("hello: FAILED: it did not come (");
    probe.line_with("likely: not a DarkRift server, which speaks first");
}

#[test]
fn a_server_that_speaks_another_protocol_is_quoted() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(b"220 mail.example ready\x1b[2J\r\n");
        served.wait();
    }));
    // An escape is no text.
    probe.line_with(r#"it began with "220 mail.example ready""#);
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        served.wait();
    }));
    // Its first nine bytes are no hello, and the next four no length.
    assert!(
        probe.lines.iter().all(|line| !line.contains("version=") && !line.contains("a frame of")),
        "{probe:#?}"
    );
    probe.line_with("hello: FAILED: what came is text");
    probe.line_with(r#"likely: hardly a DarkRift server, whose first byte is a version: it began with "SSH-2.0-OpenSSH_9.2p1\r\n""#);
}

#[test]
fn a_server_that_ends_the_connection_at_once_may_be_full() {
    let probe = failed_probe(&RawServer::start(|_| {}));
    probe.line_with("hello: FAILED: ");
    probe.line_with("likely: the server is full, stopping, or turns this address away");
}

#[test]
fn a_server_that_turns_a_client_away_behind_its_token_is_not_blamed_on_udp() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.receive_token();
        served.acknowledge();
    }));
    probe.line_with("turned this client away");
}

#[test]
fn udp_that_is_silent_is_said_to_be_blocked() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.wait();
    }));
    probe.line_with("hello: version=1 token=1122334455667708");
    probe.line_with("UDP: FAILED: token sent to 127.0.0.1:");
    let likely = probe.line_with("likely: UDP port ");
    assert!(likely.contains("is blocked on the way"), "{likely}");
}

/// Elsewhere the system may not tell.
#[cfg(target_os = "linux")]
#[test]
fn a_udp_port_that_nothing_listens_on_is_told_from_one_that_is_blocked() {
    let mut server = RawServer::start(|served| {
        served.write(&HELLO);
        served.wait();
    });
    // To whom else sends to it than itself, it is as if nobody had it.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    held.connect(held.local_addr().unwrap()).unwrap();
    let free = held.local_addr().unwrap().port();
    server.udp_port = free.to_string();
    let probe = failed_probe(&server);
    probe.line_with(&format!("likely: nothing listens on UDP port {free} "));
}

#[test]
fn udp_that_works_one_way_only_is_no_success() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.receive_token();
        served.write(&frame(&CONFIGURE));
        served.wait();
    }));
    probe.line_with("Configure: client id 7");
    probe.line_with("UDP: FAILED: the token came to");
    probe.line_with("likely: UDP works to the server and not back");
}

#[test]
fn a_server_that_gives_no_id_hangs_in_its_handler() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.receive_token();
        served.acknowledge();
        served.wait();
    }));
    probe.line_with("Configure: FAILED: it did not come (");
    probe.line_with("likely: the server took the token and gives no id");
}

#[test]
fn the_udp_port_may_be_another() {
    let server = RawServer::welcoming(|served| served.wait());
    let probe = Program::run(&["probe", &server.address, "--udp-port", &server.udp_port]);
    assert_eq!(probe.code, 0, "{probe:#?}");
    probe.line_with(&format!("UDP: token sent to 127.0.0.1:{} ", server.udp_port));
}

#[test]
fn a_flood_of_frames_ends_the_probe() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.receive_token();
        let frames = frame(&message(b"flood")).repeat(1000);
        while served.write_if_open(&frames) {}
    }));
    probe.line_with("UDP: FAILED: more than 4096 messages before Configure");
    probe.line_with("likely: not a DarkRift server");
}

#[test]
fn a_flood_of_datagrams_does_not_hold_the_probe_up() {
    let probe = failed_probe(&RawServer::start(|served| {
        served.write(&HELLO);
        served.receive_token();
        while !served.has_ended() {
            served.send_datagram(b"flood");
        }
    }));
    probe.line_with("UDP: FAILED: token sent to 127.0.0.1:");
}
