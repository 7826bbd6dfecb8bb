//! The table, for the terminal and for the page.

use std::fmt::Write;

use super::{Report, Row, number};

/// The page that is kept in the repository.
pub(crate) fn page(report: &Report) -> String {
    format!(
        "# End to end\n\n\
         Written by `cargo bench --bench end_to_end`: {} rounds at most, {} processors, {}, load before the\n\
         first round {}. Server and clients share one\n\
         process and a tokio runtime of two workers, except where a server's own time or memory is measured. Figures are\n\
         medians. A ratio says how many times as good ours is (above 1: ours is better); it is the median of the ratios\n\
         within a round, and the spread is the least and the greatest of them. CPU is the ratio of the processor time for\n\
         a message, of clients and server together: it moves less with what else the machine does. The baselines:\n\n\
         - framed: tokio and `LengthDelimitedCodec` by hand, one task per connection, flushed when the input is exhausted;\n\
         - raw: tokio sockets without framing, where both sides know every length beforehand;\n\
         - blocking: std sockets without framing, one thread per connection;\n\
         - bare: a TCP accept and one exchange of datagrams, nothing else; by hand: the handshake of DarkRift over the\n\
         same, without time limits, options, or an end that waits for what is under way;\n\
         - bare loop: writes of the same bytes to one socket after the other; task each: through a channel to a task per\n\
         connection.\n\n\
         {}\n![Ratios](end_to_end.svg)\n",
        report.rounds,
        report.processors,
        report.system,
        report.load_before.map_or_else(missing, |load| format!("{load:.1}")),
        table(report)
    )
}

/// A line for each workload and baseline.
pub(crate) fn table(report: &Report) -> String {
    let mut table = String::from(
        "| workload | what | unit | ours | baseline | | ratio | spread | CPU | must hold |\n\
         | --- | --- | --- | ---: | --- | ---: | ---: | --- | ---: | --- |\n",
    );
    let mut last = "";
    for row in &report.figures {
        let (name, what, unit) =
            if row.workload == last { ("", "", "") } else { (row.workload, row.what, row.unit) };
        last = row.workload;
        let ratio = row.ratio.map_or_else(missing, |ratio| format!("{ratio:.2}"));
        let cpu = row.processor_time_ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let spread = row.spread.map_or_else(missing, |[least, most]| format!("{least:.2}–{most:.2}"));
        let [ours, baseline] = [row.ours, row.baseline].map(|value| value.map_or_else(missing, number));
        let baseline_name = row.baseline_name;
        let target = target(row);
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {what} | {unit} | {ours} | {baseline_name} | {baseline} | {ratio} | {spread} | {cpu} | {target} |"
        );
    }
    table
}

fn target(row: &Row) -> String {
    match (&row.target, row.reached) {
        (Some(target), Some(true)) => format!("{target}: reached"),
        (Some(target), Some(false)) => format!("{target}: **not reached**"),
        (Some(target), None) => target.clone(),
        (None, _) => String::new(),
    }
}

fn missing() -> String {
    "–".to_owned()
}
