//! One end of a pair: a real connection with the driver's part around it, or a raw peer that keeps to nothing.

use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use darkrift_proto::{CloseKind, Connection, Event, Instant, Limits, SendMode, TransportError};

use crate::stream::{StreamLink, StreamRead};
use crate::world::{Log, Occurrence, Place};

/// The most that one read asks for.
const READ: usize = 64 << 10;
/// How much of what came a raw peer keeps, of each transport.
const RAW_KEEPS: usize = 4 << 10;
/// More timeouts than this at one moment are work for ever.
const TIMEOUTS_AT_ONCE: usize = 8;

/// Who stands at one end.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are connections")]
pub(crate) enum End {
    /// Nobody: refused, or vanished.
    Gone,
    Connection(Endpoint),
    Raw(Raw),
}

impl End {
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Connection(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    pub(crate) fn endpoint_mut(&mut self) -> Option<&mut Endpoint> {
        match self {
            Self::Connection(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    pub(crate) fn raw_mut(&mut self) -> Option<&mut Raw> {
        match self {
            Self::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    /// Does what can be done now on the stream; whether anything was.
    pub(crate) fn drive(
        &mut self,
        now: Instant,
        place: Place,
        incoming: &mut StreamLink,
        outgoing: &mut StreamLink,
        log: &mut Log,
    ) -> bool {
        match self {
            Self::Gone => false,
            Self::Connection(endpoint) => endpoint.drive(now, place, incoming, outgoing, log),
            Self::Raw(raw) => raw.drive(now, incoming, outgoing),
        }
    }

    pub(crate) fn next_wake(&self) -> Option<Instant> {
        self.endpoint()?.connection.poll_timeout()
    }
}

/// A real connection, driven as a driver would.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) connection: Connection,
    input: BytesMut,
    bounds: Bounds,
    /// Whether they hold already.
    bounded: bool,
    /// Whether the application takes events.
    pub(crate) takes_events: bool,
    /// Whether its UDP socket takes datagrams.
    pub(crate) sends_datagrams: bool,
    shut: bool,
    closed_told: bool,
    pub(crate) drained_told: bool,
}

impl Endpoint {
    pub(crate) fn new(connection: Connection, limits: &Limits, max_frame: usize) -> Self {
        Self {
            connection,
            input: BytesMut::new(),
            bounds: Bounds::new(limits, max_frame),
            bounded: false,
            takes_events: true,
            sends_datagrams: true,
            shut: false,
            closed_told: false,
            drained_told: false,
        }
    }

    /// Tells once that the connection has closed; to be called after whatever may close it.
    pub(crate) fn note_closed(&mut self, place: Place, log: &mut Log) {
        if let Some(reason) = self.connection.close_reason().filter(|_| !self.closed_told) {
            log.push(Occurrence::Closed(place, reason.clone()));
            self.closed_told = true;
        }
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, place: Place, contents: Bytes, log: &mut Log) {
        log.push(Occurrence::DatagramDelivered(place, contents.clone(), self.connection.state()));
        self.connection.handle_datagram(now, contents);
        self.note_closed(place, log);
    }

    /// Takes up to `most` events.
    pub(crate) fn take_events(&mut self, most: usize, place: Place, log: &mut Log) -> bool {
        let mut taken = Taken::default();
        while taken.events < most {
            let Some(event) = self.connection.poll_event() else {
                // What came before a client was connected is bounded in another way, and all taken now.
                self.bounded = self.connection.id().is_some();
                break;
            };
            taken.add(&event);
            if self.bounded {
                self.bounds.check(&taken, place);
            }
            log.push(Occurrence::Event(place, event));
        }
        taken.events > 0
    }

    fn drive(
        &mut self,
        now: Instant,
        place: Place,
        incoming: &mut StreamLink,
        outgoing: &mut StreamLink,
        log: &mut Log,
    ) -> bool {
        let mut progress = self.fire_timeouts(now, place, log);
        progress |= self.read(now, place, incoming, log);
        progress |= self.write(now, outgoing);
        if self.connection.wants_stream_shutdown() {
            outgoing.shutdown(now);
            self.shut = true;
            self.connection.handle_stream_shutdown(now);
            progress = true;
        }
        if self.connection.is_drained() && !self.drained_told {
            self.drained_told = true;
            if !self.shut {
                outgoing.reset(now);
            }
            incoming.abandon();
            log.push(Occurrence::Drained(place));
            progress = true;
        }
        progress
    }

    fn fire_timeouts(&mut self, now: Instant, place: Place, log: &mut Log) -> bool {
        let mut fired = 0;
        while self.connection.poll_timeout().is_some_and(|at| at <= now) {
            assert!(fired < TIMEOUTS_AT_ONCE, "{place:?}: a timeout that is always due");
            fired += 1;
            let reads = self.connection.wants_stream_read();
            self.connection.handle_timeout(now);
            let is_idle = self
                .connection
                .close_reason()
                .is_some_and(|reason| !self.closed_told && matches!(reason.kind, CloseKind::IdleTimeout(_)));
            assert!(reads || !is_idle, "{place:?}: idle, while nothing is read from it");
            self.note_closed(place, log);
        }
        fired > 0
    }

    fn read(&mut self, now: Instant, place: Place, incoming: &mut StreamLink, log: &mut Log) -> bool {
        let mut progress = false;
        loop {
            if self.takes_events {
                progress |= self.take_events(usize::MAX, place, log);
            }
            if !self.connection.wants_stream_read() {
                return progress;
            }
            // What was left for want of room goes before what comes now, which is not read before there is room for it.
            let (left, closed) = (self.input.len(), self.connection.is_closed());
            if left > 0 {
                self.connection.handle_stream(now, &mut self.input);
            }
            if self.input.len() == left && self.connection.is_closed() == closed {
                match incoming.read(now, READ, &mut self.input) {
                    StreamRead::Bytes(_) => self.connection.handle_stream(now, &mut self.input),
                    StreamRead::End => self.connection.handle_stream_end(now, &mut self.input),
                    StreamRead::Reset => self.connection.handle_transport_error(now, TransportError::Reset),
                    StreamRead::Nothing => return progress,
                }
            }
            self.note_closed(place, log);
            assert!(
                self.input.len() <= self.bounds.input,
                "{place:?}: {} bytes left unread",
                self.input.len()
            );
            progress = true;
        }
    }

    fn write(&mut self, now: Instant, outgoing: &mut StreamLink) -> bool {
        let mut progress = false;
        loop {
            let mut output = self.connection.stream_output();
            let mut slices = [IoSlice::new(&[]); 4];
            let count = output.chunks_vectored(&mut slices);
            let mut taken = 0;
            for slice in &slices[..count] {
                let written = outgoing.write(now, slice);
                taken += written;
                if written < slice.len() {
                    break;
                }
            }
            if taken == 0 {
                return progress;
            }
            output.advance(taken);
            progress = true;
        }
    }

    /// Takes the next datagrams for the network, one or a run of equal ones.
    pub(crate) fn poll_datagrams(&mut self, segments: usize, place: Place, log: &mut Log) -> Vec<Bytes> {
        if !self.sends_datagrams {
            return Vec::new();
        }
        let mut taken = Vec::new();
        let mut lone = [0; 256];
        if segments == 1 {
            taken.extend(self.connection.poll_datagram());
        } else if let Some(length) = self.connection.poll_lone_datagram(&mut lone) {
            assert!(!self.connection.has_datagram(), "{place:?}: a lone datagram was not alone");
            taken.push(Bytes::copy_from_slice(&lone[..length]));
        } else if let Some(mut run) = self.connection.poll_datagrams(segments) {
            while run.contents.len() > run.segment {
                taken.push(run.contents.split_to(run.segment));
            }
            taken.push(run.contents);
            assert!(taken.len() <= segments.max(1), "{place:?}: more datagrams than asked for");
        }
        for contents in &taken {
            log.push(Occurrence::DatagramSent(place, contents.clone()));
        }
        taken
    }

    /// Whether the application could still be given something, or the network.
    pub(crate) fn is_over(&self) -> bool {
        self.connection.is_drained() && !self.connection.has_event()
    }

    /// Bytes read and not taken by the connection.
    pub(crate) fn input_len(&self) -> usize {
        self.input.len()
    }
}

/// What may wait for an application at most.
#[derive(Debug)]
struct Bounds {
    events: usize,
    bytes: usize,
    loose_bytes: usize,
    input: usize,
}

impl Bounds {
    fn new(limits: &Limits, max_frame: usize) -> Self {
        // A frame may bring a strike besides its message, and datagrams have a queue of their own.
        let events = limits.undelivered.max(1).saturating_mul(3).saturating_add(1);
        // Frames are taken while there is room, and those of one input together.
        let input = max_frame.saturating_add(4 + 2 * READ);
        let bytes = limits.undelivered_bytes.saturating_add(input);
        Self { events, bytes, loose_bytes: limits.undelivered_unreliable_bytes, input }
    }

    fn check(&self, taken: &Taken, place: Place) {
        let events = taken.events;
        assert!(events <= self.events, "{place:?}: {events} events waited, more than {}", self.events);
        assert!(
            taken.bytes <= self.bytes,
            "{place:?}: {} bytes waited, more than {}",
            taken.bytes,
            self.bytes
        );
        assert!(
            taken.loose <= 1 || taken.loose_bytes <= self.loose_bytes,
            "{place:?}: {} bytes of unreliable messages waited, more than {}",
            taken.loose_bytes,
            self.loose_bytes
        );
    }
}

/// What was taken at once.
#[derive(Debug, Default)]
struct Taken {
    events: usize,
    /// Of reliable messages.
    bytes: usize,
    /// Unreliable messages, and their bytes.
    loose: usize,
    loose_bytes: usize,
}

impl Taken {
    fn add(&mut self, event: &Event) {
        if let Event::Message(received) = event {
            let bytes = received.payload().len();
            if received.send_mode() == SendMode::Reliable {
                self.bytes += bytes;
            } else {
                self.loose += 1;
                self.loose_bytes += bytes;
            }
        }
        self.events += 1;
    }
}

/// A peer without a protocol: it writes and sends what it was told to, whatever that is.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub(crate) output: BytesMut,
    pub(crate) ends: bool,
    pub(crate) resets: bool,
    pub(crate) stops_reading: bool,
    /// The beginning of what came on the stream.
    pub(crate) received: BytesMut,
    /// The last datagram that came.
    pub(crate) datagram: Option<Bytes>,
    scratch: BytesMut,
}

impl Raw {
    fn drive(&mut self, now: Instant, incoming: &mut StreamLink, outgoing: &mut StreamLink) -> bool {
        let mut progress = false;
        while !self.output.is_empty() {
            let written = outgoing.write(now, &self.output);
            if written == 0 {
                break;
            }
            self.output.advance(written);
            progress = true;
        }
        if self.ends && self.output.is_empty() {
            self.ends = false;
            outgoing.shutdown(now);
            progress = true;
        }
        if std::mem::take(&mut self.resets) {
            outgoing.reset(now);
            incoming.abandon();
            progress = true;
        }
        while !self.stops_reading {
            self.scratch.clear();
            match incoming.read(now, READ, &mut self.scratch) {
                StreamRead::Bytes(count) => {
                    let room = RAW_KEEPS - self.received.len();
                    self.received.extend_from_slice(&self.scratch[..count.min(room)]);
                }
                StreamRead::Nothing => break,
                StreamRead::End | StreamRead::Reset => {}
            }
            progress = true;
        }
        progress
    }
}
