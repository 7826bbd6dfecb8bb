//! The application: what a game puts in this place.

use darkrift::proto::{Event, Instant, Message, Role, SendMode};

use crate::peer::Peer;

/// While this much waits to be written, no more messages are taken: the peer does not read, so neither do we.
const BACK_PRESSURE: usize = 256 << 10;

/// How many messages each client has returned.
const ROUNDS: u32 = 10;

/// What the demonstration counts.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) joined: usize,
    pub(crate) most: usize,
    pub(crate) done: usize,
    pub(crate) left: usize,
    pub(crate) returned: u64,
    pub(crate) returned_unreliably: u64,
    pub(crate) failed: usize,
}

impl Peer {
    /// Takes what the machine has for the application; whether there was anything.
    pub(crate) fn take_events(&mut self, now: Instant, tally: &mut Tally) -> bool {
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
