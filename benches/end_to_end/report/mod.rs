//! What the rounds came to.

pub(crate) mod markdown;
pub(crate) mod svg;

use std::io;

use serde::Serialize;

use crate::contenders::OURS;
use crate::measure::Figure;
use crate::system::load;
use crate::workloads::{Better, Target, Workload};

/// What one contender did in every round of a workload.
#[derive(Debug)]
pub(crate) struct Rounds {
    name: &'static str,
    /// `None` in a round in which it failed.
    values: Vec<Option<f64>>,
    processor_times: Vec<Option<f64>>,
    lost: u64,
}

impl Rounds {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, values: Vec::new(), processor_times: Vec::new(), lost: 0 }
    }

    pub(crate) fn push(&mut self, result: io::Result<Figure>) {
        self.lost += result.as_ref().map_or(0, |figure| figure.lost);
        self.processor_times.push(result.as_ref().ok().and_then(|figure| figure.processor_time));
        self.values.push(result.ok().map(|figure| figure.value));
    }

    fn median(&self) -> Option<f64> {
        median_of_all(&self.values)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    rounds: usize,
    processors: usize,
    system: &'static str,
    /// The machine's load before the first round: above 1, others use it, and figures by the clock wander.
    load_before: Option<f64>,
    figures: Vec<Row>,
}

/// One workload of ours beside one baseline. `None` is what failed.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    workload: &'static str,
    what: &'static str,
    unit: &'static str,
    /// The median of our figures.
    ours: Option<f64>,
    /// The median of the baseline's figures.
    baseline: Option<f64>,
    baseline_name: &'static str,
    /// How many times as good ours is as the baseline: the median of the rounds.
    ratio: Option<f64>,
    /// The least and the greatest ratio of a round.
    spread: Option<[f64; 2]>,
    /// The same of the processor time behind each answer, where that is measured.
    processor_time_ratio: Option<f64>,
    /// What must hold, in words, in the row that it is about.
    target: Option<String>,
    reached: Option<bool>,
    ours_rounds: Vec<Option<f64>>,
    baseline_rounds: Vec<Option<f64>>,
    /// Unreliable messages that did not come back, over all rounds.
    ours_lost: u64,
    baseline_lost: u64,
    #[serde(skip)]
    least: Option<f64>,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { rounds, processors, system: std::env::consts::OS, load_before: load(), figures: Vec::new() }
    }

    /// A row for each baseline of a workload.
    pub(crate) fn add(&mut self, workload: &Workload, measured: &[Rounds]) {
        let nothing = Rounds::new(OURS);
        let ours = measured.iter().find(|rounds| rounds.name == OURS).unwrap_or(&nothing);
        let baselines = measured.iter().filter(|rounds| rounds.name != OURS);
        self.figures
            .extend(baselines.enumerate().map(|(index, baseline)| row(workload, ours, baseline, index == 0)));
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.figures.iter().any(|row| row.ours_rounds.iter().chain(&row.baseline_rounds).any(Option::is_none))
    }

    pub(crate) fn json(&self) -> io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn row(workload: &Workload, ours: &Rounds, baseline: &Rounds, is_first: bool) -> Row {
    let ratio_of_round = |(&ours, &baseline): (&Option<f64>, &Option<f64>)| match workload.better {
        Better::More => Some(ours? / baseline?),
        Better::Less => Some(baseline? / ours?),
    };
    let ratios: Option<Vec<f64>> = ours.values.iter().zip(&baseline.values).map(ratio_of_round).collect();
    let processor_time_ratios: Vec<Option<f64>> = ours
        .processor_times
        .iter()
        .zip(&baseline.processor_times)
        .map(|(&ours, &baseline)| Some(baseline? / ours?))
        .collect();
    let ratio = ratios.clone().and_then(median);
    let median_of_ours = ours.median();
    let (target, reached, least) = match workload.target {
        Some(Target::Against(name, least)) if name == baseline.name => {
            (Some(format!("at least {least} × {name}")), ratio.map(|ratio| ratio >= least), Some(least))
        }
        Some(Target::Below(limit)) if is_first => {
            let limit_text = number(limit);
            (Some(format!("ours under {limit_text}")), median_of_ours.map(|value| value < limit), None)
        }
        _ => (None, None, None),
    };
    Row {
        workload: workload.name,
        what: workload.what,
        unit: workload.unit,
        ours: median_of_ours,
        baseline: baseline.median(),
        baseline_name: baseline.name,
        ratio,
        spread: ratios.filter(|ratios| !ratios.is_empty()).map(|ratios| {
            [ratios.iter().copied().fold(f64::MAX, f64::min), ratios.iter().copied().fold(f64::MIN, f64::max)]
        }),
        processor_time_ratio: median_of_all(&processor_time_ratios),
        target,
        reached,
        ours_rounds: ours.values.clone(),
        baseline_rounds: baseline.values.clone(),
        ours_lost: ours.lost,
        baseline_lost: baseline.lost,
        least,
    }
}

/// The median, where there is a value for every round.
fn median_of_all(values: &[Option<f64>]) -> Option<f64> {
    median(values.iter().copied().collect::<Option<Vec<f64>>>()?)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// A figure as people read it: four digits that matter at most.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 1e3 => {
            let rounded = value.round() as i64;
            format!("{},{:03}", rounded / 1000, rounded % 1000)
        }
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
