//! How much memory stays with messages that nobody has taken yet. One test alone in its process, since it counts what the whole
//! process allocates.

mod common;

use std::alloc::System;

use common::*;
use darkrift_proto::Limits;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A command that neither side knows, framed.
fn command(length: usize) -> Vec<u8> {
    framed(&[&[0x80, 0, 7][..], &vec![0; length]].concat())
}

/// The memory that is still taken once this has been read so often, for each time.
fn kept(peer: &mut Driven, input: &[u8], times: usize, read: usize) -> usize {
    let before = taken();
    for _ in 0..times {
        input.chunks(read).for_each(|chunk| peer.reads(chunk));
    }
    assert!(!peer.connection.is_closed());
    // The harness may give something back meanwhile.
    Some(taken().wrapping_sub(before)).filter(|&more| more < usize::MAX / 2).unwrap_or_default() / times
}

/// The memory that is taken now, but for a constant: the sums may be past a `usize` of 32 bits.
fn taken() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated)
}

#[test]
fn a_message_that_waits_keeps_little_beside_itself_whatever_came_before_and_behind_it() {
    let many = |limits: &mut Limits| limits.undelivered = 10_000;
    let client = || Driven::connected_client(|config| many(&mut config.limits));
    let early_client = || Driven::greeted_client(|config| many(&mut config.limits));
    let forgiving_server = || {
        Driven::connected_server(|config| {
            many(&mut config.limits);
            config.strike_weights.invalid_command = 0;
        })
    };
    let sides: [&dyn Fn() -> Driven; 3] = [&client, &early_client, &forgiving_server];
    for (new, longest) in sides.into_iter().zip([4 << 20, 4 << 20, 65_000]) {
        for (length, read) in [
            (10, 65_536),
            (4_000, 65_536),
            (65_000.min(longest), 65_536),
            (longest, 65_536),
            (longest, 9_999),
        ] {
            for input in [[command(length), empty(1)].concat(), [empty(1), command(length)].concat()] {
                let kept = kept(&mut new(), &input, 40, read);
                assert!(kept < 24 << 10, "{kept} bytes for a message beside {length}, {read} read at once");
            }
        }
    }
}
