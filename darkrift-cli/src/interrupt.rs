//! Being asked to end: Ctrl-C, and on Unix the signal that asks programs to.

use crate::failure::Failure;

/// Whether somebody has asked the program to end. From when it is made on, that does not end the program by itself.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Interrupt {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupt {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let watch = |kind| signal(kind).map_err(Failure::Signal);
        Ok(Self { interrupt: watch(SignalKind::interrupt())?, terminate: watch(SignalKind::terminate())? })
    }

    /// Waits until the program is asked to end.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Whether somebody has asked the program to end. From when it is made on, that does not end the program by itself.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct Interrupt(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Interrupt {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new() -> Result<Self, Failure> {
        tokio::signal::windows::ctrl_c().map(Self).map_err(Failure::Signal)
    }

    /// Waits until the program is asked to end.
    pub(crate) async fn wait(&mut self) {
        self.0.recv().await;
    }
}
