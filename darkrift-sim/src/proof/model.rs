//! The reference: what each side of an honest pair must observe, said as simply as can be.
//!
//! It shares no code with the protocol: it has its own idea of a header, of a queue, and of a life.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use darkrift_proto::{
    ClientId, CloseKind, CloseReason, Connection, Event, Initiator, Instant, Limits, Message, MessageKind,
    Received, Role, SendError, SendMode, State, StrikeReason, TransportError,
};

use crate::{Occurrence, Place, World};

/// What UDP carries at most.
const LONGEST_DATAGRAM: usize = 65_507;
/// How long the news of a close may take, by the latencies of a plan.
const NEWS: Duration = Duration::from_secs(1);
/// As many codes of pings are remembered.
const CODES: usize = 256;
/// A hello or a Configure, which queue whatever waits already.
const COMMANDS: usize = 18;

/// The model of a whole history: of every honest pair in it.
#[derive(Debug, Default)]
pub(super) struct Model {
    pairs: BTreeMap<usize, [Side; 2]>,
    /// The ids of the clients that the server knows.
    ids: BTreeSet<ClientId>,
    violation: Option<String>,
}

/// One side of an honest pair.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) limits: Limits,
    /// When it began, for its timeouts.
    pub(super) began: Instant,
    /// What may end it, besides what the model sees itself.
    pub(super) may: Causes,
    /// Whether nothing was done to it that could keep it from connecting.
    pub(super) must_connect: bool,
    /// Server: its token came, so that whatever the client wrote is to be delivered, also when it has left.
    paired: bool,
    connected: Option<ClientId>,
    /// The reason that the connection has.
    reason: Option<CloseReason>,
    ended_at: Instant,
    /// When a datagram last came.
    heard: Instant,
    /// Whether the application has seen it.
    closed: bool,
    drained: bool,
    /// Reliable messages that it sent and the other side's application has not seen.
    reliable: VecDeque<Message>,
    largest_frame: usize,
    /// Reliable pings that may still be answered, in order.
    pings: VecDeque<Message>,
    unanswered: u64,
    codes: VecDeque<u16>,
    /// Datagrams that its queue holds.
    outgoing: VecDeque<Bytes>,
    outgoing_bytes: usize,
    /// What came on UDP and its application has not seen.
    incoming: VecDeque<Loose>,
    /// Whether strikes of the stream make the order of `incoming` uncertain.
    pub(super) struck: bool,
    /// Whether it closed for what the stream brought before its application heard of it. When that was is not told, and
    /// what came on UDP since does not count.
    faulted_early: bool,
    token: Option<Bytes>,
}

/// What the history did to a side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Causes {
    pub(super) close: bool,
    pub(super) reset: bool,
    pub(super) rejected: bool,
    pub(super) no_free_id: bool,
    /// The other side sent a frame longer than this one takes.
    pub(super) too_long: bool,
    pub(super) evicted: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Loose {
    Message(Message),
    Strike,
}

impl Loose {
    fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.payload().len(),
            Self::Strike => 0,
        }
    }
}

impl Model {
    pub(super) fn add(&mut self, pair: usize, client: Side, server: Side) {
        self.pairs.insert(pair, [client, server]);
    }

    pub(super) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    pub(super) fn side(&mut self, place: Place) -> Option<&mut Side> {
        Some(&mut self.pairs.get_mut(&place.pair)?[index(place)])
    }

    fn violate(&mut self, place: Place, what: impl Into<String>) {
        let what = what.into();
        self.violation.get_or_insert_with(|| format!("{place:?}: {what}"));
    }

    /// The application at `place` sent a message, with this result, when the connection was in this state and its
    /// queue held this many bytes.
    pub(super) fn sent(
        &mut self,
        place: Place,
        mode: SendMode,
        message: &Message,
        (state, queued): (State, usize),
        result: &Result<(), SendError>,
    ) {
        let Some(side) = self.side(place) else { return };
        let datagram = encoded(message);
        let (length, frame) = (datagram.len(), datagram.len() + 4);
        let full = queued > 0 && queued + frame > side.limits.reliable_queue;
        let reliable = mode == SendMode::Reliable;
        let longest = if reliable { side.limits.max_send } else { LONGEST_DATAGRAM };
        let right = match result {
            Err(SendError::Closed) => matches!(state, State::Closing | State::Drained),
            Err(SendError::NotConnected) => match state {
                State::AwaitingHello | State::AwaitingToken | State::Paired => true,
                State::AwaitingAcknowledgement => !reliable,
                _ => false,
            },
            Err(SendError::TooLong { length: said, limit }) => {
                *said == length && *limit == longest && length > longest
            }
            Err(SendError::Full { queued: said }) => reliable && full && *said == queued,
            Err(_) => false,
            Ok(()) => {
                length <= longest
                    && match state {
                        State::Connected | State::AwaitingConfigure => !(reliable && full),
                        State::AwaitingAcknowledgement => reliable && !full,
                        _ => false,
                    }
            }
        };
        if result.is_ok() {
            if reliable {
                side.largest_frame = side.largest_frame.max(frame);
                side.reliable.push_back(message.clone());
            } else {
                side.queue_datagram(datagram);
            }
            if let MessageKind::Ping(code) = message.kind() {
                side.codes.retain(|&known| known != code);
                side.codes.push_back(code);
                if side.codes.len() > CODES {
                    side.codes.pop_front();
                    // Only clients are struck, for an answer to what the server has forgotten.
                    side.struck |= place.role == Role::Server;
                }
                if reliable {
                    side.pings.push_back(message.clone());
                }
            }
        }
        if !right {
            self.violate(
                place,
                format!("a send of {length} bytes in {state:?}, {queued} queued: {result:?}"),
            );
        }
    }

    /// Something happened.
    pub(super) fn occurred(&mut self, occurrence: &Occurrence, now: Instant) {
        match occurrence {
            Occurrence::Event(place, event) => self.event(*place, event),
            Occurrence::DatagramSent(place, contents) => self.datagram_sent(*place, contents),
            Occurrence::DatagramDelivered(place, contents, state) => {
                if let Some(side) = self.side(*place) {
                    if !matches!(state, State::AwaitingHello | State::AwaitingToken) {
                        side.heard = now;
                    }
                    side.delivered(place.role, contents, *state);
                }
            }
            Occurrence::Closed(place, reason) => self.ended(*place, reason, now),
            Occurrence::Drained(place) => {
                let Some(side) = self.side(*place) else { return };
                side.drained = true;
                side.forget_datagrams();
                let (had_reason, id) = (side.reason.is_some(), side.connected);
                if !had_reason {
                    self.violate(*place, "drained without a reason to close");
                }
                if let (Role::Server, Some(id)) = (place.role, id) {
                    self.ids.remove(&id);
                }
            }
            Occurrence::Evicted(pair) => {
                if let Some(side) = self.side(Place::server(*pair)) {
                    side.may.evicted = true;
                    side.forget_datagrams();
                }
            }
            Occurrence::Paired(pair, _) => {
                if let Some(side) = self.side(Place::server(*pair)) {
                    side.paired = true;
                }
            }
            Occurrence::Refused(pair, _) => {
                if let Some(side) = self.side(Place::client(*pair)) {
                    side.may.reset = true;
                    side.must_connect = false;
                }
            }
        }
    }

    fn event(&mut self, place: Place, event: &Event) {
        let Some(side) = self.side(place) else { return };
        if side.closed {
            return self.violate(place, format!("{event:?} after the close"));
        }
        match event {
            Event::Connected(id) => self.connected(place, *id),
            Event::Closed(reason) => {
                side.closed = true;
                let same = side.reason.as_ref() == Some(reason);
                let left = if side.struck || side.faulted_early { 0 } else { side.incoming.len() };
                let was_connected = side.connected.is_some();
                let lost_early = side.paired && !was_connected && reason.kind == CloseKind::EndOfStream;
                if lost_early {
                    self.violate(place, "ended with the stream, and the application was not asked");
                } else if !same {
                    self.violate(place, format!("closed for {reason:?}, which was not the reason"));
                } else if was_connected && left > 0 {
                    self.violate(place, format!("closed, and {left} unreliable messages were not delivered"));
                } else if was_connected && reason.kind == CloseKind::EndOfStream {
                    self.all_arrived(place.other());
                }
            }
            _ if side.connected.is_none() => self.violate(place, format!("{event:?} before connected")),
            Event::Message(received) if received.send_mode() == SendMode::Reliable => {
                self.reliable(place, received);
            }
            Event::Message(received) => self.loose(place, &Loose::Message(received.message().clone())),
            // It comes on the stream, with the close itself.
            Event::Strike(strike)
                if strike.reason == StrikeReason::ConnectionRequest && side.may.too_long => {}
            Event::Strike(_) => self.loose(place, &Loose::Strike),
            _ => self.violate(place, format!("{event:?}")),
        }
    }

    fn connected(&mut self, place: Place, id: ClientId) {
        let Some(sides) = self.pairs.get_mut(&place.pair) else { return };
        let other = sides[index(place.other())].connected;
        let side = &mut sides[index(place)];
        if side.connected.replace(id).is_some() {
            self.violate(place, "connected twice");
        } else if other.is_some_and(|other| other != id) {
            self.violate(place, format!("has the id {id}, the other side {other:?}"));
        } else if place.role == Role::Server && !self.pairs[&place.pair][1].drained && !self.ids.insert(id) {
            self.violate(place, format!("the id {id} is another client's"));
        }
    }

    /// A reliable message must be the next one that the other side sent.
    fn reliable(&mut self, place: Place, received: &Received) {
        let Some(sides) = self.pairs.get_mut(&place.pair) else { return };
        let answers = sides[index(place.other())].limits.answer_pings;
        let message = received.message();
        if let (MessageKind::Acknowledgement(code), true) = (message.kind(), answers) {
            let side = &mut sides[index(place)];
            // The connection of the other side answers by itself, in order, unless it has no room.
            while let Some(ping) = side.pings.pop_front() {
                if ping.kind() == MessageKind::Ping(code) && ping.tag() == message.tag() {
                    if !message.payload().is_empty() {
                        self.violate(place, "an answer with a payload");
                    }
                    return;
                }
                side.unanswered += 1;
            }
            return self.violate(place, format!("an answer to no ping: {code}"));
        }
        let expected = sides[index(place.other())].reliable.pop_front();
        if expected.as_ref() != Some(message) {
            let expected = expected.map(|message| (message.tag(), message.kind(), message.payload().len()));
            let got = (message.tag(), message.kind(), message.payload().len());
            self.violate(place, format!("received {got:?}, and {expected:?} was sent"));
        }
    }

    /// What came on UDP must be what the network brought, in its order.
    fn loose(&mut self, place: Place, got: &Loose) {
        let Some(side) = self.side(place) else { return };
        if side.incoming.front() == Some(got) {
            side.incoming.pop_front();
            return;
        }
        // A strike for an answer on the stream, whose code was forgotten. Where the strikes of datagrams stand among
        // the others is then not known, so that what must be delivered is no more than what was.
        let explained = side.struck
            && (*got == Loose::Strike || {
                let found = side.incoming.iter().position(|loose| loose == got);
                found.is_some_and(|at| side.incoming.drain(..=at).count() > 0)
            });
        if !explained {
            let next = side.incoming.front().cloned();
            self.violate(place, format!("{got:?} from UDP, where {next:?} was next"));
        }
    }

    fn datagram_sent(&mut self, place: Place, contents: &Bytes) {
        let Some(side) = self.side(place) else { return };
        let expected = match side.take_datagram() {
            None if place.role == Role::Client && contents.len() == 9 => {
                Some(side.token.get_or_insert_with(|| contents.clone()).clone())
            }
            expected => expected,
        };
        if expected.as_ref() != Some(contents) {
            let lengths = (contents.len(), expected.map(|expected| expected.len()));
            self.violate(place, format!("put another datagram out than it was to (lengths {lengths:?})"));
        }
    }

    /// A connection has a reason to close, which must have a cause.
    fn ended(&mut self, place: Place, reason: &CloseReason, now: Instant) {
        let Some(sides) = self.pairs.get_mut(&place.pair) else { return };
        let other = &sides[index(place.other())];
        let (other_ended, other_drained) = (other.reason.is_some(), other.drained);
        let side = &mut sides[index(place)];
        let again = side.reason.replace(reason.clone()).is_some();
        let may = side.may;
        let lasted = now - side.began;
        side.ended_at = now;
        side.faulted_early =
            side.connected.is_none() && matches!(reason.kind, CloseKind::FrameTooLong { .. });
        let explained = match (&reason.initiator, &reason.kind) {
            (Initiator::User, CloseKind::Requested) => may.close,
            (Initiator::Peer, CloseKind::EndOfStream) => other_ended,
            (Initiator::Transport, CloseKind::Transport(TransportError::Reset)) => may.reset || other_drained,
            (Initiator::Local, CloseKind::ConnectTimeout { limit, .. }) => {
                side.connected.is_none() && lasted >= *limit
            }
            (Initiator::Local, CloseKind::IdleTimeout(limit)) => {
                side.limits.idle_timeout == Some(*limit) && lasted >= *limit && now - side.heard >= *limit
            }
            (Initiator::Local, CloseKind::Strikes { total, .. }) => {
                place.role == Role::Server && *total >= 3 && side.struck
            }
            (Initiator::Local, CloseKind::Evicted) => may.evicted,
            (Initiator::Local, CloseKind::Rejected) => may.rejected,
            (Initiator::Local, CloseKind::NoFreeId) => may.no_free_id,
            (Initiator::Local, CloseKind::FrameTooLong { .. }) => may.too_long,
            _ => false,
        };
        if again {
            self.violate(place, "closed twice");
        } else if !explained {
            self.violate(place, format!("closed for no cause after {lasted:?}: {reason:?}"));
        }
    }

    fn all_arrived(&mut self, from: Place) {
        let left = self.side(from).map_or(0, |side| side.reliable.len());
        if left > 0 {
            self.violate(from, format!("{left} reliable messages did not arrive"));
        }
    }

    /// Queues are within their bounds, whatever is going on.
    pub(super) fn check_bounds(&mut self, world: &World) {
        for pair in 0..world.pairs() {
            for place in [Place::client(pair), Place::server(pair)] {
                let Some(connection) = world.connection(place) else { continue };
                let queued = connection.stream_queued();
                let bound = match self.side(place) {
                    Some(side) => side.limits.reliable_queue.max(side.largest_frame),
                    None => world.listener().config().limits.reliable_queue.max(1 << 20),
                };
                if queued > bound + COMMANDS {
                    self.violate(place, format!("{queued} bytes queued, and {bound} are the bound"));
                }
            }
        }
    }

    /// The network is whole again and everything had its time: what was to arrive has.
    pub(super) fn check_settled(&mut self, world: &World) {
        let pairs: Vec<usize> = self.pairs.keys().copied().collect();
        for place in pairs.iter().flat_map(|&pair| [Place::client(pair), Place::server(pair)]) {
            let Some(connection) = world.connection(place) else { continue };
            let answers_dropped = world
                .connection(place.other())
                .map_or(u64::MAX, |other| other.statistics().acknowledgements_dropped);
            let Some(side) = self.side(place) else { continue };
            if side.reason.is_none() {
                let unanswered = side.unanswered + side.pings.len() as u64;
                let problem = match () {
                    () if side.connected.is_none() => Some("never connected, and never closed"),
                    () if connection.id() != side.connected => Some("another id than it was told"),
                    () if !side.incoming.is_empty() && !side.struck => {
                        Some("an unreliable message was lost inside")
                    }
                    () if !side.outgoing.is_empty() => Some("a datagram never left"),
                    () => None,
                };
                let answers = self.side(place.other()).is_some_and(|other| other.limits.answer_pings);
                if let Some(problem) = problem {
                    self.violate(place, problem);
                }
                let ended_at = self.side(place.other()).map(|other| other.ended_at);
                match world.connection(place.other()).map(Connection::is_closed) {
                    // The news of a close that was just now may still be under way.
                    Some(true) if ended_at.is_some_and(|at| world.now() - at > NEWS) => {
                        self.violate(place, "open, and the other side closed");
                    }
                    Some(true) => {}
                    Some(false) => {
                        self.all_arrived(place);
                        if answers && unanswered > answers_dropped {
                            self.violate(place, format!("{unanswered} pings were not answered"));
                        }
                    }
                    None => {}
                }
            } else if side.must_connect && side.connected.is_none() {
                let reason = side.reason.clone();
                self.violate(place, format!("did not connect over a good network: {reason:?}"));
            }
        }
    }

    /// Everybody was told to close and had the time.
    pub(super) fn check_ended(&mut self, world: &World) {
        for pair in 0..world.pairs() {
            for place in [Place::client(pair), Place::server(pair)] {
                let closed = self.side(place).is_none_or(|side| side.closed);
                if !world.is_over(place) || (!closed && world.connection(place).is_some()) {
                    self.violate(place, "did not end");
                }
            }
        }
        let listener = world.listener();
        let left = (world.ids().in_use(), listener.pending(), listener.paired());
        if left != (0, 0, 0) {
            self.violate(Place::server(0), format!("(ids, pending, paired) left: {left:?}"));
        }
    }
}

impl Side {
    pub(super) fn new(limits: &Limits, began: Instant) -> Self {
        Self { limits: limits.clone(), began, must_connect: true, ..Self::default() }
    }

    /// The oldest go where there are too many bytes, but never the newest.
    fn queue_datagram(&mut self, datagram: Bytes) {
        self.outgoing_bytes += datagram.len();
        self.outgoing.push_back(datagram);
        while self.outgoing.len() > 1 && self.outgoing_bytes > self.limits.unreliable_queue {
            self.take_datagram();
        }
    }

    fn take_datagram(&mut self) -> Option<Bytes> {
        let datagram = self.outgoing.pop_front()?;
        self.outgoing_bytes -= datagram.len();
        Some(datagram)
    }

    fn forget_datagrams(&mut self) {
        self.outgoing.clear();
        self.outgoing_bytes = 0;
    }

    fn delivered(&mut self, role: Role, contents: &Bytes, state: State) {
        if matches!(state, State::AwaitingHello | State::AwaitingToken | State::Closing | State::Drained)
            || (role == Role::Client && self.is_acknowledgement(contents))
        {
            return;
        }
        let Some(message) = decoded(contents) else { return };
        match message.kind() {
            MessageKind::Ping(code)
                if self.limits.answer_pings && state != State::AwaitingAcknowledgement =>
            {
                let answer = Message::empty(message.tag()).with_kind(MessageKind::Acknowledgement(code));
                self.queue_datagram(encoded(&answer));
            }
            MessageKind::Acknowledgement(code) if role == Role::Server && !self.codes.contains(&code) => {
                self.push(Loose::Strike);
            }
            _ => {}
        }
        self.push(Loose::Message(message));
    }

    fn push(&mut self, loose: Loose) {
        self.incoming.push_back(loose);
        // With strikes about it is not sure how many are in the queue: then none is given up for lost.
        while !self.struck && self.incoming.len() > 1 && self.has_too_many() {
            self.incoming.pop_front();
        }
    }

    fn has_too_many(&self) -> bool {
        let bytes: usize = self.incoming.iter().map(Loose::bytes).sum();
        self.incoming.len() > self.limits.undelivered || bytes > self.limits.undelivered_unreliable_bytes
    }

    fn is_acknowledgement(&self, contents: &[u8]) -> bool {
        let token = self.token.as_ref().map(|hello| &hello[1..]);
        contents.len() < 3
            || (contents.len() == 12 && token == Some(&contents[..8]) && contents[8..] == [0, 0, 0, 0])
    }
}

fn index(place: Place) -> usize {
    usize::from(place.role == Role::Server)
}

/// A message as it is on UDP.
fn encoded(message: &Message) -> Bytes {
    let mut bytes = BytesMut::new();
    let (flags, code) = match message.kind() {
        MessageKind::Ordinary => (0x00, None),
        MessageKind::Ping(code) => (0x40, Some(code)),
        MessageKind::Acknowledgement(code) => (0x60, Some(code)),
    };
    bytes.put_u8(flags);
    bytes.put_u16(message.tag());
    if let Some(code) = code {
        bytes.put_u16(code);
    }
    bytes.put_slice(message.payload());
    bytes.freeze()
}

fn decoded(contents: &Bytes) -> Option<Message> {
    let number = |at: usize| Some(u16::from_be_bytes([*contents.get(at)?, *contents.get(at + 1)?]));
    let (tag, flags) = (number(1)?, contents[0]);
    let (kind, header) = match flags & 0xe0 {
        0x00 | 0x20 => (MessageKind::Ordinary, 3),
        0x40 => (MessageKind::Ping(number(3)?), 5),
        0x60 => (MessageKind::Acknowledgement(number(3)?), 5),
        _ => return None,
    };
    Some(Message::new(tag, contents.slice(header..)).with_kind(kind))
}
