//! What was observed, as hashes: of everything, and of what each honest client's pair saw.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use darkrift_proto::{Event, Instant, SendError, SendMode};

use crate::{Occurrence, Place};

/// Everything that happened in one history, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    all: Digest,
    count: u64,
    /// By the number of the client, which hostile peers do not change, where that of its pair may.
    honest: BTreeMap<usize, Digest>,
    names: BTreeMap<usize, usize>,
}

impl PartialEq for Observed {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash() && self.count == other.count
    }
}

impl Observed {
    /// The pair of the honest client with this number.
    pub(super) fn name(&mut self, pair: usize, number: usize) {
        self.names.insert(pair, number);
    }

    pub(super) fn hash(&self) -> u64 {
        self.all.0.finish()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What each honest client's applications saw, and when: all but the ids, on which others have an influence, and
    /// the order of one transport's messages among the other's, which nobody promises.
    pub(super) fn honest(&self) -> Vec<u64> {
        self.honest.values().map(|digest| digest.0.finish()).collect()
    }

    pub(super) fn add(&mut self, now: Instant, occurrence: &Occurrence) {
        self.count += 1;
        self.all.add(now, occurrence);
        if let Occurrence::Event(place, event) = occurrence {
            let unreliable =
                matches!(event, Event::Message(received) if received.send_mode() == SendMode::Unreliable);
            if let Some(digest) = self.digest(*place, unreliable) {
                match event {
                    Event::Connected(_) => (now, "connected").hash(&mut digest.0),
                    event => digest.event(now, event),
                }
            }
        }
    }

    /// What the application was told when it sent something.
    pub(super) fn sent(&mut self, place: Place, result: &Result<(), SendError>) {
        self.all.debug(result);
        if let Some(digest) = self.digest(place, false) {
            digest.debug(result);
        }
    }

    fn digest(&mut self, place: Place, unreliable: bool) -> Option<&mut Digest> {
        let &number = self.names.get(&place.pair)?;
        let part = 2 * usize::from(place == Place::server(place.pair)) + usize::from(unreliable);
        Some(self.honest.entry(4 * number + part).or_default())
    }
}

#[derive(Clone, Debug, Default)]
struct Digest(DefaultHasher);

impl Digest {
    fn add(&mut self, now: Instant, occurrence: &Occurrence) {
        match occurrence {
            Occurrence::Event(place, event) => {
                place.hash(&mut self.0);
                self.event(now, event);
            }
            Occurrence::DatagramSent(place, contents) => (now, 1, place, contents).hash(&mut self.0),
            Occurrence::DatagramDelivered(place, contents, state) => {
                (now, 2, place, contents, state).hash(&mut self.0);
            }
            other => {
                now.hash(&mut self.0);
                self.debug(other);
            }
        }
    }

    fn event(&mut self, now: Instant, event: &Event) {
        now.hash(&mut self.0);
        match event {
            Event::Message(received) => {
                received.send_mode().hash(&mut self.0);
                received.message().hash(&mut self.0);
            }
            other => self.debug(other),
        }
    }

    fn debug(&mut self, value: &impl std::fmt::Debug) {
        write!(Text(&mut self.0), "{value:?}").expect("a hash takes everything");
    }
}

struct Text<'a>(&'a mut DefaultHasher);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
