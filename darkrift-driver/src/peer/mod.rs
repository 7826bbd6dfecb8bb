//! One connection as it runs: the machine, its sockets, and whoever moves bytes between them.
//!
//! Whoever has a reason to is the one to drive: a `recv` that finds nothing, a `send` on a quiet connection, or the
//! connection's own task (`task.rs`) when neither is there. All of them do it under one short lock, and register
//! with the reactor under the same wakers (`wakers.rs`).

mod burst;
mod deferred;
mod flushing;
mod lock;
mod receiving;
mod sending;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::BytesMut;
use darkrift_proto::{CloseKind, CloseReason, Connection, Initiator, Instant};
use event_listener::Event as Notification;
use parking_lot::Mutex;

pub(crate) use self::deferred::{Deferred, send_all};
pub(crate) use self::lock::Locked;
pub(crate) use self::state::{NEVER, PeerState};
use crate::datagrams::DatagramPath;
use crate::notification::{wait_until, wake_listeners};
use crate::runtime::{Runtime, TcpStream};
use crate::stream;
use crate::wakers::Wakers;

/// How long a connection may go without its application looking before its own task looks.
pub(crate) const ATTENTION: Duration = Duration::from_millis(20);

/// A connection that is shared by its handles, its task and its server.
// In this order, and what it consists of likewise: what every message needs is side by side, since of thousands of
// connections none is in the processor's cache when its turn comes.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Peer {
    pub(crate) stream_address: SocketAddr,
    /// Notified when the connection has closed.
    closed: Notification,
    /// Notified when the connection's task has ended and its sockets are gone.
    ended: Notification,
    /// Notified when the reliable queue may have room again, or never will.
    room: Notification,
    /// Woken when something comes to the connection's own socket for datagrams; nobody's where it has none.
    datagram_waker: Waker,
    runtime: Arc<dyn Runtime>,
    wakers: Arc<Wakers>,
    /// Woken when a socket takes output again.
    output_waker: Waker,
    /// Woken when something comes to the stream.
    stream_waker: Waker,
    state: Mutex<PeerState>,
}

const _: () = {
    /// What an allocator has at hand for each thread, the count of its owners included; glibc's takes several times as long
    /// for what is larger.
    const AT_HAND: usize = 1032;
    assert!(size_of::<Peer>() + 2 * size_of::<usize>() <= AT_HAND);
};

impl Peer {
    pub(crate) fn new(
        runtime: Arc<dyn Runtime>,
        machine: Connection,
        now: Instant,
        stream: Box<dyn TcpStream>,
        stream_address: SocketAddr,
        datagrams: DatagramPath,
        datagram_address: Option<SocketAddr>,
    ) -> Arc<Self> {
        let wakers = Wakers::new(datagrams.is_own());
        let datagram_waker = if datagrams.is_own() { wakers.datagram_waker() } else { Waker::noop().clone() };
        Arc::new(Self {
            output_waker: wakers.output_waker(),
            stream_waker: wakers.stream_waker(),
            datagram_waker,
            wakers,
            state: Mutex::new(PeerState::new(machine, now, stream, datagrams, datagram_address)),
            runtime,
            room: Notification::new(),
            closed: Notification::new(),
            ended: Notification::new(),
            stream_address,
        })
    }

    pub(crate) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    pub(crate) fn wakers(&self) -> &Wakers {
        &self.wakers
    }

    /// Ends the connection for this reason, unless it has ended already.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        let now = self.runtime.now();
        state.machine.close_with(now, reason);
        // At once, since the program may end before the task has its turn.
        self.drive(&mut state, Drive::Output);
        state.settle();
        state.schedule();
    }

    /// Ends the connection, since another has its UDP address: nothing goes there for this one any more.
    pub(crate) fn evict(&self) {
        let mut state = self.lock();
        state.evicted = true;
        let reason = CloseReason::new(Initiator::Local, CloseKind::Evicted);
        state.machine.close_with(self.runtime.now(), reason);
        if let Some(datagrams) = &mut state.datagrams {
            datagrams.clear();
        }
        state.settle();
        state.schedule();
    }

    /// Waits until the connection has closed.
    pub(crate) async fn closed(&self) {
        wait_until(&self.closed, || self.lock().machine.is_closed()).await;
    }

    /// Waits until everything queued has left, or never will, and the sockets are gone.
    pub(crate) async fn ended(&self) {
        wait_until(&self.ended, || self.lock().ended).await;
    }

    /// Moves bytes: what is queued to the sockets, and what has come to the machine.
    pub(crate) fn drive(&self, state: &mut Locked<'_>, what: Drive) {
        self.flush(state);
        if what != Drive::Output && self.receive(state) {
            // Acknowledgements of pings, and what a close still has to say.
            self.flush(state);
        }
    }

    /// Nobody runs the connection any more: what the socket takes at once still leaves.
    fn abandon(&self, state: &mut PeerState) {
        let reason = CloseReason::new(Initiator::Local, CloseKind::Abandoned);
        let now = self.runtime.now();
        state.machine.close_with(now, reason);
        if let Some(stream) = &state.stream {
            stream::abandon(stream.as_ref(), &mut state.machine, now);
        }
    }

    /// The stream's address on this side, while it is there.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.lock().stream.as_ref()?.socket()?.local_addr().ok()?.as_socket()
    }

    /// Lets go of the sockets.
    pub(crate) fn end(&self) {
        let (stream, datagrams, deferred) = {
            let mut state = self.lock();
            if !state.machine.is_drained() {
                self.abandon(&mut state);
            }
            state.settle();
            if let (true, Some(stream)) = (state.machine.wants_stream_reset(), &state.stream) {
                stream::reset(stream.as_ref());
            }
            state.input = BytesMut::new();
            (state.stream.take(), state.datagrams.take(), state.take_deferred())
        };
        drop((stream, datagrams));
        self.lock().ended = true;
        send_all(deferred);
        self.wakers.clear_task();
        wake_listeners(&self.ended);
    }
}

/// What to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// What is queued, outwards.
    Output,
    /// Both ways.
    All,
}
