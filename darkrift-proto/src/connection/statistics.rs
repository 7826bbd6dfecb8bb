//! What a connection counts.

use core::ops::AddAssign;

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
    /// Bytes queued for TCP that our own system's socket never took: the peer read too slowly for the linger time of a close, or
    /// the transport failed. What it had taken, and the peer's application never read, is not counted.
    pub stream_unsent: u64,
    /// Bytes of datagrams received. With a client also the acknowledgement of its token, whose server counts neither.
    pub datagram_bytes_received: u64,
    /// Bytes of datagrams handed out to be sent. With a client also its token, each time.
    pub datagram_bytes_sent: u64,
    /// Unreliable messages dropped since the application did not take them in time.
    pub undelivered_dropped: u64,
    /// Datagrams dropped since they did not leave in time, and newer ones came. Not those that still waited when the
    /// connection ended.
    pub unsent_dropped: u64,
    /// Datagrams that made no sense and were dropped.
    pub datagrams_ignored: u64,
    /// Acknowledgements of pings that found no room in the queue.
    pub acknowledgements_dropped: u64,
}

/// The sum of what two connections have counted.
impl AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.reliable_received += other.reliable_received;
        self.unreliable_received += other.unreliable_received;
        self.reliable_sent += other.reliable_sent;
        self.unreliable_sent += other.unreliable_sent;
        self.stream_bytes_received += other.stream_bytes_received;
        self.stream_bytes_sent += other.stream_bytes_sent;
        self.stream_unsent += other.stream_unsent;
        self.datagram_bytes_received += other.datagram_bytes_received;
        self.datagram_bytes_sent += other.datagram_bytes_sent;
        self.undelivered_dropped += other.undelivered_dropped;
        self.unsent_dropped += other.unsent_dropped;
        self.datagrams_ignored += other.datagrams_ignored;
        self.acknowledgements_dropped += other.acknowledgements_dropped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_every_count() {
        let one = Statistics {
            reliable_received: 1,
            unreliable_received: 2,
            reliable_sent: 3,
            unreliable_sent: 4,
            stream_bytes_received: 5,
            stream_bytes_sent: 6,
            datagram_bytes_received: 7,
            datagram_bytes_sent: 8,
            undelivered_dropped: 9,
            unsent_dropped: 10,
            datagrams_ignored: 11,
            acknowledgements_dropped: 12,
            stream_unsent: 13,
        };
        let mut sum = one;
        sum += one;
        let doubled = Statistics {
            reliable_received: 2,
            unreliable_received: 4,
            reliable_sent: 6,
            unreliable_sent: 8,
            stream_bytes_received: 10,
            stream_bytes_sent: 12,
            datagram_bytes_received: 14,
            datagram_bytes_sent: 16,
            undelivered_dropped: 18,
            unsent_dropped: 20,
            datagrams_ignored: 22,
            acknowledgements_dropped: 24,
            stream_unsent: 26,
        };
        assert_eq!(sum, doubled);
    }
}
