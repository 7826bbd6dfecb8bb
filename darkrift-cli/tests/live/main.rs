//! The program itself, against servers on loopback: its own `listen`, and some that behave badly.

mod arguments;
mod connect;
mod decode;
mod listen;
mod load;
mod ping;
mod probe;
mod program;
mod raw;
