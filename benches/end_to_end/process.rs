//! Server and clients in processes of their own: what a whole process uses is asked of it, and no single process
//! holds the sockets of both sides.
//!
//! A child first prints where it listens, or that it is connected; then it answers what it is asked.

use std::io;

use crate::contender::{Addresses, Channels, Contender, Mode, Shape};
use crate::contenders::{Framed, Ours, Raw};
use crate::conversation::{ANSWER_TIME, Child, converse};
use crate::load::{self, Load};
use crate::measure::{set_up, two_workers};
use crate::system;

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

/// What a child does, by its arguments.
pub(crate) fn child(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        [_, Ours::NAME, ..] => child_of::<Ours>(arguments),
        [_, Framed::NAME, ..] => child_of::<Framed>(arguments),
        [_, Raw::NAME, ..] => child_of::<Raw>(arguments),
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
        self.clients.iter_mut().try_for_each(|client| client.ask("begin", ANSWER_TIME).map(drop))
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
