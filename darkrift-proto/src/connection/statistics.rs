//! What a connection counts.

/// What a connection has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Messages received on TCP.
    pub reliable_received: u64,
    /// Messages received on UDP.
    pub unreliable_received: u64,
    /// Messages queued for TCP.
    pub reliable_sent: u64,
    /// Messages queued for UDP.
    pub unreliable_sent: u64,
    /// Bytes taken from the stream.
    pub stream_bytes_received: u64,
    /// Bytes the transport took from the stream queue.
    pub stream_bytes_sent: u64,
    /// Bytes of datagrams received.
    pub datagram_bytes_received: u64,
    /// Bytes of datagrams handed out to be sent.
    pub datagram_bytes_sent: u64,
    /// Unreliable messages dropped since the application did not take them in time.
    pub undelivered_dropped: u64,
    /// Datagrams dropped since they did not leave in time.
    pub unsent_dropped: u64,
    /// Datagrams that made no sense and were dropped.
    pub datagrams_ignored: u64,
    /// Acknowledgements of pings that found no room in the queue.
    pub acknowledgements_dropped: u64,
}
