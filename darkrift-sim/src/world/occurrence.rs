//! What happens in a world, and where.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use darkrift_proto::{CloseReason, Event, Instant, Refused, Role, State};

/// One side of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// Which pair: the number that [`World::connect`](crate::World::connect) gave.
    pub pair: usize,
    /// Which side of it.
    pub role: Role,
}

impl Place {
    /// The client's side of a pair.
    pub const fn client(pair: usize) -> Self {
        Self { pair, role: Role::Client }
    }

    /// The server's side of a pair.
    pub const fn server(pair: usize) -> Self {
        Self { pair, role: Role::Server }
    }

    /// The other side of the same pair.
    #[must_use]
    pub const fn other(self) -> Self {
        match self.role {
            Role::Client => Self::server(self.pair),
            Role::Server => Self::client(self.pair),
        }
    }
}

/// Something that happened in the world. Games look at [`Event`](Self::Event) alone; the rest is for models that check
/// the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurrence {
    /// The application was given an event.
    Event(Place, Event),
    /// A connection put this datagram on the network.
    DatagramSent(Place, Bytes),
    /// The network brought a connection this datagram, while it was in this state.
    DatagramDelivered(Place, Bytes, State),
    /// A connection has a reason to close. The application sees it as its last event.
    Closed(Place, CloseReason),
    /// A connection has nothing left to do, and its sockets are gone.
    Drained(Place),
    /// The server matched a token with this pair, which is at this UDP address from now on.
    Paired(usize, SocketAddr),
    /// The server put this pair out, since the next [`Paired`](Self::Paired) took its address.
    Evicted(usize),
    /// The listener refused this pair's stream.
    Refused(usize, Refused),
}

/// What happened and was not polled, each with its time.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(super) now: Instant,
    pub(super) entries: VecDeque<(Instant, Occurrence)>,
}

impl Log {
    pub(crate) fn push(&mut self, occurrence: Occurrence) {
        self.entries.push_back((self.now, occurrence));
    }
}
