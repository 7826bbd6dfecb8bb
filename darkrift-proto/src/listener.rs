//! A server's door.
use alloc::sync::Arc;
use bytes::Bytes;
use core::net::SocketAddr;
use crate::connection::{Connection, ServerConfig};
use crate::time::Instant;
use crate::wire::Token;

/// Where tokens come from: eight bytes that nobody can guess, from the operating system's randomness.
pub trait TokenSource {
    /// The next token. The listener clears the two highest bits of its first byte and asks again while it is in use.
    fn token(&mut self) -> Token;
}

/// Names a connection for its listener. Indexes are dense, so that a caller can keep its own data in a `Vec`;
/// a key is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey { index: u32, generation: u32 }
impl ConnectionKey { /// the dense index
    pub const fn index(self) -> usize { self.index as usize } }

/// Why the door stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// p
    #[error("{0} connections wait for their token already")] TooManyPending(usize),
    /// a
    #[error("{0} connections from this address wait for their token already")] TooManyFromAddress(usize),
    /// f
    #[error("{0} clients are connected, and no more are accepted")] Full(usize),
}

/// What to do with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Routing {
    /// It belongs to this connection: give it to `Connection::handle_datagram`.
    Deliver(ConnectionKey),
    /// It carried this connection's token: send `answer` to the address it came from, then tell the connection
    /// (`handle_paired`). A connection that held the address before is dead: close it as `Evicted`.
    Paired { /// k
        key: ConnectionKey, /// a
        answer: Bytes, /// e
        evicted: Option<ConnectionKey> },
    /// A token repeated: send `answer` again.
    Answer { /// a
        answer: Bytes },
    /// Nobody's, or nonsense: dropped and counted.
    Ignored,
}

/// A server's door
#[derive(Debug)]
pub struct Listener {}
impl Listener {
    pub fn new(config: Arc<ServerConfig>) -> Self { todo!() }
    pub fn config(&self) -> &Arc<ServerConfig> { todo!() }
    /// A TCP connection came in: makes its Connection (hello queued), or refuses it at once.
    pub fn accept(&mut self, now: Instant, peer: SocketAddr, tokens: &mut dyn TokenSource) -> Result<(ConnectionKey, Connection), Refused> { todo!() }
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Routing { todo!() }
    /// The connection has ended: forget its token and its address. No effect on a key already released.
    pub fn release(&mut self, key: ConnectionKey) { todo!() }
    pub fn pending(&self) -> usize { todo!() }
    pub fn paired(&self) -> usize { todo!() }
    pub fn datagram_address(&self, key: ConnectionKey) -> Option<SocketAddr> { todo!() }
    pub fn datagrams_ignored(&self) -> u64 { todo!() }
}
