//! What each fuzz target does with its input.
//!
//! Each body takes any bytes and panics when something does not hold. The targets of `fuzz/` hand them what libFuzzer
//! makes up; `tests/corpora.rs` hands them the committed corpora, on any compiler.
#![forbid(unsafe_code)]

mod connection;
mod data;
mod input;
mod listener;
mod reference;
mod wire;

pub use connection::{chunks, connection};
pub use data::{derived, reader, text, values};
pub use input::Input;
pub use listener::listener;
pub use wire::{frames, messages};

/// What a target does with bytes.
pub type Body = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: [(&str, Body); 9] = [
    ("frames", frames),
    ("messages", messages),
    ("reader", reader),
    ("text", text),
    ("derived", derived),
    ("values", values),
    ("connection", connection),
    ("chunks", chunks),
    ("listener", listener),
];
