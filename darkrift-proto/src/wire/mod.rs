//! Bytes to values and back, without progress: whatever can be constructed can be encoded.
//!
//! Every fact here is measured; see `docs/protocol.md`.

mod command;
mod dialect;
mod frame;
mod handshake;
mod header;

pub use command::Command;
pub use dialect::{Dialect, ParseDialectError};
pub(crate) use frame::missing;
pub use frame::{FRAME_LENGTH_BYTES, FrameError, Frames, frame};
pub use handshake::{Acknowledgement, HELLO_BYTES, Hello, TOKEN_BYTES, Token};
pub use header::{Header, HeaderError, HeaderKind};
pub(crate) use header::{ORDINARY_BYTES as ORDINARY_HEADER_BYTES, ordinary_tag};
