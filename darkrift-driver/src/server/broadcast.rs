//! One message to many: encoded once, and told who could not take it.

use darkrift_proto::{
    ClientId, CloseKind, CloseReason, EncodedMessage, Initiator, SendError, SendMode, ToMessage,
};

use super::{Inner, Server};

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
    /// The clients whose reliable queue had no room for it.
    pub behind: Vec<ClientId>,
}

impl<R> Server<R> {
    /// Sends a message to every client. It is encoded once, however many there are, and never waits.
    ///
    /// A client whose reliable queue is full misses a reliable message, and the rest of what it gets has a gap: that is what
    /// [`Broadcast::behind`] lists. Send it what it missed with [`Client::send`](crate::Client::send), which waits, or let
    /// [`ServerBuilder::behind`](crate::ServerBuilder::behind) disconnect such clients.
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
        self.inner().broadcast(mode, message, except)
    }
}

impl Inner {
    fn encode<M: ToMessage + ?Sized>(&self, message: &M) -> Result<EncodedMessage, SendError> {
        let encoding = self.options.config.limits.encoding;
        Ok(EncodedMessage::with_writer(&mut self.encoder.lock(), message, encoding)?)
    }

    fn broadcast(
        &self,
        mode: SendMode,
        message: &EncodedMessage,
        except: Option<ClientId>,
    ) -> Result<Broadcast, SendError> {
        let mut report = Broadcast::default();
        let begun = self.runtime.now();
        let clients = self.clients.read();
        for (&id, entry) in clients.iter().filter(|(id, _)| Some(**id) != except) {
            match entry.peer.send_to_many(mode, message, begun) {
                Ok(()) => report.sent += 1,
                Err(SendError::Full { queued }) => {
                    report.behind.push(id);
                    if self.options.behind == Behind::Disconnect {
                        entry.peer.close(CloseReason::new(Initiator::Local, CloseKind::Behind { queued }));
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
