//! Who never became a client, and what all have done together.

use darkrift_tokio::ServerStatistics;

use crate::failure::Failure;
use crate::output::Output;
use crate::traffic::Traffic;

/// What has been told of those who never became clients.
#[derive(Debug, Default)]
pub(crate) struct Door {
    told: ServerStatistics,
}

impl Door {
    /// Prints what has been counted since the last time.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn report(&mut self, now: &ServerStatistics, output: Output) -> Result<(), Failure> {
        let told = std::mem::replace(&mut self.told, *now);
        let kinds = [
            (
                now.timed_out - told.timed_out,
                "sent no token on UDP in time: UDP is blocked on the way or goes to another port, or it was no client",
            ),
            (now.abandoned - told.abandoned, "ended before it was a client"),
            (now.refused_full - told.refused_full, "was refused: the server is full"),
            (
                now.refused_pending + now.refused_address - told.refused_pending - told.refused_address,
                "was refused: too many wait for their token already",
            ),
            (
                now.failed_accepts - told.failed_accepts,
                "was not accepted: the system refused, often for want of files",
            ),
        ];
        for (count, what) in kinds {
            match count {
                0 => {}
                1 => output.timed(format_args!("a connection {what}"))?,
                _ => output.timed(format_args!("a connection {what} ({count} times)"))?,
            }
        }
        Ok(())
    }
}

/// Prints what a server has counted.
///
/// # Errors
/// When standard output takes no more.
pub(crate) fn summary(counted: &ServerStatistics, output: Output) -> Result<(), Failure> {
    let refused = counted.refused_full + counted.refused_pending + counted.refused_address;
    output.timed(format_args!(
        "clients joined={} left={} lost={} disconnected={} closed={} without_token={} abandoned={} refused={refused}",
        counted.accepted,
        counted.closed_by_peer,
        counted.closed_by_transport,
        counted.closed_by_protocol,
        counted.closed_by_user,
        counted.timed_out,
        counted.abandoned,
    ))?;
    output.timed(Traffic(counted.traffic))
}
