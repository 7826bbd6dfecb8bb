//! Whose address a datagram came from, which is asked for every one of them.

use alloc::collections::BTreeMap;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::ConnectionKey;

/// The connection of each address. In two maps, since an IPv4 address takes eight bytes as a key and an IPv6 address 32: of ten
/// thousand small keys more are in the processor's cache.
#[derive(Debug)]
pub(super) struct Addresses {
    v4: BTreeMap<u64, ConnectionKey>,
    v6: BTreeMap<(Ipv6Addr, u16), ConnectionKey>,
}

/// A UDP address as a key, the same for an IPv4 address and its mapping into IPv6.
#[derive(Clone, Copy, Debug)]
pub(super) enum Address {
    V4(u64),
    V6(Ipv6Addr, u16),
}

impl Address {
    #[inline]
    pub(super) fn new(address: SocketAddr) -> Self {
        let port = address.port();
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => Self::V4(u64::from(ip.to_bits()) << 16 | u64::from(port)),
            IpAddr::V6(ip) => Self::V6(ip, port),
        }
    }
}

impl Addresses {
    pub(super) const fn new() -> Self {
        Self { v4: BTreeMap::new(), v6: BTreeMap::new() }
    }

    #[inline]
    pub(super) fn get(&self, address: Address) -> Option<ConnectionKey> {
        match address {
            Address::V4(key) => self.v4.get(&key),
            Address::V6(ip, port) => self.v6.get(&(ip, port)),
        }
        .copied()
    }

    /// The address is this connection's from now on, whoever had it.
    pub(super) fn insert(&mut self, address: Address, key: ConnectionKey) {
        match address {
            Address::V4(address) => self.v4.insert(address, key),
            Address::V6(ip, port) => self.v6.insert((ip, port), key),
        };
    }

    /// The address is nobody's any more.
    pub(super) fn remove(&mut self, address: Address) {
        match address {
            Address::V4(address) => self.v4.remove(&address),
            Address::V6(ip, port) => self.v6.remove(&(ip, port)),
        };
    }
}
