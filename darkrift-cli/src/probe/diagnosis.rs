//! What is most likely wrong, in words, and whom a server that works works for.

use std::io::ErrorKind;
use std::time::Duration;

use darkrift_tokio::proto::{CloseKind, CloseReason, ConnectPhase, Dialect, TransportError};

use super::handshake::Handshake;
use crate::text::Quoted;

/// A server that refuses a client does so within this time; one that ends the connection later has waited for a datagram.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The fewest bytes that are taken for text.
const SHORTEST_TEXT: usize = 4;

/// Where what is sent to a server on UDP comes to it, and nothing comes back.
pub(crate) const ONE_WAY: &str = "UDP works to the server and not back: a firewall drops its answers, or it answers from \
    another address than the one it was asked at. A C# client cannot connect";

/// What is most likely wrong where TCP cannot be opened.
pub(crate) const fn of_tcp(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::ConnectionRefused => {
            "nothing listens on that TCP port: the server does not run, has another port, or listens on 127.0.0.1 alone \
             while it is asked from elsewhere"
        }
        ErrorKind::TimedOut => "a firewall drops what is sent to that TCP port, or no such host is up",
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            "there is no way from here to that host"
        }
        _ => "the system's own words above say what",
    }
}

/// What happened where the handshake ended in this phase.
pub(crate) fn what(phase: ConnectPhase, reason: &CloseReason, handshake: &Handshake) -> String {
    match (&reason.kind, phase) {
        (CloseKind::ConnectTimeout { .. }, ConnectPhase::Acknowledgement) => {
            let (to, times) = (handshake.udp_address(), handshake.tokens_sent());
            format!("token sent to {to} {times} times, no acknowledgement came")
        }
        (CloseKind::ConnectTimeout { .. }, _) => "it did not come".into(),
        _ => reason.to_string(),
    }
}

/// What is most likely wrong where the handshake ended in this phase.
pub(crate) fn of_handshake(phase: ConnectPhase, reason: &CloseReason, handshake: &Handshake) -> String {
    if let Some(text) = text_at_the_beginning(handshake.first_bytes()) {
        return of_text(text);
    }
    let is_over = matches!(reason.kind, CloseKind::EndOfStream | CloseKind::Transport(TransportError::Reset));
    match phase {
        ConnectPhase::Hello if is_over => {
            "the server is full, stopping, or turns this address away; or what listens is a \
             proxy with no server behind it, or no DarkRift server"
                .into()
        }
        ConnectPhase::Hello => {
            "not a DarkRift server, which speaks first: this one waits, as a web server does".into()
        }
        ConnectPhase::Acknowledgement if is_over && handshake.elapsed() < AT_ONCE => {
            "the server is full, stopping, or turned this client away; or it is no DarkRift server".into()
        }
        ConnectPhase::Acknowledgement if is_nonsense(&reason.kind) => "not a DarkRift server".into(),
        ConnectPhase::Acknowledgement => of_udp(handshake),
        _ if is_over => {
            "the server turned this client away: it is full, or its handler of connects refused it or failed"
                .into()
        }
        _ if is_nonsense(&reason.kind) => "not a DarkRift server".into(),
        _ => "the server took the token and gives no id: its handler of connects has not returned".into(),
    }
}

fn of_udp(handshake: &Handshake) -> String {
    let port = handshake.udp_address().port();
    match handshake.udp_failure() {
        Some(error) if error.kind() == ErrorKind::ConnectionRefused => format!(
            "nothing listens on UDP port {port} (the host says so): the server's UDP port is another (--udp-port), or only \
             TCP is forwarded to it, as to a container without `/udp`"
        ),
        Some(error) => format!("the system does not send on UDP to that host: {error}"),
        None => format!(
            "UDP port {port} is blocked on the way (a firewall, a security group), the server's UDP port is another \
             (--udp-port), or it answers from another address than the one it was asked at"
        ),
    }
}

/// What is most likely wrong where the server began with text.
pub(crate) fn of_text(text: &str) -> String {
    format!("hardly a DarkRift server, whose first byte is a version: it began with {}", Quoted(text))
}

/// The text that came on TCP first, as other protocols say it; whatever is behind it may be none.
pub(crate) fn text_at_the_beginning(first: &[u8]) -> Option<&str> {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let length = first.iter().position(|byte| !is_text(byte)).unwrap_or(first.len());
    if length < SHORTEST_TEXT { None } else { std::str::from_utf8(&first[..length]).ok() }
}

const fn is_nonsense(kind: &CloseKind) -> bool {
    matches!(
        kind,
        CloseKind::FrameTooLong { .. }
            | CloseKind::NegativeFrame(_)
            | CloseKind::EmptyFrame
            | CloseKind::MalformedFrame
            | CloseKind::TooManyBeforeConfigure(_)
            | CloseKind::TooManyBytesBeforeConfigure(_)
    )
}

/// Whose clients can connect to a server of this dialect.
pub(crate) const fn clients_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V1 => "a client of DarkRift 2.11 connects here; one of 2.10, or of DarkRiftPy, does not",
        Dialect::V0 => "a client of DarkRift 2.10 or 2.11 connects here; one of DarkRiftPy does not",
        Dialect::Legacy => "a client of DarkRiftPy connects here; one of DarkRift 2 in C# does not",
        _ => "clients of this dialect connect here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_servers_say_first_is_text_and_a_hello_is_not() {
        let banner = "SSH-2.0-OpenSSH_9.2\r\n";
        assert_eq!(text_at_the_beginning(banner.as_bytes()), Some(banner));
        assert_eq!(text_at_the_beginning(b"HTTP"), Some("HTTP"));
        assert_eq!(text_at_the_beginning(b"SSH-2.0\r\n\0\0\x05\xff"), Some("SSH-2.0\r\n"));
        assert_eq!(text_at_the_beginning(b"SSH"), None);
        assert_eq!(text_at_the_beginning(b""), None);
        assert_eq!(text_at_the_beginning(&[1, 65, 66, 67, 68, 69, 70, 71, 72]), None);
        assert_eq!(text_at_the_beginning(&[0, 65, 66, 67, 68, 69, 70, 71, 72]), None);
    }
}
