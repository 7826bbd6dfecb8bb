//! The ratios as a plot: a bar for each workload and baseline, its spread, and where it must reach.

use std::fmt::Write;

use super::{Report, Row};

const ROW: usize = 22;
const TOP: usize = 48;
const LEFT: f64 = 330.0;
const WIDTH: f64 = 520.0;
/// The ratios at the left and the right edge. The axis is logarithmic, so that twice and half are as far from 1.
const EDGES: [f64; 2] = [0.25, 16.0];

pub(crate) fn plot(report: &Report) -> String {
    let rows: Vec<&Row> = report.figures.iter().filter(|row| row.ratio.is_some()).collect();
    let bottom = TOP + rows.len() * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">How many times as good as the baseline \
         (bar: median, line: spread, red: what must hold)</text>\n",
        LEFT + WIDTH + 80.0,
        bottom + 20,
    );
    for ratio in [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0] {
        let x = place(ratio);
        let shade = if ratio == 1.0 { "black" } else { "lightgray" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"{shade}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{ratio}</text>",
            TOP - 6
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(svg, "{}", bar(row, (TOP + index * ROW) as f64));
    }
    svg + "</svg>\n"
}

fn bar(row: &Row, top: f64) -> String {
    let ratio = row.ratio.expect("only rows with a ratio are drawn");
    let (one, end) = (place(1.0), place(ratio));
    let (left, width) = (one.min(end), (end - one).abs().max(1.0));
    let middle = top + ROW as f64 / 2.0;
    let colour = if row.reached == Some(false) { "peru" } else { "steelblue" };
    let mut bar = format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} / {}</text>\
         <rect x=\"{left:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" fill=\"{colour}\"/>",
        LEFT - 8.0,
        middle + 4.0,
        row.workload,
        row.baseline_name,
        top + 3.0,
        ROW - 6
    );
    let mut text_from = end.max(one);
    if let Some([least, most]) = row.spread {
        let (least, most) = (place(least), place(most));
        text_from = text_from.max(most);
        let _ = write!(
            bar,
            "<line x1=\"{least:.1}\" x2=\"{most:.1}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"black\"/>"
        );
    }
    if let Some(goal) = row.least {
        let x = place(goal);
        let _ = write!(
            bar,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"red\" stroke-width=\"2\"/>",
            top + 1.0,
            top + ROW as f64 - 1.0
        );
    }
    bar + &format!("<text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>", text_from + 6.0, middle + 4.0)
}

/// Where a ratio lies from left to right.
fn place(ratio: f64) -> f64 {
    let [least, most] = EDGES;
    LEFT + WIDTH * (ratio.clamp(least, most) / least).ln() / (most / least).ln()
}
