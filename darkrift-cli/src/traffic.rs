//! What connections have counted, as one line.

use std::fmt;

use darkrift_tokio::proto::Statistics;

/// The counts of a connection, or of many, as they are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic(pub(crate) Statistics);

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = &self.0;
        let counts = [
            ("reliable_sent", counted.reliable_sent),
            ("reliable_received", counted.reliable_received),
            ("unreliable_sent", counted.unreliable_sent),
            ("unreliable_received", counted.unreliable_received),
            ("tcp_bytes_sent", counted.stream_bytes_sent),
            ("tcp_bytes_received", counted.stream_bytes_received),
            ("udp_bytes_sent", counted.datagram_bytes_sent),
            ("udp_bytes_received", counted.datagram_bytes_received),
            ("dropped", counted.undelivered_dropped + counted.unsent_dropped),
            ("datagrams_ignored", counted.datagrams_ignored),
        ];
        f.write_str("traffic")?;
        counts.into_iter().try_for_each(|(name, count)| write!(f, " {name}={count}"))
    }
}
