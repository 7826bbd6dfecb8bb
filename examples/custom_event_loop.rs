//! The protocol in an event loop of one's own: `darkrift-proto` alone, driven by mio, on one thread.
//!
//! `custom_event_loop [--listen ADDR] [--clients N] [--seconds N]`
//!
//! A server that returns every message, and holds thousands of clients. With `--clients N` as many clients run in the
//! same loop. Each has ten messages returned, and stays until all of them have; then they leave, and the program ends.
//! They take three file descriptors each: `ulimit -n` says how many there are.
//!
//! This is the manual to read beside `docs/sans-io.md`. From top to bottom: the loop, one connection's turn, the
//! server's door, and last the application, which is the only part that a game would change.

use std::collections::{BTreeSet, VecDeque};
use std::error::Error;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use darkrift::proto::wire::{TOKEN_BYTES, Token};
use darkrift::proto::{
    ClientConfig, ClientIds, CloseKind, CloseReason, Connection, ConnectionKey, Event, Initiator, Instant,
    Listener, Message, Role, Routing, SendMode, ServerConfig, TokenSource, TransportError,
};
use lexopt::ValueExt;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Interest, Poll};

const USAGE: &str = "usage: custom_event_loop [--listen ADDR] [--clients N] [--seconds N]";

// What the system's events are about: the server's two sockets, and two for each peer.
const SERVER_STREAMS: usize = 0;
const SERVER_DATAGRAMS: usize = 1;
const FIRST_PEER: usize = 2;

/// How much one peer, or the door, does before the others get their turn. Whoever has more to do is asked again in the
/// next round: readiness is told once, so nobody may forget that there is something left.
const TURN: usize = 16;

/// While this much waits to be written, no more messages are taken: the peer does not read, so neither do we.
const BACK_PRESSURE: usize = 256 << 10;

/// How many messages each client has returned.
const ROUNDS: u32 = 10;

struct Loop {
    poll: Poll,
    /// Time begins here: the machines know no other.
    start: std::time::Instant,
    /// When each peer's machine wants to be told the time, the earliest first.
    deadlines: BTreeSet<(Instant, usize)>,
    /// Who was not finished when its turn ended.
    unfinished: VecDeque<usize>,
    /// How many clients of the demonstration are still to begin. They come by and by: more connections at one time than
    /// the system queues for a listener are lost, and tried again only seconds later.
    to_begin: usize,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    server: Server,
    /// What came is read here first, so that an idle connection holds no buffer.
    scratch: Vec<u8>,
    tally: Tally,
}

/// One side of one connection, with its sockets.
struct Peer {
    machine: Connection,
    stream: TcpStream,
    /// What was read, and not yet taken by the machine.
    input: BytesMut,
    stream_ended: bool,
    path: Path,
    /// Its entry in `deadlines`.
    deadline: Option<Instant>,
    returned: u32,
}

/// How datagrams leave.
enum Path {
    /// A client's own socket, and the server's address.
    Own(UdpSocket, SocketAddr),
    /// The server's socket, by the key that the listener knows the peer by, and the peer's address once it is known.
    Shared(ConnectionKey, Option<SocketAddr>),
}

struct Server {
    streams: TcpListener,
    datagrams: UdpSocket,
    listener: Listener,
    ids: ClientIds,
    /// The peer of each key's index.
    peers: Vec<usize>,
}

#[derive(Default)]
struct Tally {
    joined: usize,
    most: usize,
    done: usize,
    left: usize,
    returned: u64,
    returned_unreliably: u64,
    failed: usize,
}

impl Loop {
    fn new(listen: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut streams = TcpListener::bind(listen)?;
        let mut datagrams = UdpSocket::bind(streams.local_addr()?)?;
        poll.registry().register(&mut streams, mio::Token(SERVER_STREAMS), Interest::READABLE)?;
        poll.registry().register(&mut datagrams, mio::Token(SERVER_DATAGRAMS), Interest::READABLE)?;
        let listener = Listener::new(Arc::new({
            let mut config = ServerConfig::default();
            // All the clients of this demonstration come from one address.
            config.max_pending_per_address = config.max_pending;
            config
        }));
        let server = Server { streams, datagrams, listener, ids: ClientIds::new(), peers: Vec::new() };
        Ok(Self {
            poll,
            start: std::time::Instant::now(),
            deadlines: BTreeSet::new(),
            unfinished: VecDeque::new(),
            to_begin: 0,
            peers: Vec::new(),
            free: Vec::new(),
            server,
            scratch: vec![0; 64 << 10],
            tally: Tally::default(),
        })
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// The loop. It sleeps until a socket is ready or a deadline comes, and asks nobody who has nothing to do.
    fn run(&mut self, is_over: impl Fn(&Tally, Instant) -> bool, until: Instant) -> io::Result<()> {
        let mut events = mio::Events::with_capacity(1024);
        while !is_over(&self.tally, self.now()) {
            let begin = self.to_begin.min(TURN);
            self.to_begin -= begin;
            for _ in 0..begin {
                self.connect(self.server.streams.local_addr()?)?;
            }
            let next = self.deadlines.first().map_or(until, |&(at, _)| at.min(until));
            let is_idle = self.unfinished.is_empty() && self.to_begin == 0;
            let patience = if is_idle { next - self.now() } else { Duration::ZERO };
            match self.poll.poll(&mut events, Some(patience)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for number in std::mem::take(&mut self.unfinished) {
                self.turn_of(number);
            }
            for event in &events {
                self.turn_of(event.token().0);
            }
            let now = self.now();
            while let Some(&(at, number)) = self.deadlines.first() {
                if at > now {
                    break;
                }
                self.deadlines.pop_first();
                if let Some(peer) = self.peers[number].as_mut() {
                    peer.deadline = None;
                    peer.machine.handle_timeout(now);
                }
                self.drive(number);
            }
        }
        Ok(())
    }

    fn turn_of(&mut self, token: usize) {
        match token {
            SERVER_STREAMS => self.accept(),
            SERVER_DATAGRAMS => self.receive(),
            token => self.drive((token - FIRST_PEER) / 2),
        }
    }

    /// One connection's turn: everything that it may need, in the order in which one thing leads to the next. Whatever
    /// happened to a peer, this is what follows.
    fn drive(&mut self, number: usize) {
        let now = self.now();
        // Out of its place meanwhile, so that the rest of the loop can be used.
        let Some(mut peer) = self.peers.get_mut(number).and_then(Option::take) else { return };
        let mut is_finished = false;
        for _ in 0..TURN {
            let read = peer.read(now, &mut self.scratch);
            let took = peer.take_events(now, &mut self.tally);
            peer.write(now);
            peer.send_datagrams(&self.server.datagrams);
            if !read && !took {
                is_finished = true;
                break;
            }
        }
        if peer.machine.is_drained() {
            return self.release(number, peer);
        }
        if !is_finished {
            self.unfinished.push_back(FIRST_PEER + 2 * number);
        }
        // The deadline may have changed with every call above.
        let deadline = peer.machine.poll_timeout();
        if deadline != peer.deadline {
            if let Some(old) = peer.deadline {
                self.deadlines.remove(&(old, number));
            }
            self.deadlines.extend(deadline.map(|at| (at, number)));
            peer.deadline = deadline;
        }
        self.peers[number] = Some(peer);
    }

    /// A connection that has drained is over: its sockets close here, and whatever it held is free again.
    fn release(&mut self, number: usize, peer: Peer) {
        if let Some(old) = peer.deadline {
            self.deadlines.remove(&(old, number));
        }
        if let Path::Shared(key, _) = peer.path {
            self.server.listener.release(key);
            if let Some(id) = peer.machine.id() {
                self.server.ids.release(id);
                self.tally.joined -= 1;
            }
        }
        self.free.push(number);
    }

    /// Takes a peer in, and gives it its first turn.
    fn begin(&mut self, mut peer: Peer) -> io::Result<usize> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        let token = FIRST_PEER + 2 * number;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut peer.stream, mio::Token(token), both)?;
        if let Path::Own(socket, _) = &mut peer.path {
            self.poll.registry().register(socket, mio::Token(token + 1), Interest::READABLE)?;
        }
        self.peers[number] = Some(peer);
        Ok(number)
    }
}

impl Peer {
    fn new(machine: Connection, stream: TcpStream, path: Path) -> Self {
        // Small messages leave at once.
        let _ = stream.set_nodelay(true);
        let input = BytesMut::new();
        Self { machine, stream, input, stream_ended: false, path, deadline: None, returned: 0 }
    }

    /// Reads once from each socket; whether there may be more.
    fn read(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        self.read_datagram(now, scratch) | self.read_stream(now, scratch)
    }

    fn read_stream(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        // Not while the machine has enough: then TCP itself slows the peer.
        if !self.machine.wants_stream_read() {
            return false;
        }
        // It may have left whole frames the last time, for want of room.
        self.machine.handle_stream(now, &mut self.input);
        if self.stream_ended {
            return false;
        }
        match self.stream.read(scratch) {
            Ok(0) => {
                self.stream_ended = true;
                self.machine.handle_stream_end(now, &mut self.input);
            }
            Ok(count) => {
                self.input.extend_from_slice(&scratch[..count]);
                self.machine.handle_stream(now, &mut self.input);
                return true;
            }
            Err(error) => self.failed(now, &error),
        }
        false
    }

    fn read_datagram(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        // A server's datagrams all come to one socket: the door's.
        let Path::Own(socket, server) = &self.path else { return false };
        match socket.recv_from(scratch) {
            Ok((count, from)) => {
                if from == *server {
                    self.machine.handle_datagram(now, Bytes::copy_from_slice(&scratch[..count]));
                }
                true
            }
            // Any other error is of a datagram sent earlier, and never of the socket.
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Writes what is queued, as much as the socket takes. What it does not take waits in the machine.
    fn write(&mut self, now: Instant) {
        loop {
            let mut output = self.machine.stream_output();
            if !output.has_remaining() {
                break;
            }
            let mut slices = [IoSlice::new(&[]); 64];
            let count = output.chunks_vectored(&mut slices);
            match self.stream.write_vectored(&slices[..count]) {
                Ok(count) => output.advance(count),
                Err(error) => {
                    self.failed(now, &error);
                    break;
                }
            }
        }
        // When it closes and everything is written, the peer is told that nothing more comes.
        if self.machine.wants_stream_shutdown() {
            let _ = self.stream.shutdown(Shutdown::Write);
            self.machine.handle_stream_shutdown(now);
        }
    }

    /// Sends what is queued. What the socket does not take is lost, as datagrams may be.
    fn send_datagrams(&mut self, shared: &UdpSocket) {
        let (socket, to) = match &self.path {
            Path::Own(socket, server) => (socket, *server),
            Path::Shared(_, Some(address)) => (shared, *address),
            Path::Shared(_, None) => return,
        };
        while let Some(datagram) = self.machine.poll_datagram() {
            let _ = socket.send_to(&datagram, to);
        }
    }

    fn failed(&mut self, now: Instant, error: &io::Error) {
        match error.kind() {
            // Not ready, or (a client's) not connected yet: the system will tell.
            ErrorKind::WouldBlock | ErrorKind::NotConnected => {}
            ErrorKind::Interrupted => {}
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                self.machine.handle_transport_error(now, TransportError::Reset);
            }
            _ => self.machine.handle_transport_error(now, TransportError::Other),
        }
    }
}

/// The server's door.
impl Loop {
    /// TCP connections came.
    fn accept(&mut self) {
        for _ in 0..TURN {
            let (stream, address) = match self.server.streams.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Of that one connection, or no descriptor is left; either way the next round tries again.
                Err(_) => break,
            };
            let now = self.now();
            // Refused: too many wait, or the server is full. Dropping the stream says so.
            let Ok((key, machine)) = self.server.listener.accept(now, address, &mut SystemTokens) else {
                continue;
            };
            let Ok(number) = self.begin(Peer::new(machine, stream, Path::Shared(key, None))) else {
                continue;
            };
            let places = &mut self.server.peers;
            places.resize(places.len().max(key.index() + 1), usize::MAX);
            places[key.index()] = number;
            // Its hello leaves in this turn.
            self.drive(number);
        }
        self.unfinished.push_back(SERVER_STREAMS);
    }

    /// Datagrams came, from anybody.
    fn receive(&mut self) {
        for _ in 0..16 * TURN {
            match self.server.datagrams.recv_from(&mut self.scratch) {
                Ok((count, from)) => {
                    let datagram = Bytes::copy_from_slice(&self.scratch[..count]);
                    self.route(from, datagram);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
        self.unfinished.push_back(SERVER_DATAGRAMS);
    }

    /// The listener knows whose a datagram is.
    fn route(&mut self, from: SocketAddr, datagram: Bytes) {
        let now = self.now();
        match self.server.listener.handle_datagram(now, from, &datagram) {
            Routing::Deliver(key) => self.with(key, |peer, _| peer.machine.handle_datagram(now, datagram)),
            Routing::Paired { key, answer, evicted } => {
                // First of all: a client takes the first datagram that it gets for this one.
                let _ = self.server.datagrams.send_to(&answer, from);
                if let Some(ghost) = evicted {
                    self.close(ghost, CloseKind::Evicted);
                }
                // Here a game asks whether it wants this client. This one wants everybody for whom there is an id.
                let Some(id) = self.server.ids.allocate() else {
                    return self.close(key, CloseKind::NoFreeId);
                };
                self.with(key, |peer, tally| {
                    peer.path = Path::Shared(key, Some(from));
                    peer.machine.handle_paired(now);
                    peer.machine.configure(now, id);
                    tally.joined += 1;
                    tally.most = tally.most.max(tally.joined);
                });
            }
            Routing::Full(key) => self.close(key, CloseKind::NoFreeId),
            Routing::Answer { answer } => {
                let _ = self.server.datagrams.send_to(&answer, from);
            }
            // Nobody's. Anyone can send anything, and it costs nothing.
            _ => {}
        }
    }

    fn close(&mut self, key: ConnectionKey, kind: CloseKind) {
        let now = self.now();
        self.with(key, |peer, _| peer.machine.close_with(now, CloseReason::new(Initiator::Local, kind)));
    }

    /// Does something with the peer of a key, and gives it a turn for what follows from that.
    fn with(&mut self, key: ConnectionKey, act: impl FnOnce(&mut Peer, &mut Tally)) {
        let number = self.server.peers[key.index()];
        if let Some(peer) = self.peers[number].as_mut() {
            act(peer, &mut self.tally);
        }
        self.drive(number);
    }
}

/// Tokens that nobody can guess.
struct SystemTokens;

impl TokenSource for SystemTokens {
    fn token(&mut self) -> Token {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        Token::new(bytes)
    }
}

/// The application: what a game puts in this place.
impl Peer {
    /// Takes what the machine has for the application; whether there was anything.
    fn take_events(&mut self, now: Instant, tally: &mut Tally) -> bool {
        let mut any = false;
        while self.machine.stream_queued() < BACK_PRESSURE {
            let Some(event) = self.machine.poll_event() else { break };
            any = true;
            match self.machine.role() {
                Role::Server => self.serve(now, &event),
                Role::Client => self.play(now, &event, tally),
            }
        }
        any
    }

    /// The server returns every message.
    fn serve(&mut self, now: Instant, event: &Event) {
        if let Event::Message(received) = event {
            // There is room, or the event had not been taken; what cannot be sent any more has nobody to go to.
            let _ = self.machine.send(now, received.send_mode(), received.message());
        }
    }

    /// A client sends one message after the other, each when the last has come back, and is done when all have. It sends
    /// each unreliably as well, and counts those that come back: the server's socket may have no room for all of them.
    fn play(&mut self, now: Instant, event: &Event, tally: &mut Tally) {
        match event {
            Event::Connected(_) => {}
            Event::Message(received) if received.send_mode() == SendMode::Unreliable => {
                tally.returned_unreliably += 1;
                return;
            }
            Event::Message(received) if received.message() == &message(self.returned) => {
                self.returned += 1;
                tally.returned += 1;
            }
            Event::Closed(reason) => {
                tally.left += 1;
                if self.returned < ROUNDS {
                    tally.failed += 1;
                    tally.done += 1;
                    eprintln!("custom_event_loop: a client left early: {reason}");
                }
                return;
            }
            other => {
                eprintln!("custom_event_loop: {other:?} is not what was sent");
                return self.machine.close(now);
            }
        }
        if self.returned == ROUNDS {
            tally.done += 1;
            return;
        }
        for mode in [SendMode::Unreliable, SendMode::Reliable] {
            let _ = self.machine.send(now, mode, &message(self.returned));
        }
    }
}

fn message(number: u32) -> Message {
    Message::new(number as u16, number.to_be_bytes().to_vec())
}

impl Loop {
    /// Begins a client. TCP connects meanwhile; the connect's time limit counts from here.
    fn connect(&mut self, to: SocketAddr) -> io::Result<()> {
        let machine = Connection::client(Arc::new(ClientConfig::default()), self.now());
        let stream = TcpStream::connect(to)?;
        let socket = UdpSocket::bind(SocketAddr::new(to.ip(), 0))?;
        self.begin(Peer::new(machine, stream, Path::Own(socket, to))).map(drop)
    }
}

impl Loop {
    /// Ends every client in good order.
    fn close_clients(&mut self) {
        let now = self.now();
        for number in 0..self.peers.len() {
            if let Some(peer) = self.peers[number].as_mut().filter(|peer| peer.machine.role() == Role::Client)
            {
                peer.machine.close(now);
                self.drive(number);
            }
        }
    }
}

struct Arguments {
    listen: SocketAddr,
    clients: Option<usize>,
    seconds: Option<u64>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments { listen: ([127, 0, 0, 1], 0).into(), clients: None, seconds: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("listen") => arguments.listen = parser.value()?.parse()?,
            lexopt::Arg::Long("clients") => arguments.clients = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("seconds") => arguments.seconds = Some(parser.value()?.parse()?),
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("custom_event_loop: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match hold(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("custom_event_loop: {failed} clients were not served to the end");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("custom_event_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves as long as it is told to; gives how many of its own clients failed.
fn hold(arguments: &Arguments) -> Result<usize, Box<dyn Error>> {
    let mut event_loop = Loop::new(arguments.listen)?;
    let address = event_loop.server.streams.local_addr()?;
    println!("listening on {address}");
    event_loop.to_begin = arguments.clients.unwrap_or_default();
    let limit = arguments.seconds.map_or(Duration::MAX, Duration::from_secs);
    let until = Instant::ZERO + limit;
    let all = arguments.clients;
    event_loop.run(|tally, now| now >= until || all == Some(tally.done), until)?;
    event_loop.close_clients();
    event_loop.run(|tally, now| now >= until || all == Some(tally.left), until)?;
    let Tally { most, left, returned, returned_unreliably, failed, .. } = event_loop.tally;
    println!("{most} clients at once, {left} left, in {:?}", event_loop.start.elapsed());
    println!("{returned} messages returned, {returned_unreliably} of them unreliably as well");
    Ok(failed + all.map_or(0, |all| all - left))
}
