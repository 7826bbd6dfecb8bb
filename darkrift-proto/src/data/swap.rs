//! The byte order of whole arrays of numbers. Vector instructions that every x86-64 has swap the bytes of 16-bit units
//! and move the units about in half the time that they take to swap wider numbers at once, so it goes in these two steps.

/// Bytes in the vectors of the least of today's machines.
const VECTOR: usize = 16;

/// Bytes that are swapped at once: few enough for the first cache, and too many to stay in registers, where the compiler
/// would see that the two steps are one swap and take the slower way again.
pub(super) const BLOCK: usize = 256;

/// Copies `from` to `to`, of whole vectors both, with the bytes of every number of `N` bytes reversed.
#[inline]
pub(super) fn swap<const N: usize>(from: &[u8], to: &mut [u8]) {
    for (from, to) in from.chunks_exact(VECTOR).zip(to.chunks_exact_mut(VECTOR)) {
        to.copy_from_slice(&swap_vector::<N>(array(from)));
    }
}

#[inline]
fn swap_vector<const N: usize>(bytes: [u8; VECTOR]) -> [u8; VECTOR] {
    if N == 1 {
        return bytes;
    }
    let units: [u16; VECTOR / 2] = core::array::from_fn(|unit| {
        // The bits below the width of a number in units, flipped, count its units from the other end.
        let from = 2 * (unit ^ (N / 2 - 1));
        u16::from_be_bytes([bytes[from], bytes[from + 1]])
    });
    let mut swapped = [0; VECTOR];
    for (pair, unit) in swapped.chunks_exact_mut(2).zip(units) {
        pair.copy_from_slice(&unit.to_le_bytes());
    }
    swapped
}

/// A chunk of exactly `N` bytes, by value.
#[inline]
pub(super) fn array<const N: usize>(chunk: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(chunk);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swapped<const N: usize>() -> [u8; 32] {
        let mut to = [0; 32];
        swap::<N>(&core::array::from_fn::<u8, 32, _>(|index| index as u8), &mut to);
        to
    }

    #[test]
    fn the_bytes_of_each_number_are_reversed_and_the_numbers_stay_in_their_order() {
        assert_eq!(swapped::<1>()[..4], [0, 1, 2, 3]);
        assert_eq!(swapped::<2>()[..6], [1, 0, 3, 2, 5, 4]);
        assert_eq!(swapped::<4>()[12..24], [15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20]);
        assert_eq!(swapped::<8>()[8..24], [15, 14, 13, 12, 11, 10, 9, 8, 23, 22, 21, 20, 19, 18, 17, 16]);
    }
}
