//! Peers that keep to nothing: what they write, and what they were sent.

use bytes::Bytes;

use super::World;
use crate::endpoint::{End, Raw};

impl World {
    /// The raw peer of a pair writes bytes to its stream.
    pub fn raw_write(&mut self, pair: usize, bytes: &[u8]) {
        self.raw(pair, |raw| raw.output.extend_from_slice(bytes));
    }

    /// The raw peer of a pair ends its stream, in good order or by a reset.
    pub fn raw_end(&mut self, pair: usize, reset: bool) {
        self.raw(pair, |raw| if reset { raw.resets = true } else { raw.ends = true });
    }

    /// The raw peer of a pair reads no more.
    pub fn raw_stop_reading(&mut self, pair: usize) {
        self.raw(pair, |raw| raw.stops_reading = true);
    }

    /// The beginning of what the raw peer of a pair has read, 4 KiB at most.
    pub fn raw_received(&mut self, pair: usize) -> Bytes {
        let received = self.raw(pair, |raw| Bytes::copy_from_slice(&raw.received));
        received.unwrap_or_default()
    }

    /// The last datagram that the raw peer of a pair was sent.
    pub fn raw_last_datagram(&mut self, pair: usize) -> Option<Bytes> {
        self.raw(pair, |raw| raw.datagram.clone()).flatten()
    }

    /// The raw peer of a pair sends a datagram to the other side.
    pub fn raw_datagram(&mut self, pair: usize, contents: Bytes) {
        let (now, it) = (self.now, &mut self.pairs[pair]);
        match it.client {
            End::Raw(_) => it.datagrams_up.send(now, contents),
            _ => it.datagrams_down.send(now, contents),
        }
        self.touch(pair);
    }

    fn raw<T>(&mut self, pair: usize, action: impl FnOnce(&mut Raw) -> T) -> Option<T> {
        let it = &mut self.pairs[pair];
        let raw = match &mut it.client {
            End::Raw(raw) => Some(raw),
            _ => it.server.raw_mut(),
        };
        let result = raw.map(action);
        self.touch(pair);
        result
    }
}
