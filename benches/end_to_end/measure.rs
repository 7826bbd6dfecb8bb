//! How a round is timed, and how tasks tell what they have done.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::system::cpu_time;

/// How long one contender runs in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) warm_up: Duration,
    pub(crate) measure: Duration,
}

impl Timing {
    /// Short, so that within a round all contenders meet the machine in the same mood; of a quick run, shorter still.
    pub(crate) const fn new(quick: bool) -> Self {
        let [warm_up, measure] = if quick { [30, 60] } else { [60, 120] };
        Self { warm_up: Duration::from_millis(warm_up), measure: Duration::from_millis(measure) }
    }

    /// So many times as long.
    pub(crate) fn times(self, warm_up: u32, measure: u32) -> Self {
        Self { warm_up: warm_up * self.warm_up, measure: measure * self.measure }
    }
}

/// What one contender did in one round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// In the unit of the workload.
    pub(crate) value: f64,
    /// Unreliable messages that did not come back, in the whole round.
    pub(crate) lost: u64,
    /// The processor time behind each answer, in microseconds: of server and clients where they share a process. It
    /// moves less than the clock with what else the machine does.
    pub(crate) processor_time: Option<f64>,
}

/// No setup takes as long as this: a longer one hangs.
pub(crate) const SETUP_TIME: Duration = Duration::from_secs(120);

/// The runtime that server and clients share.
pub(crate) fn two_workers() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Runs a setup, and fails where it hangs.
pub(crate) fn set_up<T>(runtime: &Runtime, setup: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    runtime.block_on(async { tokio::time::timeout(SETUP_TIME, setup).await? })
}

/// A counter on a cache line of its own, so that counting costs the tasks nothing.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counter(AtomicU64);

/// What the clients of one round have done so far.
#[derive(Debug)]
pub(crate) struct Tally {
    answers: Vec<Counter>,
    lost: AtomicU64,
    stopping: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Tally {
    pub(crate) fn new(clients: usize) -> Arc<Self> {
        Arc::new(Self {
            answers: std::iter::repeat_with(Counter::default).take(clients).collect(),
            lost: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            failure: Mutex::new(None),
        })
    }

    /// The answers that a client has had since its start.
    pub(crate) fn set_answers(&self, client: usize, answers: u64) {
        self.answers[client].0.store(answers, Ordering::Relaxed);
    }

    pub(crate) fn add_lost(&self, lost: u64) {
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }

    pub(crate) fn answers(&self) -> u64 {
        self.answers.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn fail(&self, failure: &io::Error) {
        self.failure.lock().expect("no holder panics").get_or_insert_with(|| failure.to_string());
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().expect("no holder panics").clone()
    }

    /// A client's work; how it fails is kept.
    pub(crate) fn watch<W>(self: &Arc<Self>, work: W) -> impl Future<Output = ()> + Send + use<W>
    where
        W: Future<Output = io::Result<()>> + Send,
    {
        let tally = Arc::clone(self);
        async move {
            if let Err(error) = work.await {
                // What ends while the round is torn down says nothing.
                if !tally.is_stopping() {
                    tally.fail(&error);
                }
            }
        }
    }

    /// Answers a second, once warm. Stops the clients.
    pub(crate) fn rate(&self, timing: Timing) -> io::Result<Figure> {
        thread::sleep(timing.warm_up);
        let (started, cpu_before, before) = (Instant::now(), cpu_time()?, self.answers());
        thread::sleep(timing.measure);
        let (elapsed, cpu_time, after) = (started.elapsed(), cpu_time()? - cpu_before, self.answers());
        self.stopping.store(true, Ordering::Relaxed);
        match self.failure() {
            Some(failure) => Err(io::Error::other(failure)),
            None if after == before => Err(io::Error::other("not one answer came")),
            None => {
                let answers = (after - before) as f64;
                let processor_time = Some(cpu_time.as_secs_f64() * 1e6 / answers);
                Ok(Figure { value: answers / elapsed.as_secs_f64(), lost: self.lost(), processor_time })
            }
        }
    }
}
