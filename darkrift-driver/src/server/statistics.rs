//! What a server counts.

use std::sync::atomic::{AtomicU64, Ordering};

use darkrift_proto::{CloseKind, CloseReason, Initiator, Refused, Statistics};

/// What a server has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// Clients connected now.
    pub connected: usize,
    /// TCP connections that have a place while they wait for their token, or are about to be closed: for want of it, or
    /// since they were not let in.
    pub pending: usize,
    /// Clients that have connected.
    pub accepted: u64,
    /// TCP connections refused since too many waited for their token.
    pub refused_pending: u64,
    /// TCP connections refused since too many of one address waited for their token.
    pub refused_address: u64,
    /// TCP connections refused since the server was full, at once or when their token came.
    pub refused_full: u64,
    /// Attempts to accept that the system refused, most often for want of file descriptors; the connections wait meanwhile.
    pub failed_accepts: u64,
    /// Clients that the hook of [`on_connect`](crate::ServerBuilder::on_connect) did not let in.
    pub rejected: u64,
    /// TCP connections whose token did not come in time: UDP is blocked on the way, or it was no client.
    pub timed_out: u64,
    /// TCP connections that ended by themselves before they were clients.
    pub abandoned: u64,
    /// Clients that this side's application ended.
    pub closed_by_user: u64,
    /// Clients that this side's protocol or limits ended, and those whose last handle was dropped by a panic of their handler.
    pub closed_by_protocol: u64,
    /// Clients that left.
    pub closed_by_peer: u64,
    /// Clients that the network lost.
    pub closed_by_transport: u64,
    /// Clients that missed a broadcast: their reliable queue was full, and their socket took no more.
    pub behind: u64,
    /// Datagrams of nobody's, or of no sense.
    pub datagrams_ignored: u64,
    /// What all connections together have counted, those that have ended among them.
    pub traffic: Statistics,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    refused_pending: AtomicU64,
    refused_address: AtomicU64,
    refused_full: AtomicU64,
    failed_accepts: AtomicU64,
    rejected: AtomicU64,
    timed_out: AtomicU64,
    abandoned: AtomicU64,
    closed_by_user: AtomicU64,
    closed_by_protocol: AtomicU64,
    closed_by_peer: AtomicU64,
    closed_by_transport: AtomicU64,
    behind: AtomicU64,
}

impl Counters {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed_accept(&self) {
        self.failed_accepts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn behind(&self, clients: usize) {
        self.behind.fetch_add(clients as u64, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, refused: Refused) {
        let counter = match refused {
            Refused::TooManyPending(_) => &self.refused_pending,
            Refused::TooManyFromAddress(_) => &self.refused_address,
            _ => &self.refused_full,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self, was_client: bool, reason: Option<&CloseReason>) {
        let counter = if was_client { self.of_client(reason) } else { self.of_no_client(reason) };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn of_client(&self, reason: Option<&CloseReason>) -> &AtomicU64 {
        match reason.map(|reason| reason.initiator) {
            Some(Initiator::User) => &self.closed_by_user,
            Some(Initiator::Peer) => &self.closed_by_peer,
            Some(Initiator::Transport) => &self.closed_by_transport,
            _ => &self.closed_by_protocol,
        }
    }

    fn of_no_client(&self, reason: Option<&CloseReason>) -> &AtomicU64 {
        match reason.map(|reason| &reason.kind) {
            Some(CloseKind::Rejected) => &self.rejected,
            Some(CloseKind::NoFreeId) => &self.refused_full,
            Some(CloseKind::ConnectTimeout { .. }) => &self.timed_out,
            _ => &self.abandoned,
        }
    }

    pub(crate) fn read(&self) -> ServerStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerStatistics {
            accepted: read(&self.accepted),
            refused_pending: read(&self.refused_pending),
            refused_address: read(&self.refused_address),
            refused_full: read(&self.refused_full),
            failed_accepts: read(&self.failed_accepts),
            rejected: read(&self.rejected),
            timed_out: read(&self.timed_out),
            abandoned: read(&self.abandoned),
            closed_by_user: read(&self.closed_by_user),
            closed_by_protocol: read(&self.closed_by_protocol),
            closed_by_peer: read(&self.closed_by_peer),
            closed_by_transport: read(&self.closed_by_transport),
            behind: read(&self.behind),
            ..ServerStatistics::default()
        }
    }
}
