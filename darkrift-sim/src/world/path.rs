//! The way between one client and the server.

use std::net::SocketAddr;
use std::time::Duration;

use crate::datagrams::DatagramConditions;
use crate::stream::StreamConditions;

/// The way between one client and the server, and how the server's application treats the client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Path {
    /// The client's address as the server sees it, for both transports.
    pub address: SocketAddr,
    /// The stream from the client to the server.
    pub stream_up: StreamConditions,
    /// The stream from the server to the client.
    pub stream_down: StreamConditions,
    /// Datagrams from the client to the server.
    pub datagrams_up: DatagramConditions,
    /// Datagrams from the server to the client.
    pub datagrams_down: DatagramConditions,
    /// What chance on this path comes from.
    pub seed: u64,
    /// What the cuts of its streams come from.
    pub seed_of_cuts: u64,
    /// How long the server's application takes to accept the client.
    pub accepted_after: Duration,
    /// Whether it turns the client away then.
    pub rejected: bool,
    /// How many datagrams the sockets take at once, as segmentation offload does.
    pub segments: usize,
}

impl Path {
    /// A perfect path from this address, over which everything arrives at once.
    pub fn new(address: SocketAddr, seed: u64) -> Self {
        Self {
            address,
            stream_up: StreamConditions::default(),
            stream_down: StreamConditions::default(),
            datagrams_up: DatagramConditions::default(),
            datagrams_down: DatagramConditions::default(),
            seed,
            seed_of_cuts: seed,
            accepted_after: Duration::ZERO,
            rejected: false,
            segments: 1,
        }
    }
}
