//! A player's view over three links: where the server has a ball, and where the player sees it.
//!
//! The server says thirty times a second where the ball is, unreliably, and counts its bounces reliably. The player shows
//! the newest position that has come. Each link has a panel of the drawing:
//! `cargo run -p darkrift-sim --example lossy_game -- lossy_game.svg`.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use darkrift_sim::proto::{ClientConfig, Event, Instant, Message, SendMode, ServerConfig};
use darkrift_sim::{DatagramConditions, Occurrence, Path, Place, World};

const TICK: Duration = Duration::from_nanos(1_000_000_000 / 30);
const TICKS: u32 = 150;

const POSITION: u16 = 1;
const BOUNCE: u16 = 2;

/// What the player saw, and what there was to see.
struct View {
    name: &'static str,
    /// (seconds, height) as the server has it.
    truth: Vec<(f64, f64)>,
    /// The same as the player sees it, a point for each position that changed the picture.
    seen: Vec<(f64, f64)>,
    /// When the player heard of each bounce.
    bounces: Vec<f64>,
    lost: u64,
    stale: usize,
}

/// A ball that bounces once a second.
fn height(seconds: f64) -> f64 {
    let phase = seconds.fract();
    4.0 * phase * (1.0 - phase)
}

fn play(name: &'static str, datagrams: DatagramConditions, stream_latency: Duration) -> View {
    let mut world = World::new(1, ServerConfig::default());
    let mut path = Path::new(SocketAddr::from(([10, 0, 0, 1], 5000)), 1);
    path.stream_down.latency = stream_latency;
    path.stream_down.jitter = stream_latency / 2;
    path.datagrams_down = datagrams;
    let pair = world.connect(Arc::new(ClientConfig::default()), &path);
    world.advance_by(Duration::from_secs(3));

    let start = world.now();
    let since = |at: Instant| (at - start).as_secs_f64();
    let mut view = View { name, truth: vec![], seen: vec![], bounces: vec![], lost: 0, stale: 0 };
    let mut newest = None;
    for tick in 0..TICKS {
        let seconds = since(world.now());
        view.truth.push((seconds, height(seconds)));
        let position = Message::encode(POSITION, &(tick, height(seconds) as f32)).expect("numbers encode");
        let server = Place::server(pair);
        world.send(server, SendMode::Unreliable, &position).expect("the client is connected");
        if tick > 0 && tick % 30 == 0 {
            let bounce = Message::encode(BOUNCE, &(tick / 30)).expect("a number encodes");
            world.send(server, SendMode::Reliable, &bounce).expect("the client is connected");
        }
        world.advance_by(TICK);
        while let Some((at, occurrence)) = world.poll() {
            let Occurrence::Event(_, Event::Message(received)) = occurrence else { continue };
            if received.tag() == BOUNCE {
                view.bounces.push(since(at));
                continue;
            }
            let (tick, height): (u32, f32) = received.decode().expect("the server sends these");
            // What comes late is of the past: the player has seen newer.
            if newest.is_some_and(|newest| tick < newest) {
                view.stale += 1;
                continue;
            }
            newest = Some(tick);
            view.seen.push((since(at), f64::from(height)));
        }
    }
    view.lost = u64::from(TICKS) - (view.seen.len() + view.stale).min(TICKS as usize) as u64;
    view
}

const USAGE: &str = "usage: lossy_game [FILE]      (FILE is lossy_game.svg unless given)";

fn file() -> Result<PathBuf, lexopt::Error> {
    use lexopt::prelude::*;
    let mut file = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) if file.is_none() => file = Some(value.into()),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(file.unwrap_or_else(|| "lossy_game.svg".into()))
}

fn main() -> ExitCode {
    let file = match file() {
        Ok(file) => file,
        Err(error) => {
            eprintln!("lossy_game: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut good = DatagramConditions::default();
    good.latency = Duration::from_millis(15);
    let mut mobile = good.clone();
    mobile.latency = Duration::from_millis(70);
    mobile.jitter = Duration::from_millis(40);
    mobile.loss = 0.1;
    let mut bad = mobile.clone();
    bad.latency = Duration::from_millis(200);
    bad.loss = 0.4;
    bad.reordering = 0.3;
    bad.reordering_delay = Duration::from_millis(150);
    let views = [
        play("cable: 15 ms", good, Duration::from_millis(15)),
        play("mobile: 70 to 110 ms, 10% lost", mobile, Duration::from_millis(70)),
        play("bad: 200 to 390 ms, 40% lost, 30% out of order", bad, Duration::from_millis(200)),
    ];
    for view in &views {
        let (name, seen) = (view.name, view.seen.len());
        println!("{name}: {seen} of {TICKS} positions seen, {} too late, {} not come", view.stale, view.lost);
    }
    if let Err(error) = std::fs::write(&file, drawing(&views)) {
        eprintln!("lossy_game: {}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    println!("drawn to {}", file.display());
    ExitCode::SUCCESS
}

const WIDTH: f64 = 900.0;
const PANEL: f64 = 150.0;
const MARGIN: f64 = 40.0;

fn drawing(views: &[View]) -> String {
    let height = MARGIN + views.len() as f64 * (PANEL + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, view) in views.iter().enumerate() {
        panel(&mut svg, view, MARGIN + number as f64 * (PANEL + MARGIN));
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, view: &View, top: f64) {
    let seconds = f64::from(TICKS) * TICK.as_secs_f64();
    let x = |at: f64| MARGIN + at / seconds * (WIDTH - 2.0 * MARGIN);
    let y = |height: f64| top + (1.0 - height) * PANEL;
    let truth: String = view.truth.iter().fold(String::new(), |mut line, &(at, height)| {
        let _ = write!(line, "{:.1},{:.1} ", x(at), y(height));
        line
    });
    // What is seen stays as it is until something newer comes.
    let mut seen = String::new();
    let mut shown = None;
    for &(at, height) in &view.seen {
        if let Some(before) = shown {
            let _ = write!(seen, "{:.1},{:.1} ", x(at), y(before));
        }
        let _ = write!(seen, "{:.1},{:.1} ", x(at), y(height));
        shown = Some(height);
    }
    let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{:.1}\">{}</text>", top - 8.0, view.name);
    let _ = writeln!(svg, "<polyline points=\"{truth}\" fill=\"none\" stroke=\"#bbb\" stroke-width=\"5\"/>");
    let _ = writeln!(svg, "<polyline points=\"{seen}\" fill=\"none\" stroke=\"#c33\" stroke-width=\"1.5\"/>");
    for &at in &view.bounces {
        let _ =
            writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"#36c\"/>", x(at), top + PANEL);
    }
}
