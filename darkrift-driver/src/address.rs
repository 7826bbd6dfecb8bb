//! Where to connect or to listen: a host name or an address, and a port.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::runtime::Runtime;

/// A host and a port, from `"example.org:4296"`, `"127.0.0.1:4296"`, `"[::1]:4296"`, a `SocketAddr`, or a pair of a
/// host and a port.
///
/// Making one never fails; what is wrong with it is said by what it is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing has to be looked up.
    Socket(SocketAddr),
    Name {
        host: String,
        port: u16,
    },
    /// What was given in place of a host and a port.
    Invalid(String),
}

/// Why an address leads nowhere.
#[derive(Debug)]
pub(crate) enum AddressError {
    Invalid { address: String },
    Resolve { host: String, source: io::Error },
}

impl Address {
    /// What it means, at least one address; a name is looked up.
    pub(crate) async fn resolve(self, runtime: &dyn Runtime) -> Result<Vec<SocketAddr>, AddressError> {
        let (host, port) = match self.0 {
            Place::Socket(address) => return Ok(vec![address]),
            Place::Name { host, port } => (host, port),
            Place::Invalid(address) => return Err(AddressError::Invalid { address }),
        };
        let source = match runtime.resolve(host.clone(), port).await {
            Ok(found) if found.is_empty() => io::ErrorKind::NotFound.into(),
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        Err(AddressError::Resolve { host, source })
    }

    fn of(host: &str, port: u16) -> Self {
        Self(match host.parse::<IpAddr>() {
            Ok(ip) => Place::Socket((ip, port).into()),
            Err(_) => Place::Name { host: host.into(), port },
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Socket(address) => address.fmt(f),
            Place::Name { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Name { host, port } => write!(f, "{host}:{port}"),
            Place::Invalid(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        // What people type has blanks around it.
        let text = text.trim();
        if let Ok(address) = text.parse::<SocketAddr>() {
            return address.into();
        }
        let port_behind = |host: &str| text.strip_prefix(host)?.strip_prefix(':')?.parse().ok();
        let host = text.rsplit_once(':').map_or("", |(host, _)| host);
        match (without_brackets(host), port_behind(host)) {
            (Some(inner), Some(port)) => Self::of(inner, port),
            (None, Some(port)) if !host.is_empty() && !host.contains(':') => Self::of(host, port),
            _ => Self(Place::Invalid(text.into())),
        }
    }
}

/// What an IPv6 address has around it where a port follows.
fn without_brackets(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
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
        Self(Place::Socket(address))
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        Self::of(without_brackets(host).unwrap_or(host), port)
    }
}

impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

impl From<(&String, u16)> for Address {
    fn from((host, port): (&String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from(address: (IpAddr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

/// The address as people know it: one of IPv4 comes to a socket of IPv6 in the clothes of IPv6.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => (ip, address.port()).into(),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_one_also_where_it_came_to_ipv6() {
        for (address, expected) in [
            ("[::ffff:127.0.0.1]:7", "127.0.0.1:7"),
            ("127.0.0.1:7", "127.0.0.1:7"),
            ("[fe80::1%5]:7", "[fe80::1%5]:7"),
        ] {
            assert_eq!(canonical(address.parse().unwrap()), expected.parse().unwrap());
        }
    }

    #[test]
    fn a_number_needs_no_look_up() {
        let number = |text: &str| Address(Place::Socket(text.parse().unwrap()));
        assert_eq!(Address::from("127.0.0.1:1"), number("127.0.0.1:1"));
        assert_eq!(Address::from("[::1]:4296"), number("[::1]:4296"));
        assert_eq!(Address::from(("::1", 7)), number("[::1]:7"));
        assert_eq!(Address::from(("[::1]", 7)), number("[::1]:7"));
        assert_eq!(Address::from(("127.0.0.1", 7)), number("127.0.0.1:7"));
        assert_eq!(Address::from((String::from("127.0.0.1"), 7)), number("127.0.0.1:7"));
        assert_eq!(Address::from((&String::from("::1"), 7)), number("[::1]:7"));
        assert_eq!(Address::from((IpAddr::from([127, 0, 0, 1]), 7)), number("127.0.0.1:7"));
        assert_eq!(Address::from(("::1", 7)).to_string(), "[::1]:7");
    }

    #[test]
    fn a_name_is_split_from_its_port() {
        for (text, host, port) in [
            ("example.org:4296", "example.org", 4296),
            ("localhost:0", "localhost", 0),
            ("[fe80::1%eth0]:7", "fe80::1%eth0", 7),
        ] {
            let address = Address::from(text);
            assert_eq!(address, Address(Place::Name { host: host.into(), port }), "{text}");
            assert_eq!(address, Address::from((host, port)));
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn blanks_around_an_address_are_none_of_it() {
        assert_eq!(Address::from(" localhost:1\n"), Address::from("localhost:1"));
        assert_eq!(Address::from("\t127.0.0.1:1 "), Address::from("127.0.0.1:1"));
    }

    #[test]
    fn what_has_no_host_or_no_port_is_kept_to_be_named() {
        for text in
            ["", ":", ":4296", "localhost", "localhost:", "localhost:70000", "::1", "::1:7:x", "127.0.0.1:"]
        {
            assert_eq!(Address::from(text), Address(Place::Invalid(text.into())), "{text}");
            assert_eq!(Address::from(text).to_string(), text);
        }
    }
}
