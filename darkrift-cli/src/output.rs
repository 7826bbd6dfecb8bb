//! What is printed: whole lines, and no panic where nobody reads them.

use std::fmt::Display;
use std::io::{Write, stdout};
use std::time::Instant;

use crate::failure::Failure;

/// Prints lines on standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    started: Instant,
}

impl Output {
    /// An output whose time begins now.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), Failure> {
        writeln!(stdout().lock(), "{text}").map_err(Failure::Output)
    }

    /// Prints a line behind the seconds since the start.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn timed(&self, text: impl Display) -> Result<(), Failure> {
        self.line(format_args!("{:.3} {text}", self.started.elapsed().as_secs_f64()))
    }
}
