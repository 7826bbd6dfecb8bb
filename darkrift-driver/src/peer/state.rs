//! What a connection's lock guards.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use darkrift_proto::{Connection, Event, Instant, Received};

use super::Peer;
use super::burst::Burst;
use crate::datagrams::{DatagramPath, Run};
use crate::runtime::TcpStream;

/// Later than anything.
pub(crate) const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// What the lock guards.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct PeerState {
    /// The time when something was last looked for: exact enough for what only marks activity.
    pub(super) now: Instant,
    pub(super) burst: Burst,
    /// How many messages `recv` has given, for the task to see whether anyone looks.
    pub(crate) looks: u32,
    /// The longest datagrams, in bytes, that are sent in runs: the way does not carry longer ones so.
    pub(super) longest_segment: u16,
    /// How many looks at the sockets in a row have brought messages.
    pub(super) fruitful: u8,
    pub(super) stream_ended: bool,
    /// Whether someone sends datagrams without the lock, and will send those, too, that are queued meanwhile.
    pub(super) sending: bool,
    /// Whether someone else would have sent datagrams meanwhile.
    pub(super) send_again: bool,
    /// Whether the task has been woken and has not run since.
    pub(super) scheduled: bool,
    /// Whether a broadcast has queued something that another connection's task will send.
    pub(super) deferred: bool,
    /// Whether a `send` waits for room.
    pub(super) room_wanted: bool,
    /// Whether `Closed` was handed out, or its reason told in another way.
    pub(super) finished: bool,
    /// Whether the stream's socket has not taken all that it was offered last.
    pub(super) stream_full: bool,
    /// `None` once the connection has drained.
    pub(super) stream: Option<Box<dyn TcpStream>>,
    /// What was read and not yet taken by the machine.
    pub(super) input: BytesMut,
    pub(super) datagrams: Option<DatagramPath>,
    pub(crate) machine: Connection,
    /// When the task's timer will fire, or [`NEVER`].
    pub(crate) armed: Instant,
    /// Where datagrams go, once it is known.
    pub(crate) datagram_address: Option<SocketAddr>,
    /// The connection whose deferred messages are sent behind this one's.
    pub(super) next_deferred: Option<Arc<Peer>>,
    pub(super) announced_closed: bool,
    /// Whether the sockets are gone.
    pub(super) ended: bool,
    /// Whether another connection has the address of this one.
    pub(super) evicted: bool,
}

impl PeerState {
    /// Of a connection that begins.
    pub(super) fn new(
        machine: Connection,
        now: Instant,
        stream: Box<dyn TcpStream>,
        datagrams: DatagramPath,
        datagram_address: Option<SocketAddr>,
    ) -> Self {
        Self {
            machine,
            stream: Some(stream),
            datagrams: Some(datagrams),
            datagram_address,
            longest_segment: u16::MAX,
            input: BytesMut::new(),
            stream_ended: false,
            sending: false,
            send_again: false,
            now,
            scheduled: false,
            armed: NEVER,
            finished: false,
            announced_closed: false,
            ended: false,
            evicted: false,
            stream_full: false,
            burst: Burst::new(),
            looks: 0,
            fruitful: 0,
            room_wanted: false,
            deferred: false,
            next_deferred: None,
        }
    }

    /// The next message that is there already; `Ready(None)` at the end.
    pub(super) fn take_message(&mut self) -> Poll<Option<Received>> {
        // The way of most messages, which are moved less so.
        if let Some(received) = self.machine.poll_message() {
            return Poll::Ready(Some(received));
        }
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Message(received) => return Poll::Ready(Some(received)),
                Event::Closed(_) => self.finished = true,
                // Connected is told by connect and accept; strikes are counted by the machine.
                _ => {}
            }
        }
        if self.finished { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Whether something was read that the machine had no room for, or the stream's end waits to be taken.
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty() || self.stream_ended
    }

    /// Whether there is anything to offer to the sockets.
    #[inline]
    pub(super) fn has_output(&self) -> bool {
        self.has_stream_output() || self.has_datagrams()
    }

    #[inline]
    pub(super) fn has_stream_output(&self) -> bool {
        self.machine.stream_queued() > 0 || self.machine.wants_stream_shutdown()
    }

    #[inline]
    pub(super) fn has_datagrams(&self) -> bool {
        self.datagrams.as_ref().is_some_and(|datagrams| datagrams.has_next(&self.machine))
    }

    /// Whether datagrams come to a socket of this connection's own.
    pub(super) fn has_own_datagrams(&self) -> bool {
        self.datagrams.as_ref().is_some_and(DatagramPath::is_own)
    }

    /// Whether the socket has not taken what it was offered last.
    pub(super) fn has_blocked_datagrams(&self) -> bool {
        self.datagrams.as_ref().is_some_and(DatagramPath::is_blocked)
    }

    /// The next datagrams to send.
    pub(super) fn next_datagrams(&mut self) -> Option<Run> {
        self.datagrams.as_mut()?.next(&mut self.machine)
    }

    /// The next datagram in `buffer`, and its length, where it is the only one and fits.
    pub(super) fn next_lone_datagram(&mut self, buffer: &mut [u8]) -> Option<usize> {
        self.datagrams.as_ref()?.next_lone(&mut self.machine, buffer)
    }

    /// The task begins to run: whatever changes from here on must wake it again.
    pub(crate) fn begin_task(&mut self) {
        self.scheduled = false;
    }

    /// Everything queued has been offered to the sockets.
    pub(crate) fn rest(&mut self) {
        self.burst.rest();
    }

    /// The sockets, for what the listener has to tell them.
    pub(crate) fn datagrams(&mut self) -> Option<&mut DatagramPath> {
        self.datagrams.as_mut()
    }
}
