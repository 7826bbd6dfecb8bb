//! Where to connect or to listen: a host name or an address, and a port.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A host and a port, from `"example.org:4296"`, `"127.0.0.1:4296"`, `"[::1]:4296"`, a `SocketAddr`, or a pair of a
/// host and a port.
///
/// Making one never fails; what is wrong with it is said by what it is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: Option<u16>,
}

impl Address {
    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; `None` when there is none in what this was made from, or it is no number up to 65,535.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return address.into();
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok() => {
                Self { host: host.into(), port: port.parse().ok() }
            }
            _ => Self { host: text.into(), port: None },
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                Self { host: format!("{}%{}", v6.ip(), v6.scope_id()), port: Some(v6.port()) }
            }
            _ => Self { host: address.ip().to_string(), port: Some(address.port()) },
        }
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        Self { host: host.trim_start_matches('[').trim_end_matches(']').into(), port: Some(port) }
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from(address: (IpAddr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_an_address_and_a_pair_all_give_host_and_port() {
        for (text, host, port) in [
            ("example.org:4296", "example.org", Some(4296)),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
            ("[::1]:4296", "::1", Some(4296)),
            ("localhost", "localhost", None),
            ("localhost:70000", "localhost:70000", None),
            ("::1", "::1", None),
        ] {
            let address = Address::from(text);
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
        assert_eq!(Address::from(("::1", 7)).to_string(), "[::1]:7");
        assert_eq!(Address::from("[::1]:7").to_string(), "[::1]:7");
    }
}
