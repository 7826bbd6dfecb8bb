//! A moving square for each client, in a game loop: no async, one thread, sixty updates a second.
//!
//! `game_loop [--clients N] [--seconds N]`
//!
//! The server and the clients are all in this one loop, which shows that neither ever waits. Each client moves its own
//! square and tells where it is, unreliably; the server tells the others; what is drawn is the first client's view.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use darkrift::std::{Client, Event, Server, ServerEvent};
use darkrift::{ClientId, Message, MessageSet, SendMode};
use lexopt::ValueExt;

const USAGE: &str = "usage: game_loop [--clients N] [--seconds N]";
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);
const WIDTH: f32 = 60.0;
const HEIGHT: f32 = 20.0;

/// From a client: where its square is.
#[derive(Message, Debug)]
#[darkrift(tag = 1)]
struct Moved {
    x: f32,
    y: f32,
}

/// From the server: where somebody's square is.
#[derive(Message, Debug)]
#[darkrift(tag = 2)]
struct Square {
    id: u16,
    x: f32,
    y: f32,
}

/// From the server: somebody has left.
#[derive(Message, Debug)]
#[darkrift(tag = 3)]
struct Left {
    id: u16,
}

/// Whatever comes from the server.
#[derive(MessageSet)]
enum FromServer {
    Square(Square),
    Left(Left),
}

struct Arguments {
    clients: usize,
    limit: Option<Duration>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments { clients: 4, limit: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("clients") => arguments.clients = parser.value()?.parse()?,
            lexopt::Arg::Long("seconds") => arguments.limit = Some(parser.value()?.parse_with(seconds)?),
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(arguments)
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or("no time in seconds, such as 5 or 0.5")
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("game_loop: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match play(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("game_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut server = Server::bind("127.0.0.1:0")?;
    let address = server.local_addr();
    let mut players = Vec::new();
    for number in 0..arguments.clients {
        players.push(Player::new(Client::begin(address)?, number));
    }
    let begun = Instant::now();
    let mut frames = 0_u32;
    let mut next_frame = begun;
    while arguments.limit.is_none_or(|limit| begun.elapsed() < limit) {
        serve(&mut server)?;
        for player in &mut players {
            player.play()?;
        }
        frames += 1;
        if let Some(first) = players.first() {
            first.draw(frames)?;
        }
        next_frame += FRAME;
        std::thread::sleep(next_frame.saturating_duration_since(Instant::now()));
    }
    println!(
        "{frames} frames, {} clients, {} squares seen",
        server.len(),
        players.iter().map(|p| p.seen).sum::<u64>()
    );
    // The end takes a few frames, too. `finish` would wait for it, but nobody waits in a loop that both sides need.
    server.shutdown();
    while !server.is_finished() {
        server.update();
        players.iter_mut().for_each(|player| player.client.update());
        std::thread::sleep(FRAME);
    }
    Ok(())
}

/// The server's part of a frame.
fn serve(server: &mut Server) -> Result<(), Box<dyn Error>> {
    server.update();
    while let Some(event) = server.next_event() {
        match event {
            ServerEvent::Message(from, received) => {
                let Ok(Moved { x, y }) = received.decode() else { continue };
                let square = Square { id: from.id().get(), x, y };
                server.broadcast_except(from.id(), SendMode::Unreliable, &square)?;
            }
            ServerEvent::Disconnected(who, _) => {
                server.broadcast(SendMode::Reliable, &Left { id: who.id().get() })?;
            }
            _ => {}
        }
    }
    server.flush();
    Ok(())
}

/// One client with its square, and what it knows of the others.
struct Player {
    client: Client,
    position: (f32, f32),
    velocity: (f32, f32),
    others: BTreeMap<u16, (f32, f32)>,
    seen: u64,
}

impl Player {
    fn new(client: Client, number: usize) -> Self {
        let number = number as f32;
        Self {
            client,
            position: ((7.0 * number) % WIDTH, (3.0 * number) % HEIGHT),
            velocity: (11.0 + number, 7.0 + 2.0 * number),
            others: BTreeMap::new(),
            seen: 0,
        }
    }

    /// A client's part of a frame.
    fn play(&mut self) -> Result<(), Box<dyn Error>> {
        self.client.update();
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Failed(error) => return Err(error.into()),
                Event::Closed(reason) => return Err(reason.into()),
                Event::Message(received) => match received.decode_set()? {
                    Some(FromServer::Square(Square { id, x, y })) => {
                        self.others.insert(id, (x, y));
                        self.seen += 1;
                    }
                    Some(FromServer::Left(Left { id })) => {
                        self.others.remove(&id);
                    }
                    None => {}
                },
                _ => {}
            }
        }
        if self.client.is_connected() {
            self.advance();
            let (x, y) = self.position;
            // A position that is lost is made up for by the next one.
            self.client.send(SendMode::Unreliable, &Moved { x, y })?;
        }
        Ok(())
    }

    fn advance(&mut self) {
        let step = FRAME.as_secs_f32();
        for (position, velocity, limit) in [
            (&mut self.position.0, &mut self.velocity.0, WIDTH),
            (&mut self.position.1, &mut self.velocity.1, HEIGHT),
        ] {
            *position += *velocity * step;
            if *position < 0.0 || *position >= limit {
                *velocity = -*velocity;
                *position = position.clamp(0.0, limit - 0.01);
            }
        }
    }

    /// Draws over the last frame; nothing where the output is no terminal.
    fn draw(&self, frame: u32) -> std::io::Result<()> {
        if !stdout().is_terminal() {
            return Ok(());
        }
        let mut field = vec![vec![' '; WIDTH as usize]; HEIGHT as usize];
        let own = self.client.id().map(ClientId::get);
        let square = own.map(|id| (id, self.position));
        for (id, (x, y)) in self.others.iter().map(|(&id, &position)| (id, position)).chain(square) {
            let mark = if Some(id) == own { '█' } else { '▒' };
            if let Some(cell) = field.get_mut(y as usize).and_then(|row| row.get_mut(x as usize)) {
                *cell = mark;
            }
        }
        let mut out = stdout().lock();
        // Clears the screen once, and then goes back to its corner.
        write!(out, "{}", if frame == 1 { "\x1b[2J\x1b[H" } else { "\x1b[H" })?;
        for row in field {
            writeln!(out, "{}│", row.into_iter().collect::<String>())?;
        }
        writeln!(out, "frame {frame}, {} others", self.others.len())
    }
}
