//! Memory that a thread has for whatever connection it looks after: an idle connection holds none.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use bytes::{Bytes, BytesMut};

/// What holds the longest datagram, or a run that the system has gathered.
pub(crate) const LONGEST_DATAGRAM: usize = 64 << 10;

/// Room for two datagrams of any length.
const SCRATCH_BYTES: usize = 2 * LONGEST_DATAGRAM;

/// How much memory short reads share. A message that the application keeps, keeps this much alive.
const SHARED_BYTES: usize = 4 << 10;

/// The longest read that shares memory with others.
pub(crate) const SHORT: usize = SHARED_BYTES / 4;

/// Where the processor's pages begin.
const PAGE: usize = 4 << 10;

/// Memory that the system reads into, beginning at a page.
///
/// A large allocation begins 16 bytes behind one, and there some processors copy up to ten times as slowly
/// (`docs/performance.md`, "Large").
#[derive(Debug)]
pub(crate) struct ReadMemory {
    memory: Box<[u8]>,
    start: usize,
    length: usize,
}

impl ReadMemory {
    /// Memory of so many bytes.
    pub(crate) fn new(length: usize) -> Self {
        let memory = vec![0; length + PAGE].into_boxed_slice();
        let start = memory.as_ptr().align_offset(PAGE).min(PAGE);
        Self { memory, start, length }
    }
}

impl Deref for ReadMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..][..self.length]
    }
}

impl DerefMut for ReadMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..][..self.length]
    }
}

thread_local! {
    /// Where reads go first, so that what the application keeps of a small read keeps no large buffer alive.
    static SCRATCH: Kept<ReadMemory> = const { Kept::new(None) };
    /// Where short reads are kept, one behind the other. It is used again once all of them have gone.
    static SHARED: Kept<BytesMut> = const { Kept::new(None) };
    /// Where a datagram is encoded that leaves at once.
    static OUTGOING: Kept<BytesMut> = const { Kept::new(None) };
}

/// What a thread keeps; `None` while it is in use.
type Kept<K> = Cell<Option<K>>;

/// Runs `f` with what this thread keeps, or with something new: where that is in use, by a waker or a value's own code that
/// looks after another connection, and where the thread is ending and a connection was among what it still had.
#[inline]
fn with_kept<K, T>(
    kept: &'static LocalKey<Kept<K>>,
    new: impl FnOnce() -> K,
    f: impl FnOnce(&mut K) -> T,
) -> T {
    let mut taken = kept.try_with(Cell::take).ok().flatten().unwrap_or_else(new);
    let result = f(&mut taken);
    let _ = kept.try_with(|kept| kept.set(Some(taken)));
    result
}

/// Runs `f` with this thread's read buffer.
pub(crate) fn with_scratch<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    with_kept(&SCRATCH, || ReadMemory::new(SCRATCH_BYTES), |scratch| f(scratch))
}

/// A copy of what was read: short ones share an allocation.
pub(crate) fn keep(read: &[u8]) -> Bytes {
    if read.len() > SHORT {
        return Bytes::copy_from_slice(read);
    }
    with_shared(|shared| {
        shared.extend_from_slice(read);
        shared.split().freeze()
    })
}

/// Runs `f` with this thread's memory for short reads, which it must leave empty.
pub(crate) fn with_shared<T>(f: impl FnOnce(&mut BytesMut) -> T) -> T {
    with_kept(&SHARED, || BytesMut::with_capacity(SHARED_BYTES), f)
}

/// Runs `f` with this thread's memory for a datagram that leaves at once, which is empty.
#[inline]
pub(crate) fn with_outgoing<T>(f: impl FnOnce(&mut BytesMut) -> T) -> T {
    with_kept(&OUTGOING, BytesMut::new, |outgoing| {
        let result = f(outgoing);
        outgoing.clear();
        if outgoing.capacity() > SHARED_BYTES {
            *outgoing = BytesMut::new();
        }
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_to_memory_that_begins_at_a_page() {
        for length in [1, 100, PAGE, SCRATCH_BYTES] {
            let memory = ReadMemory::new(length);
            assert_eq!((memory.as_ptr().addr() % PAGE, memory.len()), (0, length));
        }
    }

    #[test]
    fn what_is_kept_is_what_was_read() {
        let reads: Vec<Vec<u8>> = (0..200).map(|length| vec![length as u8; 13 * length]).collect();
        let kept: Vec<Bytes> = reads.iter().map(|read| keep(read)).collect();
        assert_eq!(kept, reads);
    }

    #[test]
    fn memory_whose_datagrams_have_gone_is_used_again() {
        let first = keep(&[1; 1000]).as_ptr();
        let addresses = (0..100).map(|_| keep(&[1; 1000]).as_ptr());
        assert!(addresses.skip(1).any(|address| address == first));
    }
}
