//! `darkrift decode`.

use crate::program::Program;

fn decode(arguments: &[&str]) -> (i32, Vec<String>) {
    let finished = Program::run(&[&["decode"], arguments].concat());
    assert_eq!(finished.errors, "");
    (finished.code, finished.lines)
}

#[test]
fn frames_are_taken_apart() {
    let (code, lines) = decode(&["00 00 00 05 80 00 00 00 03", "0000000b 00 0005 00000004 48006900"]);
    assert_eq!(code, 0);
    assert_eq!(
        lines,
        [
            "stream of 24 bytes",
            "frame length=5",
            "command flags=0x80 Configure id=3",
            "  hex=00 03",
            "frame length=11",
            "message flags=0x00 ordinary tag=5 length=8",
            "  hex=00 00 00 04 48 00 69 00",
            "  string=\"Hi\" encoding=UTF-16LE",
        ]
    );
}

#[test]
fn a_stream_may_begin_with_the_hello() {
    for version in ["00", "01"] {
        let hello = format!("{version}58d95ab96131c742");
        let (code, lines) = decode(&[&hello, "00:00:00:05:80:00:00:00:00"]);
        assert_eq!(code, 0, "{lines:#?}");
        assert_eq!(lines[1], format!("hello version={} token=58d95ab96131c742", &version[1..]));
        assert_eq!(lines[3], "command flags=0x80 Configure id=0");
    }
}

#[test]
fn a_datagram_has_no_length() {
    let (code, lines) = decode(&["--datagram", "60-01-02-00-07"]);
    assert_eq!(code, 0);
    assert_eq!(lines, ["datagram of 5 bytes", "message flags=0x60 acknowledgement code=7 tag=258 length=0"]);
    let (_, lines) = decode(&["0x40, 0x00, 0x05, 0x01, 0x00, 0xff"]);
    assert_eq!(lines[1], "message flags=0x40 ping code=256 tag=5 length=1");
}

#[test]
fn what_belongs_to_the_handshake_is_recognised() {
    let (_, lines) = decode(&["0158d95ab96131c742"]);
    assert_eq!(lines[1], "token version=1 token=58d95ab96131c742, if a handshake waits for one; else");
    for (bytes, dialect) in [("58d95ab96131c742 00000000", "v1"), ("00", "v0"), ("", "legacy")] {
        let (code, lines) = decode(&["--datagram", bytes]);
        assert_eq!(code, 0);
        assert!(
            lines[1].starts_with(&format!("acknowledgement of a token, dialect {dialect} ")),
            "{lines:?}"
        );
    }
}

#[test]
fn what_is_not_whole_or_makes_no_sense_is_an_error() {
    for (arguments, text) in [
        (&["--stream", "00 00 00 05 80"][..], "no whole frame: its length is 5, and 1 bytes follow"),
        (&["--stream", "00 00"], "no whole frame: its length takes 4 bytes"),
        (&["--stream", "00 00 00 00"], "no frame: a frame of length 0"),
        (&["--stream", "ff ff ff ff 00"], "no frame: a frame of the negative length -1"),
        (&["--datagram", "00 01"], "no message: a message of 2 bytes, shorter than its header of 3"),
        (&["80 00 00"], "command flags=0x80 code=0 unknown or too short"),
    ] {
        let (code, lines) = decode(arguments);
        assert_eq!(code, 1, "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains(text)), "{lines:#?}");
    }
}

#[test]
fn text_is_read_in_the_encoding_that_is_named() {
    let (_, lines) = decode(&["--encoding", "utf8", "00 0001 00000004 c3bcc3bc"]);
    assert!(lines.contains(&"  string=\"üü\" encoding=UTF-8".into()), "{lines:#?}");
}

#[test]
fn any_bytes_give_an_answer() {
    let mut state = 1_u32;
    for length in 0..40 {
        let bytes: String = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                format!("{:02x} ", state >> 24)
            })
            .collect();
        for transport in ["--stream", "--datagram"] {
            let (code, lines) = decode(&[transport, &bytes]);
            assert!((0..=1).contains(&code) && !lines.is_empty(), "{bytes}");
        }
    }
}
