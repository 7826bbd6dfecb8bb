//! What came of all clients together.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinError;

use super::Options;
use super::client::Tally;
use super::round_trips::RoundTrips;
use crate::failure::Failure;
use crate::output::Output;
use crate::time::Milliseconds;

/// How many clients something happened to.
type Reasons = BTreeMap<String, u32>;

/// What came of all clients together.
#[derive(Debug)]
pub(crate) struct Report {
    options: Options,
    not_connected: Reasons,
    disconnected: Reasons,
    total: Tally,
}

impl Report {
    /// The report of clients that have not begun.
    pub(crate) fn new(options: Options) -> Self {
        let (not_connected, disconnected) = (Reasons::new(), Reasons::new());
        Self { options, not_connected, disconnected, total: Tally::default() }
    }

    /// A client could not connect.
    pub(crate) fn not_connected(&mut self, reason: String) {
        *self.not_connected.entry(reason).or_default() += 1;
    }

    /// A client has ended.
    pub(crate) fn add(&mut self, ended: Result<Tally, JoinError>) {
        let tally =
            ended.unwrap_or_else(|error| Tally { disconnected: Some(error.to_string()), ..Tally::default() });
        self.total.sent += tally.sent;
        self.total.answered += tally.answered;
        self.total.unsent += tally.unsent;
        self.total.others += tally.others;
        if let Some(reason) = tally.disconnected {
            *self.disconnected.entry(reason).or_default() += 1;
        }
    }

    /// Prints how many have connected.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn connected(&self, clients: usize, after: Duration, output: Output) -> Result<(), Failure> {
        output.line(format_args!(
            "{clients} of {} clients connected in {}",
            self.options.clients,
            Milliseconds(after)
        ))?;
        print_reasons("not connected", &self.not_connected, output)
    }

    /// Prints what came of them.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub(crate) fn print(&self, round_trips: &RoundTrips, output: Output) -> Result<ExitCode, Failure> {
        let Tally { sent, answered, unsent, others, .. } = &self.total;
        let lost = sent - answered;
        let share = 100.0 * lost as f64 / (*sent).max(1) as f64;
        output.line(format_args!(
            "{sent} sent, {answered} answered, {lost} lost ({share:.2}%), {unsent} not sent"
        ))?;
        let time = |share| round_trips.percentile(share).map(Milliseconds);
        if let (Some(min), Some(median), Some(p90), Some(p99), Some(max)) =
            (time(0.0), time(0.5), time(0.9), time(0.99), time(1.0))
        {
            output.line(format_args!(
                "round trip min {min}, median {median}, 90% {p90}, 99% {p99}, max {max}"
            ))?;
        }
        if *others > 0 {
            output.line(format_args!("{others} messages came that were not sent here"))?;
        }
        print_reasons("disconnected", &self.disconnected, output)?;
        if *answered == 0 {
            output.line("nothing came back: this needs a server that returns what it is sent, as `darkrift listen --echo`")?;
        }
        let is_good = self.not_connected.is_empty() && self.disconnected.is_empty() && *answered > 0;
        Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print_reasons(what: &str, reasons: &Reasons, output: Output) -> Result<(), Failure> {
    reasons.iter().try_for_each(|(reason, clients)| output.line(format_args!("{clients} {what}: {reason}")))
}
