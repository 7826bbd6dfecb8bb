//! One message to many: encoded once, and told who could not take it.

use std::borrow::Borrow;
use std::sync::Arc;

use darkrift_proto::{
    ClientId, CloseKind, CloseReason, EncodedMessage, Initiator, SendError, SendMode, ToMessage,
};

use super::{Inner, Server};
use crate::peer::{Deferred, Peer};

/// To how many a message leaves within the call; other threads help with the rest where there are any.
const AT_ONCE: usize = 128;

/// What to do with a client whose reliable queue is full when something is broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behind {
    /// Only report it: the client misses this message.
    #[default]
    Report,
    /// Report it and disconnect it: a reliable channel with a gap is of no use to the game.
    Disconnect,
}

/// Who got a broadcast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broadcast {
    /// To how many clients it was sent.
    pub sent: usize,
    /// The clients whose reliable queue had no room for it, and whose socket took nothing that would have made some.
    pub behind: Vec<ClientId>,
}

impl<R> Server<R> {
    /// Sends a message to every client. It is encoded once, however many there are, and never waits.
    ///
    /// Every client is whoever is connected, also one that [`accept`](Self::accept) has not given yet. What is only for
    /// players of whom the game knows more goes to their ids: [`broadcast_to`](Self::broadcast_to).
    ///
    /// A client whose reliable queue is full while its socket takes no more misses a reliable message, and the rest of what it
    /// gets has a gap: that is what [`Broadcast::behind`] lists. Send it what it missed with
    /// [`Client::send`](crate::Client::send), which waits, or let [`ServerBuilder::behind`](crate::ServerBuilder::behind)
    /// disconnect such clients.
    ///
    /// # Errors
    /// When the message cannot be encoded, or is longer than its channel carries; then nobody got it.
    pub fn broadcast<M: ToMessage + ?Sized>(
        &self,
        mode: SendMode,
        message: &M,
    ) -> Result<Broadcast, SendError> {
        let message = self.inner().encode(message)?;
        self.broadcast_encoded(mode, &message, None)
    }

    /// Sends a message to every client but one, most often the one it came from.
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    pub fn broadcast_except<M: ToMessage + ?Sized>(
        &self,
        except: ClientId,
        mode: SendMode,
        message: &M,
    ) -> Result<Broadcast, SendError> {
        let message = self.inner().encode(message)?;
        self.broadcast_encoded(mode, &message, Some(except))
    }

    /// Sends a message to a group of clients, such as those in a room, by their ids. It is encoded once, however many there
    /// are, and never waits. Whoever is not connected any more is passed over; an id named twice gets it twice.
    /// An id is what [`Client::id`](crate::Client::id) gives; of one that was kept as a number, [`ClientId::new`] makes one
    /// again.
    ///
    /// ```
    /// use darkrift_driver::proto::{ClientId, Message, SendError, SendMode};
    /// use darkrift_driver::{Broadcast, Server};
    ///
    /// fn say<R>(server: &Server<R>, room: &[ClientId], said: &Message) -> Result<Broadcast, SendError> {
    ///     server.broadcast_to(room, SendMode::Reliable, said)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    pub fn broadcast_to<M: ToMessage + ?Sized>(
        &self,
        group: impl IntoIterator<Item: Borrow<ClientId>>,
        mode: SendMode,
        message: &M,
    ) -> Result<Broadcast, SendError> {
        let message = self.inner().encode(message)?;
        self.broadcast_encoded_to(group, mode, &message)
    }

    /// Encodes a message as this server would, its text in the [encoding](crate::ServerBuilder::encoding) that is set,
    /// to send it with [`broadcast_encoded`](Self::broadcast_encoded),
    /// [`broadcast_encoded_to`](Self::broadcast_encoded_to) or [`Client::send_encoded`](crate::Client::send_encoded) more
    /// than once.
    ///
    /// # Errors
    /// When the message cannot be encoded.
    pub fn encode<M: ToMessage + ?Sized>(&self, message: &M) -> Result<EncodedMessage, SendError> {
        self.inner().encode(message)
    }

    /// Sends a message that was encoded before to every client, or all but one.
    ///
    /// # Errors
    /// When the message is longer than its channel carries.
    pub fn broadcast_encoded(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
        except: Option<ClientId>,
    ) -> Result<Broadcast, SendError> {
        let inner = self.inner();
        // The table is free while the messages leave.
        let mut receivers = std::mem::take(&mut *inner.receivers.lock());
        {
            let clients = inner.clients.read();
            let others = clients.iter().filter(|(id, _)| Some(**id) != except);
            receivers.extend(others.map(|(id, entry)| (*id, entry.peer.clone())));
        }
        let report = inner.broadcast(mode, message, receivers.drain(..));
        *inner.receivers.lock() = receivers;
        report
    }

    /// Sends a message that was encoded before to a group of clients by their ids, as [`broadcast_to`](Self::broadcast_to):
    /// one that goes to several rooms is encoded once for all of them.
    ///
    /// # Errors
    /// When the message is longer than its channel carries.
    pub fn broadcast_encoded_to(
        &self,
        group: impl IntoIterator<Item: Borrow<ClientId>>,
        mode: SendMode,
        message: &EncodedMessage,
    ) -> Result<Broadcast, SendError> {
        let inner = self.inner();
        // The table is free while the caller's iterator runs, which may use the server.
        let connected = group.into_iter().filter_map(|id| {
            let id = *id.borrow();
            Some((id, inner.clients.read().get(&id)?.peer.clone()))
        });
        inner.broadcast(mode, message, connected)
    }
}

impl Inner {
    fn encode<M: ToMessage + ?Sized>(&self, message: &M) -> Result<EncodedMessage, SendError> {
        let encoding = self.options.config.limits.encoding;
        // It is free while the message is encoded, which may use the server.
        let mut writer = std::mem::take(&mut *self.encoder.lock());
        let encoded = EncodedMessage::with_writer(&mut writer, message, encoding);
        *self.encoder.lock() = writer;
        Ok(encoded?)
    }

    fn broadcast(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
        receivers: impl IntoIterator<Item = (ClientId, Arc<Peer>)>,
    ) -> Result<Broadcast, SendError> {
        let mut report = Broadcast::default();
        let begun = self.runtime.now();
        let mut deferred = Deferred::default();
        let at_once = if self.runtime.is_parallel() { AT_ONCE } else { usize::MAX };
        for (number, (id, peer)) in receivers.into_iter().enumerate() {
            let result = if number < at_once {
                peer.send_to_many(mode, message, begun)
            } else {
                deferred.send(&peer, mode, message)
            };
            match result {
                Ok(()) => report.sent += 1,
                Err(SendError::Full { queued }) => {
                    report.behind.push(id);
                    if self.options.behind == Behind::Disconnect {
                        peer.close(CloseReason::new(Initiator::Local, CloseKind::Behind { queued }));
                    }
                }
                // It left, or is leaving.
                Err(SendError::Closed | SendError::NotConnected) => {}
                Err(error) => return Err(error),
            }
        }
        self.counters.behind(report.behind.len());
        Ok(report)
    }
}
