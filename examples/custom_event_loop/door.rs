//! The server's door: who comes in, and whose a datagram is.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use darkrift::proto::wire::{TOKEN_BYTES, Token};
use darkrift::proto::{
    ClientIds, CloseKind, CloseReason, ConnectionKey, Initiator, Listener, Routing, ServerConfig, TokenSource,
};
use mio::Interest;
use mio::net::{TcpListener, UdpSocket};

use crate::application::Tally;
use crate::event_loop::{Loop, SERVER_DATAGRAMS, SERVER_STREAMS, TURN};
use crate::peer::{Path, Peer};

/// How long accepting rests where there is no room for a connection. Everybody else has their turns meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// The server's sockets, the machine at its door, and the ids it has given.
pub(crate) struct Server {
    pub(crate) streams: TcpListener,
    pub(crate) datagrams: UdpSocket,
    pub(crate) listener: Listener,
    pub(crate) ids: ClientIds,
    /// The peer of each key's index.
    peers: Vec<usize>,
}

impl Server {
    pub(crate) fn new(listen: SocketAddr, registry: &mio::Registry) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}"));
        let mut streams = TcpListener::bind(listen).map_err(named)?;
        let mut datagrams = UdpSocket::bind(streams.local_addr()?).map_err(named)?;
        registry.register(&mut streams, mio::Token(SERVER_STREAMS), Interest::READABLE)?;
        registry.register(&mut datagrams, mio::Token(SERVER_DATAGRAMS), Interest::READABLE)?;
        let listener = Listener::new(Arc::new({
            let mut config = ServerConfig::default();
            // All the clients of this demonstration come from one address.
            config.max_pending_per_address = config.max_pending;
            config
        }));
        Ok(Self { streams, datagrams, listener, ids: ClientIds::new(), peers: Vec::new() })
    }
}

impl Loop {
    /// TCP connections came.
    pub(crate) fn accept(&mut self) {
        self.accept_at = None;
        for _ in 0..TURN {
            let (stream, address) = match self.server.streams.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Of that one connection, which is gone.
                Err(error) if is_of_one_connection(&error) => continue,
                // No descriptor is left, most likely. The connection stays in the system's queue, and nobody tells of
                // it again; but to ask for it in each round would keep the loop from ever sleeping.
                Err(_) => {
                    self.accept_at = Some(self.now() + PAUSE);
                    return;
                }
            };
            let now = self.now();
            // Refused: too many wait, or the server is full. Dropping the stream says so.
            let Ok((key, machine)) = self.server.listener.accept(now, address, &mut SystemTokens) else {
                continue;
            };
            let Ok(number) = self.begin(Peer::new(machine, stream, Path::Shared(key, None))) else {
                self.server.listener.release(key);
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
    pub(crate) fn receive(&mut self) {
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
                    return self.refuse(key);
                };
                self.with(key, |peer, tally| {
                    peer.path = Path::Shared(key, Some(from));
                    peer.machine.handle_paired(now);
                    peer.machine.configure(now, id);
                    tally.joined += 1;
                    tally.most = tally.most.max(tally.joined);
                });
            }
            Routing::Full(key) => self.refuse(key),
            Routing::Answer { answer } => {
                let _ = self.server.datagrams.send_to(&answer, from);
            }
            // Nobody's. Anyone can send anything, and it costs nothing.
            _ => {}
        }
    }

    /// There is no room for this client, and it shall take none while it is closed.
    fn refuse(&mut self, key: ConnectionKey) {
        self.close(key, CloseKind::NoFreeId);
        self.server.listener.refuse(key);
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

/// Whether the next connection may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
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
