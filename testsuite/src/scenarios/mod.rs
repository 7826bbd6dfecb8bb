//! The scenarios, each a function of the adapter that it is run for.
#![allow(missing_docs, reason = "each is named by what it shows")]

pub mod cancelling;
pub mod connecting;
pub mod crossing;
pub mod faults;
pub mod handshakes;
pub mod hostile;
pub mod messages;
pub mod remains;
pub mod servers;
