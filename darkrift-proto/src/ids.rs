//! Client ids: one space of 65,536, which several listeners of one server share.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// The number that a server knows a client by, unique among the clients connected at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u16);

impl ClientId {
    /// The id with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number, as it is on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<ClientId> for u16 {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

const WORD_BITS: usize = 64;
const IDS: usize = 1 << 16;

/// Hands out client ids as the original does: upwards from 0, round after 65,535, past those in use
/// (`docs/protocol.md`, Handshake).
#[derive(Debug)]
pub struct ClientIds {
    /// One bit an id, set while it is in use; grown as ids are first reached.
    used: Vec<u64>,
    next: u16,
    count: usize,
}

impl Default for ClientIds {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientIds {
    /// All ids free; the first to be handed out is 0.
    pub fn new() -> Self {
        Self { used: vec![0], next: 0, count: 0 }
    }

    /// How many ids are in use, 65,536 at most.
    pub const fn in_use(&self) -> usize {
        self.count
    }

    /// Whether every id is in use.
    pub const fn is_full(&self) -> bool {
        self.count == IDS
    }

    /// Whether this id is in use.
    pub fn is_used(&self, id: ClientId) -> bool {
        let (word, bit) = Self::place(id);
        self.used.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Takes the next free id; `None` when all are in use.
    pub fn allocate(&mut self) -> Option<ClientId> {
        if self.is_full() {
            return None;
        }
        let mut id = ClientId(self.next);
        while self.is_used(id) {
            let (word, _) = Self::place(id);
            // A full word of 64 ids is passed over in one step, so the search is at most 1,087 steps.
            let step =
                if self.used[word] == u64::MAX { WORD_BITS - usize::from(id.0) % WORD_BITS } else { 1 };
            id = ClientId(id.0.wrapping_add(step as u16));
        }
        let (word, bit) = Self::place(id);
        if word >= self.used.len() {
            self.used.resize(word + 1, 0);
        }
        self.used[word] |= bit;
        self.count += 1;
        self.next = id.0.wrapping_add(1);
        Some(id)
    }

    /// Gives an id back; no effect when it is not in use.
    pub fn release(&mut self, id: ClientId) {
        if self.is_used(id) {
            let (word, bit) = Self::place(id);
            self.used[word] &= !bit;
            self.count -= 1;
        }
    }

    const fn place(id: ClientId) -> (usize, u64) {
        (id.0 as usize / WORD_BITS, 1 << (id.0 as usize % WORD_BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_is_0_and_the_second_1() {
        let mut ids = ClientIds::new();
        assert_eq!(ids.allocate(), Some(ClientId(0)));
        assert_eq!(ids.allocate(), Some(ClientId(1)));
    }

    #[test]
    fn an_id_given_back_is_not_handed_out_again_before_the_others() {
        let mut ids = ClientIds::new();
        let first = ids.allocate().unwrap();
        ids.release(first);
        assert_eq!(ids.allocate(), Some(ClientId(1)));
    }

    #[test]
    fn every_id_is_handed_out_once_then_none_then_the_one_that_came_back() {
        let mut ids = ClientIds::new();
        for expected in 0..=u16::MAX {
            assert_eq!(ids.allocate(), Some(ClientId(expected)));
        }
        assert!(ids.is_full());
        assert_eq!(ids.allocate(), None);
        ids.release(ClientId(777));
        ids.release(ClientId(777));
        assert_eq!(ids.in_use(), IDS - 1);
        assert_eq!(ids.allocate(), Some(ClientId(777)));
        assert_eq!(ids.allocate(), None);
    }

    #[test]
    fn the_search_wraps_past_ids_in_use() {
        let mut ids = ClientIds::new();
        for _ in 0..=u16::MAX {
            ids.allocate();
        }
        ids.release(ClientId(5));
        ids.release(ClientId(65_535));
        assert_eq!(ids.allocate(), Some(ClientId(5)));
        assert_eq!(ids.allocate(), Some(ClientId(65_535)));
    }

    #[test]
    fn the_search_passes_over_no_free_id() {
        let mut ids = ClientIds::new();
        for _ in 0..=u16::MAX {
            ids.allocate();
        }
        // The next search begins in the middle of 64 ids that are all in use.
        ids.release(ClientId(100));
        assert_eq!(ids.allocate(), Some(ClientId(100)));
        ids.release(ClientId(130));
        ids.release(ClientId(5000));
        assert_eq!(ids.allocate(), Some(ClientId(130)));
        assert_eq!(ids.allocate(), Some(ClientId(5000)));
    }

    #[test]
    fn ids_take_a_bit_each() {
        let mut ids = ClientIds::new();
        while ids.allocate().is_some() {}
        assert_eq!(ids.used.len() * WORD_BITS, IDS);
    }
}
