//! One that receives a connection's messages.

use std::sync::Arc;
use std::task::{Context, Poll};

use darkrift_proto::Received;

use crate::handle::Handle;
use crate::peer::Peer;
use crate::wakers::Place;

/// One that receives, which gives up its place in the line when it is dropped.
#[derive(Debug)]
pub(crate) struct Receiver<P: HasPeer> {
    peer: P,
    place: Place,
}

/// What keeps a connection's peer for a receiver.
pub(crate) trait HasPeer {
    fn peer(&self) -> &Peer;
}

impl HasPeer for &Peer {
    fn peer(&self) -> &Peer {
        self
    }
}

impl HasPeer for Arc<Handle> {
    fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl<P: HasPeer> Receiver<P> {
    pub(crate) fn new(peer: P) -> Self {
        Self { peer, place: Place::default() }
    }

    #[inline]
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Received>> {
        self.peer.peer().poll_receive(cx, &mut self.place)
    }

    /// Polls for one that may keep its place without ever coming back to it.
    pub(crate) fn poll_kept(&mut self, cx: &Context<'_>) -> Poll<Option<Received>> {
        self.place.kept = true;
        let poll = self.poll(cx);
        self.place.kept = false;
        poll
    }

    /// Gives up the place.
    #[inline]
    pub(crate) fn leave(&mut self) {
        if self.place.is_taken() {
            self.peer.peer().forget(&mut self.place);
        }
    }
}

impl<P: HasPeer> Drop for Receiver<P> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}
