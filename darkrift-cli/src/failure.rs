//! Why a command could not do its work.

use std::io;

use darkrift_tokio::proto::CloseKind;
use darkrift_tokio::{BindError, ConnectError};

use crate::text::Quoted;

/// Why a command could not do its work. What it was to find out about a server, such as that nothing answers, is no
/// failure but its output.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments are wrong.
    #[error("{error} (see `darkrift {command}{}--help`)", if command.is_empty() { "" } else { " " })]
    Usage {
        /// The command that they were for; empty where none was named.
        command: &'static str,
        /// What is wrong with them.
        error: lexopt::Error,
    },
    /// Standard output does not take what is printed.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    /// The system has no more of what a runtime needs.
    #[error("the runtime cannot start: {0}")]
    Runtime(io::Error),
    /// The system does not tell of signals.
    #[error("Ctrl-C cannot be waited for: {0}")]
    Signal(io::Error),
    /// The server cannot be connected to.
    #[error("{_0} ({}`darkrift probe` says more)", hint(_0))]
    Connect(#[from] ConnectError),
    /// The ports cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl Failure {
    /// Wrong arguments of a command.
    pub(crate) const fn usage(command: &'static str, error: lexopt::Error) -> Self {
        Self::Usage { command, error }
    }

    /// Whether the arguments are wrong.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Usage { .. })
    }

    /// Whether nobody reads the output any more.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What tells how to read why a connect failed: a frame's length that is four letters was none.
fn hint(error: &ConnectError) -> String {
    let ConnectError::Closed { reason, .. } = error else { return String::new() };
    let CloseKind::FrameTooLong { length, .. } = reason.kind else { return String::new() };
    let bytes = length.to_be_bytes();
    match std::str::from_utf8(&bytes) {
        Ok(text) if bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) => {
            format!("that length is text, {}; ", Quoted(text))
        }
        _ => String::new(),
    }
}
