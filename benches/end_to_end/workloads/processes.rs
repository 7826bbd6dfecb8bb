//! What is asked of a whole server process: its time per message, and its memory per connection.

use std::io;
use std::thread;
use std::time::Duration;

use crate::contender::Contender;
use crate::load::Load;
use crate::measure::{Figure, Timing};
use crate::process::Processes;

/// A game: the server's processor time for a message received and answered, in microseconds.
pub(crate) fn game<C: Contender>(players: usize, timing: Timing) -> io::Result<Figure> {
    // The clock of the clients sets the pace, so a short time would count few messages.
    time_per_message::<C>("both", players, 1, Load::Game, timing.times(5, 10))
}

/// What a message costs with many connections, as a multiple of what it costs with few.
pub(crate) fn scale<C: Contender>(
    channels: &str,
    many: usize,
    few: usize,
    timing: Timing,
) -> io::Result<Figure> {
    let with_few = time_per_message::<C>(channels, few, 2, Load::Turns, timing.times(3, 3))?;
    // Every connection has a turn or two.
    let with_many = time_per_message::<C>(channels, many, 2, Load::Turns, timing.times(8, 7))?;
    Ok(Figure {
        value: with_many.value / with_few.value,
        lost: with_few.lost + with_many.lost,
        processor_time: None,
    })
}

fn time_per_message<C: Contender>(
    channels: &str,
    clients: usize,
    processes: usize,
    load: Load,
    timing: Timing,
) -> io::Result<Figure> {
    let mut processes = Processes::start::<C>(channels, clients, processes, load)?;
    processes.begin()?;
    thread::sleep(timing.warm_up);
    let (time_before, (answers_before, _)) = (processes.server_time()?, processes.answers()?);
    thread::sleep(timing.measure);
    let (time, (answers, lost)) = (processes.server_time()?, processes.answers()?);
    if answers == answers_before {
        return Err(io::Error::other("not one answer came"));
    }
    let value = (time - time_before) as f64 / (answers - answers_before) as f64 / 1000.0;
    Ok(Figure { value, lost, processor_time: None })
}

/// Connections that have nothing to say, each after one message on each channel: the server's memory for each, in
/// bytes.
pub(crate) fn idle<C: Contender>(clients: usize) -> io::Result<Figure> {
    let mut processes = Processes::start::<C>("both", clients, 1, Load::Idle)?;
    // What the setup has used may be given back.
    thread::sleep(Duration::from_millis(500));
    let held = processes.server_resident()?.saturating_sub(processes.resident_before);
    Ok(Figure { value: held as f64 / clients as f64, lost: 0, processor_time: None })
}
