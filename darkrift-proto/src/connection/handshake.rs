//! How a connection comes up: hello, token, acknowledgement, Configure (`docs/protocol.md`, Handshake).

use core::time::Duration;

use bytes::{Buf, BytesMut};

use super::state::{Occurrence, State};
use super::timers::Timer;
use super::{CloseKind, ConnectPhase, Connection, Initiator, Side};
use crate::ids::ClientId;
use crate::time::Instant;
use crate::wire::{Acknowledgement, Command, HELLO_BYTES, Hello};

impl Connection {
    /// Server: the listener found this connection's token in a datagram, and the acknowledgement has been sent. What
    /// the client wrote on the stream meanwhile is taken from now on; call `handle_stream` with it. No effect except
    /// in [`State::AwaitingToken`].
    pub fn handle_paired(&mut self, now: Instant) {
        if self.state.advance(Occurrence::Paired) {
            self.last_heard = now;
            self.timers.cancel(Timer::Handshake);
        }
    }

    /// Server: the application accepted the client, which is told its id (Configure);
    /// [`Event::Connected`](super::Event::Connected) follows, and then what came meanwhile, and the close where the
    /// client has ended its stream already, or what it sent is to end the connection. No effect except in
    /// [`State::Paired`].
    pub fn configure(&mut self, now: Instant, id: ClientId) {
        if self.state == State::Paired {
            self.stream.push_command(Command::Configure(id));
            self.configured(now, id);
            if let Some(kind) = self.fault.take() {
                self.end(now, Initiator::Local, *kind);
            } else if self.stream_ended && self.input_left == 0 {
                // Where input is left, `handle_stream` comes to its end.
                self.end(now, Initiator::Peer, CloseKind::EndOfStream);
            }
        }
    }

    /// Client: takes the hello off the front of the stream; false while it is not whole.
    pub(super) fn take_hello(&mut self, now: Instant, input: &mut BytesMut) -> bool {
        let Some(hello) = input.get(..HELLO_BYTES).and_then(Hello::read) else {
            self.input_missing = HELLO_BYTES - input.len();
            return false;
        };
        let Side::Client(config) = &self.side else { return false };
        let (timeout, interval) = (config.handshake_timeout, config.token_interval);
        input.advance(HELLO_BYTES);
        self.counted.stream_bytes_received += HELLO_BYTES as u64;
        self.hello = Some(hello);
        self.state.advance(Occurrence::Hello);
        self.timers.set(Timer::Handshake, now + timeout);
        self.send_token(now, interval);
        true
    }

    /// Client: the token is due, now and after each interval that is not zero.
    fn send_token(&mut self, now: Instant, interval: Duration) {
        self.token_due = true;
        if !interval.is_zero() {
            self.timers.set(Timer::Token, now + interval);
        }
    }

    /// Client: the token as a datagram, if it is due. It is the hello, sent back unchanged.
    pub(super) fn take_token(&mut self) -> Option<[u8; HELLO_BYTES]> {
        if !core::mem::take(&mut self.token_due) {
            return None;
        }
        self.hello.map(Hello::to_bytes)
    }

    /// Client: takes a datagram as the acknowledgement, if its shape is one's; true if it was.
    pub(super) fn take_acknowledgement(&mut self, datagram: &[u8]) -> bool {
        let Some(hello) = self.hello else { return false };
        let Some(acknowledgement) = Acknowledgement::read(datagram, hello.token()) else { return false };
        if self.state.advance(Occurrence::Acknowledged) {
            self.dialect = Some(acknowledgement.dialect());
            self.token_arrived();
        } else if self.dialect.is_none() {
            // Configure overtook it.
            self.dialect = Some(acknowledgement.dialect());
        } else {
            self.counted.datagrams_ignored += 1;
        }
        true
    }

    /// Client: a command came. The second Configure, whatever is in it, and every other command is ignored.
    pub(super) fn take_command(&mut self, now: Instant, code: u16, payload: &[u8]) {
        match Command::read(code, payload) {
            Some(Command::Configure(id)) => self.configured(now, id),
            // A Configure without an id would leave a client waiting for what does not come.
            None if self.id.is_none() => self.end(now, Initiator::Local, CloseKind::MalformedFrame),
            _ => {}
        }
    }

    fn configured(&mut self, now: Instant, id: ClientId) {
        if self.state.advance(Occurrence::Configured) {
            self.id = Some(id);
            self.token_arrived();
            self.timers.cancel(Timer::Connect);
            self.last_heard = now;
            if let Some(timeout) = self.limits().idle_timeout {
                self.timers.set(Timer::Idle, now + timeout);
            }
            self.events.announce(id);
        }
    }

    /// Nobody waits for the token any more.
    fn token_arrived(&mut self) {
        self.token_due = false;
        self.timers.cancel(Timer::Token);
        self.timers.cancel(Timer::Handshake);
    }

    /// The moment of the next [`poll_timeout`](Self::poll_timeout) came. Calling it earlier has no effect.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.expire(Timer::Linger, now) {
            self.drained();
        }
        if self.timers.expire(Timer::Handshake, now) {
            self.handshake_timed_out(now);
        }
        if self.timers.expire(Timer::Connect, now) {
            self.connect_timed_out(now);
        }
        if self.timers.expire(Timer::Token, now) {
            if let Side::Client(config) = &self.side {
                let interval = config.token_interval;
                self.send_token(now, interval);
            }
        }
        if self.timers.expire(Timer::Idle, now) {
            self.idle_timer_fired(now);
        }
    }

    fn handshake_timed_out(&mut self, now: Instant) {
        let (phase, limit) = match &self.side {
            Side::Client(config) => (ConnectPhase::Acknowledgement, config.handshake_timeout),
            Side::Server(config) => (ConnectPhase::Token, config.handshake_timeout),
        };
        self.end(now, Initiator::Local, CloseKind::ConnectTimeout { phase, limit });
    }

    fn connect_timed_out(&mut self, now: Instant) {
        let (Side::Client(config), Some(phase)) = (&self.side, self.connect_phase()) else { return };
        let limit = config.connect_timeout;
        self.end(now, Initiator::Local, CloseKind::ConnectTimeout { phase, limit });
    }

    fn idle_timer_fired(&mut self, now: Instant) {
        let Some(timeout) = self.limits().idle_timeout else { return };
        // Not where the timeout is zero, which would be due for ever.
        if self.held_back && !timeout.is_zero() {
            // The peer may have sent all the while. Its time counts from here on.
            self.held_back = self.events.room() == 0;
            self.last_heard = now;
        }
        if now - self.last_heard >= timeout {
            self.end(now, Initiator::Local, CloseKind::IdleTimeout(timeout));
        } else {
            self.timers.set(Timer::Idle, self.last_heard + timeout);
        }
    }
}
