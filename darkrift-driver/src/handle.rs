//! What keeps a connection open.

use std::sync::Arc;

use darkrift_proto::{ClientId, CloseKind, CloseReason, Initiator};

use crate::peer::Peer;

/// What all clones of a client share; closes the connection when the last of them goes.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) peer: Arc<Peer>,
    /// Known before the machine knows it: a server's clients are found by it before Configure leaves.
    pub(crate) id: ClientId,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.peer.close(if std::thread::panicking() {
            CloseReason::new(Initiator::Local, CloseKind::HandlerPanicked)
        } else {
            CloseReason::new(Initiator::User, CloseKind::Requested)
        });
    }
}
