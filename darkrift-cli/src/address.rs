//! A server's address as it is typed: a host, and a port unless it is DarkRift's.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use darkrift_tokio::Address;

/// The port that DarkRift has unless somebody chose another.
const PORT: u16 = 4296;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// The name or the address, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

/// A text that is no host with or without a port.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host, or a host and a port up to 65535, such as 127.0.0.1, game.example:4296 or [::1]:4296")]
pub(crate) struct AddressError;

impl HostPort {
    /// Whether it is a number, so that nothing has to be looked up.
    pub(crate) fn is_number(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }
}

impl FromStr for HostPort {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let of = |host: &str, port| Self { host: host.into(), port };
        if text.parse::<IpAddr>().is_ok() {
            return Ok(of(text, PORT));
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, PORT),
            Some((host, rest)) => (host, port(rest.strip_prefix(':').ok_or(AddressError)?)?),
            None => match text.split_once(':') {
                Some((host, rest)) => (host, port(rest)?),
                None => (text, PORT),
            },
        };
        let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_host { Ok(of(host, port)) } else { Err(AddressError) }
    }
}

fn port(text: &str) -> Result<u16, AddressError> {
    text.parse().map_err(|_| AddressError)
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::from(self.clone()).fmt(f)
    }
}

impl From<HostPort> for Address {
    fn from(HostPort { host, port }: HostPort) -> Self {
        (host, port).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_named_is_darkrifts() {
        for (text, host, port) in [
            ("localhost", "localhost", 4296),
            ("127.0.0.1", "127.0.0.1", 4296),
            ("::1", "::1", 4296),
            ("[::1]", "::1", 4296),
            ("game.example:7", "game.example", 7),
            ("127.0.0.1:7", "127.0.0.1", 7),
            (" [fe80::1%2]:7 ", "fe80::1%2", 7),
        ] {
            assert_eq!(text.parse(), Ok(HostPort { host: host.into(), port }), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", ":", ":4296", "localhost:", "localhost:70000", "a:b:7", "[::1", "[::1]x7", "two words"]
        {
            assert_eq!(text.parse::<HostPort>(), Err(AddressError), "{text}");
        }
    }

    #[test]
    fn an_address_of_ipv6_is_shown_in_brackets() {
        assert_eq!("::1".parse::<HostPort>().unwrap().to_string(), "[::1]:4296");
        assert_eq!("localhost".parse::<HostPort>().unwrap().to_string(), "localhost:4296");
    }
}
