//! The loop: who gets a turn, and when.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use darkrift::proto::{ClientConfig, Connection, Instant, Role};
use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Poll};

use crate::application::Tally;
use crate::door::Server;
use crate::peer::{Path, Peer};

// What the system's events are about: the server's two sockets, and two for each peer.
pub(crate) const SERVER_STREAMS: usize = 0;
pub(crate) const SERVER_DATAGRAMS: usize = 1;
const FIRST_PEER: usize = 2;

/// How much one peer, or the door, does before the others get their turn. Whoever has more to do is asked again in the
/// next round: readiness is told once, so nobody may forget that there is something left.
pub(crate) const TURN: usize = 16;

pub(crate) struct Loop {
    poll: Poll,
    /// Time begins here: the machines know no other.
    pub(crate) start: std::time::Instant,
    /// When each peer's machine wants to be told the time, the earliest first.
    deadlines: BTreeSet<(Instant, usize)>,
    /// Who was not finished when its turn ended.
    pub(crate) unfinished: VecDeque<usize>,
    /// When the door accepts again, where it rests: there was no room for a connection that came.
    pub(crate) accept_at: Option<Instant>,
    /// How many clients of the demonstration are still to begin. They come by and by: more connections at one time than
    /// the system queues for a listener are lost, and tried again only seconds later.
    pub(crate) to_begin: usize,
    pub(crate) peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    pub(crate) server: Server,
    /// What came is read here first, so that an idle connection holds no buffer.
    pub(crate) scratch: Vec<u8>,
    pub(crate) tally: Tally,
}

impl Loop {
    pub(crate) fn new(listen: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let server = Server::new(listen, poll.registry())?;
        Ok(Self {
            poll,
            start: std::time::Instant::now(),
            deadlines: BTreeSet::new(),
            unfinished: VecDeque::new(),
            accept_at: None,
            to_begin: 0,
            peers: Vec::new(),
            free: Vec::new(),
            server,
            scratch: vec![0; 64 << 10],
            tally: Tally::default(),
        })
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// The loop. It sleeps until a socket is ready or a deadline comes, and asks nobody who has nothing to do.
    pub(crate) fn run(
        &mut self,
        is_over: impl Fn(&Tally, Instant) -> bool,
        until: Instant,
    ) -> io::Result<()> {
        let mut events = mio::Events::with_capacity(1024);
        while !is_over(&self.tally, self.now()) {
            let begin = self.to_begin.min(TURN);
            self.to_begin -= begin;
            for _ in 0..begin {
                self.connect(self.server.streams.local_addr()?)?;
            }
            let first = self.deadlines.first().map(|&(at, _)| at);
            let next = [first, self.accept_at].into_iter().flatten().fold(until, Instant::min);
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
            if self.accept_at.is_some_and(|at| at <= now) {
                self.accept();
            }
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
            // More connections make no room.
            SERVER_STREAMS if self.accept_at.is_some() => {}
            SERVER_STREAMS => self.accept(),
            SERVER_DATAGRAMS => self.receive(),
            token => self.drive((token - FIRST_PEER) / 2),
        }
    }

    /// One connection's turn: everything that it may need, in the order in which one thing leads to the next. Whatever
    /// happened to a peer, this is what follows.
    pub(crate) fn drive(&mut self, number: usize) {
        let now = self.now();
        // Out of its place meanwhile, so that the rest of the loop can be used.
        let Some(mut peer) = self.peers.get_mut(number).and_then(Option::take) else { return };
        let mut is_finished = false;
        for _ in 0..TURN {
            let read = peer.read(now, &mut self.scratch);
            let took = peer.take_events(now, &mut self.tally);
            peer.write(now);
            peer.send_datagrams(&self.server.datagrams);
            // What a write that failed has found, the application has not seen yet.
            let is_told = !peer.machine.is_drained() || !peer.machine.has_event();
            if !read && !took && is_told {
                is_finished = true;
                break;
            }
        }
        if peer.machine.is_drained() && !peer.machine.has_event() {
            return self.release(number, peer);
        }
        if let (Path::Shared(key, _), true) = (&peer.path, peer.machine.is_closed()) {
            // What it still has to send may take a while, and somebody else may have its place.
            self.server.listener.leave(*key);
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
        if peer.machine.wants_stream_reset() {
            // The peer shall not take what it has for everything.
            let _ = socket2::SockRef::from(&peer.stream).set_linger(Some(Duration::ZERO));
        }
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
    pub(crate) fn begin(&mut self, mut peer: Peer) -> io::Result<usize> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        if let Err(error) = self.register(&mut peer, FIRST_PEER + 2 * number) {
            // Its sockets close here; the place is for the next one.
            self.free.push(number);
            return Err(error);
        }
        self.peers[number] = Some(peer);
        Ok(number)
    }

    fn register(&self, peer: &mut Peer, token: usize) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut peer.stream, mio::Token(token), both)?;
        if let Path::Own(socket, _) = &mut peer.path {
            self.poll.registry().register(socket, mio::Token(token + 1), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Begins a client. TCP connects meanwhile; the connect's time limit counts from here.
    fn connect(&mut self, to: SocketAddr) -> io::Result<()> {
        let machine = Connection::client(Arc::new(ClientConfig::default()), self.now());
        let stream = TcpStream::connect(to)?;
        let socket = UdpSocket::bind(SocketAddr::new(to.ip(), 0))?;
        self.begin(Peer::new(machine, stream, Path::Own(socket, to))).map(drop)
    }

    /// Ends every client in good order.
    pub(crate) fn close_clients(&mut self) {
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
