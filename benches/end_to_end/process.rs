//! Every round in a process of its own, and in some of them server and clients, too: what a whole process uses is asked of
//! it, and no single process holds the sockets of both sides.
//!
//! The bench starts itself anew for each. A round prints its figure. A server or clients first print where they listen, or
//! that they are connected; then they answer one line of standard input with one line of standard output, and end with
//! their input.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::contender::{Addresses, Channels, Contender, Mode, Shape};
use crate::contenders::{Framed, Ours, Raw};
use crate::load::{self, Load};
use crate::measure::{Figure, SETUP_TIME, Timing, set_up, two_workers};
use crate::{system, workloads};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--child";

/// What a line begins with that tells of a failure.
const FAILED: &str = "failed: ";

/// How long a child may take for an answer: longer than a setup, so that it tells of its own.
const ANSWER_TIME: Duration = Duration::from_secs(SETUP_TIME.as_secs() + 10);

/// How long a round may take: longer than the processes in it may be waited for.
const ROUND_TIME: Duration = Duration::from_secs(10 * ANSWER_TIME.as_secs());

/// The length of a payload wherever there are processes, in bytes.
const SIZE: usize = 48;

fn shape(channels: &str) -> Shape {
    let channels = match channels {
        "reliable" => Channels::Only(Mode::Reliable),
        "unreliable" => Channels::Only(Mode::Unreliable),
        _ => Channels::Both,
    };
    Shape { channels, size: SIZE }
}

/// What one contender does in one round of a workload, in a process of its own.
pub(crate) fn round(workload: &str, contender: &str, quick: bool) -> io::Result<Figure> {
    let timing = if quick { "quick" } else { "whole" };
    let child = Child::start(&["round", workload, contender, timing])?;
    Ok(serde_json::from_str(&child.answer(ROUND_TIME)?)?)
}

/// The same in that process.
fn round_of(workload: &str, contender: &str, quick: bool) -> io::Result<()> {
    let figure = workloads::all()
        .iter()
        .find(|known| known.name == workload)
        .and_then(|workload| workload.contenders.iter().find(|(name, _)| *name == contender))
        .ok_or_else(|| io::Error::other(format!("{contender:?} has no workload {workload:?}")))
        .and_then(|(_, run)| run(Timing::new(quick)));
    match figure {
        Ok(figure) => println!("{}", serde_json::to_string(&figure)?),
        Err(error) => println!("{FAILED}{error}"),
    }
    Ok(())
}

/// What a child does, by its arguments.
pub(crate) fn child(arguments: &[String]) -> io::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["round", workload, contender, timing] => round_of(workload, contender, timing == "quick"),
        [_, Ours::NAME, ..] => child_of::<Ours>(&arguments),
        [_, Framed::NAME, ..] => child_of::<Framed>(&arguments),
        [_, Raw::NAME, ..] => child_of::<Raw>(&arguments),
        _ => Err(io::Error::other(format!("no child does {arguments:?}"))),
    }
}

fn child_of<C: Contender>(arguments: &[&str]) -> io::Result<()> {
    match arguments[..] {
        ["server", _, channels] => serve::<C>(shape(channels)),
        ["clients", _, channels, tcp, udp, count, load] => {
            let parsed =
                || Some((tcp.parse().ok()?, udp.parse().ok()?, count.parse().ok()?, Load::parse(load)?));
            let (tcp, udp, count, load) =
                parsed().ok_or_else(|| io::Error::other("a child's arguments are wrong"))?;
            load::run::<C>(Addresses { tcp, udp }, shape(channels), count, load)
        }
        _ => Err(io::Error::other("a child is a server or clients")),
    }
}

fn serve<C: Contender>(shape: Shape) -> io::Result<()> {
    let runtime = two_workers()?;
    let (addresses, _server) = set_up(&runtime, C::serve(shape))?;
    converse(&format!("{} {}", addresses.tcp, addresses.udp), |question| match question {
        "cpu" => Ok(system::cpu_time()?.as_nanos().to_string()),
        "resident" => Ok(system::resident()?.to_string()),
        _ => Err(io::Error::other(format!("a server cannot say {question:?}"))),
    })
}

/// A child's side of the conversation.
pub(crate) fn converse(greeting: &str, mut answer: impl FnMut(&str) -> io::Result<String>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{greeting}")?;
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(answer) => writeln!(output, "{answer}")?,
            Err(error) => writeln!(output, "{FAILED}{error}")?,
        }
    }
    Ok(())
}

/// The parent's side of a child. Dropping it ends the child.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    questions: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Child {
    fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let (sender, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let questions = process.stdin.take();
        Ok(Self { process, questions, answers })
    }

    /// The next line of the child.
    fn answer(&self, patience: Duration) -> io::Result<String> {
        match self.answers.recv_timeout(patience) {
            Ok(line) => match line.strip_prefix(FAILED) {
                Some(failure) => Err(io::Error::other(failure.to_owned())),
                None => Ok(line),
            },
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "a child process hangs"))
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("a child process ended early")),
        }
    }

    pub(crate) fn ask(&mut self, question: &str) -> io::Result<String> {
        let questions = self.questions.as_mut().expect("it is there until the child is dropped");
        writeln!(questions, "{question}")?;
        self.answer(ANSWER_TIME)
    }

    pub(crate) fn ask_number(&mut self, question: &str) -> io::Result<u64> {
        self.ask(question)?.parse().map_err(io::Error::other)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.questions = None;
        // Ending the process closes its sockets at once; what it could still say is of no use.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server in one process, and its clients in as many as they need.
#[derive(Debug)]
pub(crate) struct Processes {
    // Clients go first, so that the server's end is no failure to them.
    clients: Vec<Child>,
    server: Child,
    /// What the server held before any client came, in bytes.
    pub(crate) resident_before: u64,
}

/// How many clients one process holds: a process may open 20,000 files on a usual machine, and a client needs two.
const CLIENTS_OF_A_PROCESS: usize = 9_000;

impl Processes {
    /// Starts a server, and connects so many clients from at least `processes` processes.
    pub(crate) fn start<C: Contender>(
        channels: &str,
        clients: usize,
        processes: usize,
        load: Load,
    ) -> io::Result<Self> {
        let mut server = Child::start(&["server", C::NAME, channels])?;
        let addresses = server.answer(ANSWER_TIME)?;
        let (tcp, udp) =
            addresses.split_once(' ').ok_or_else(|| io::Error::other("a server named no addresses"))?;
        let resident_before = server.ask_number("resident")?;
        let processes = processes.max(clients.div_ceil(CLIENTS_OF_A_PROCESS));
        let mut started = Self { clients: Vec::new(), server, resident_before };
        for process in 0..processes {
            let count = clients * (process + 1) / processes - clients * process / processes;
            let arguments = ["clients", C::NAME, channels, tcp, udp, &count.to_string(), load.name()];
            started.clients.push(Child::start(&arguments)?);
        }
        for client in &started.clients {
            client.answer(ANSWER_TIME)?;
        }
        Ok(started)
    }

    /// Lets the clients begin.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.clients.iter_mut().try_for_each(|client| client.ask("begin").map(drop))
    }

    /// The answers of all clients so far, and the messages lost.
    pub(crate) fn answers(&mut self) -> io::Result<(u64, u64)> {
        let (mut answers, mut lost) = (0, 0);
        for client in &mut self.clients {
            answers += client.ask_number("answers")?;
            lost += client.ask_number("lost")?;
        }
        Ok((answers, lost))
    }

    /// The processor time that the server has used so far, in nanoseconds.
    pub(crate) fn server_time(&mut self) -> io::Result<u64> {
        self.server.ask_number("cpu")
    }

    /// What the server holds in memory, in bytes.
    pub(crate) fn server_resident(&mut self) -> io::Result<u64> {
        self.server.ask_number("resident")
    }
}
