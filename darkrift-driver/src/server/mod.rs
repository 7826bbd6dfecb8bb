//! A server: its handle, its clients, and what it does for all of them.

mod backlog;
mod broadcast;
mod builder;
mod door;
mod shared_udp;
mod statistics;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use darkrift_proto::{
    ClientId, ClientIds, CloseKind, CloseReason, ConnectionKey, Initiator, Listener, Statistics, Writer,
};
use event_listener::Event as Notification;
use parking_lot::{Mutex, RwLock};

pub use broadcast::{Behind, Broadcast};
pub use builder::{Joining, ServerBuilder};
pub use statistics::ServerStatistics;

use crate::Address;
use crate::client::Client;
use crate::ending::Ending;
use crate::error::BindError;
use crate::handle::Handle;
use crate::notification::{wait_for, wait_until};
use crate::peer::Peer;
use crate::runtime::Runtime;
use backlog::Backlog;
use builder::Options;
use statistics::Counters;
use tokens::SystemTokens;

/// A server: accepts clients, finds them by id, and sends to all of them.
///
/// It is a handle: clones are cheap and mean the same server. When the last one is dropped the server shuts down:
/// its clients are told, and its ports are free a moment later, once the runtime has run its tasks. To listen there again at
/// once, wait for [`shutdown`](Self::shutdown).
#[must_use = "dropping the last handle shuts the server down"]
pub struct Server<R> {
    handle: Arc<ServerHandle>,
    runtime: PhantomData<fn() -> R>,
}

#[derive(Debug)]
struct ServerHandle {
    inner: Arc<Inner>,
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.inner.stop();
    }
}

/// What the handle, the tasks and the clients' ends share.
struct Inner {
    runtime: Arc<dyn Runtime>,
    options: Options,
    door: Mutex<Door>,
    clients: RwLock<BTreeMap<ClientId, Entry>>,
    ids: Mutex<ClientIds>,
    backlog: Mutex<Backlog>,
    arrived: Notification,
    stopped: AtomicBool,
    stopping: Notification,
    /// How many tasks of this server are running, and when there are none.
    tasks: AtomicUsize,
    all_ended: Notification,
    counters: Counters,
    /// Where a broadcast notes to whom it goes; empty between two of them.
    receivers: Mutex<Vec<(ClientId, Arc<Peer>)>>,
    /// Where broadcasts are encoded.
    encoder: Mutex<Writer>,
    tcp_address: SocketAddr,
    udp_address: SocketAddr,
}

/// The machine at the door, and the connections by its keys.
#[derive(Debug)]
struct Door {
    listener: Listener,
    tokens: SystemTokens,
    /// Each at the index of its key; an index serves another connection once its connection is released.
    connections: Vec<Option<(ConnectionKey, Arc<Peer>)>>,
    /// What the connections that are gone have counted.
    past_traffic: Statistics,
}

#[derive(Debug)]
struct Entry {
    peer: Arc<Peer>,
    handle: Weak<Handle>,
}

impl Door {
    /// The connection of this key, until it is released.
    fn connection(&self, key: ConnectionKey) -> Option<&Arc<Peer>> {
        let (holder, peer) = self.connections.get(key.index())?.as_ref()?;
        (*holder == key).then_some(peer)
    }
}

impl Entry {
    /// The client's handle, while there is one. It may be the last, and closes the connection as it goes: not to be dropped
    /// under the table's lock.
    fn handle(&self) -> Option<Arc<Handle>> {
        self.handle.upgrade()
    }
}

/// Whether the connection has not closed.
fn is_open(handle: &Arc<Handle>) -> bool {
    !handle.peer.lock().machine.is_closed()
}

impl<R: Runtime + Default> Server<R> {
    /// Listens on a TCP port and the UDP port of the same number, with the default settings. Port 0 takes any free
    /// one; see [`local_addr`](Self::local_addr). Of a host name's addresses it takes the first that it can listen on.
    ///
    /// # Errors
    /// [`BindError`] says which port could not be taken and why; of several addresses, for the last.
    ///
    /// # Panics
    /// On tokio, outside of a runtime of its, or in one without I/O and time.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn bind(address: impl Into<Address>) -> Result<Self, BindError> {
        Self::builder().bind(address).await
    }

    /// Settings for a server: the dialect, another UDP port, limits.
    pub fn builder() -> ServerBuilder<R> {
        ServerBuilder::new()
    }
}

impl<R> Server<R> {
    fn from_inner(inner: Arc<Inner>) -> Self {
        Self { handle: Arc::new(ServerHandle { inner }), runtime: PhantomData }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// The next client that has connected; `None` once the server has shut down.
    ///
    /// The client has its id and counts as connected already, and what it sends in the meantime waits for `recv`.
    /// Keep the handle, or a clone of it, for as long as the client should stay: dropping the last one disconnects
    /// it.
    ///
    /// A client that has left meanwhile is given, too, with what it sent. Where nobody accepts for long the last 512 to
    /// 1,024 of those are kept, as far as they have sent no more than 4 to 8 MiB together.
    ///
    /// # Cancel safety
    /// Dropping the future loses no client.
    #[must_use = "dropping the client's last handle disconnects it"]
    pub async fn accept(&self) -> Option<Client<R>> {
        let inner = self.inner();
        let next = || {
            let handle = inner.backlog.lock().pop();
            (handle.is_some() || inner.is_stopped()).then_some(handle)
        };
        wait_for(&inner.arrived, next).await.map(Client::from_handle)
    }

    /// The client with this id, while it is connected. Of an id that was kept as a number, [`ClientId::new`] makes one again.
    pub fn get(&self, id: ClientId) -> Option<Client<R>> {
        let handle = self.inner().clients.read().get(&id)?.handle();
        handle.filter(is_open).map(Client::from_handle)
    }

    /// Every client connected now, by ascending id.
    pub fn clients(&self) -> Vec<Client<R>> {
        let handles: Vec<_> = self.inner().clients.read().values().filter_map(Entry::handle).collect();
        handles.into_iter().filter(is_open).map(Client::from_handle).collect()
    }

    /// How many clients are connected now. One whose connection closes is counted until its task has seen it, a moment later.
    pub fn len(&self) -> usize {
        self.inner().clients.read().len()
    }

    /// Whether no client is connected now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The TCP address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner().tcp_address
    }

    /// The UDP address that the server listens on.
    pub fn udp_addr(&self) -> SocketAddr {
        self.inner().udp_address
    }

    /// What the server has counted since it began. It asks every connection, so that thousands of them take a part of a
    /// millisecond. Clients come and go meanwhile, so the numbers need not agree to the last one: those accepted may be fewer
    /// than those connected and closed together.
    pub fn statistics(&self) -> ServerStatistics {
        let inner = self.inner();
        let mut statistics = ServerStatistics { connected: self.len(), ..inner.counters.read() };
        let connections: Vec<_> = {
            let door = inner.door.lock();
            statistics.pending = door.listener.pending();
            statistics.datagrams_ignored = door.listener.datagrams_ignored();
            statistics.traffic = door.past_traffic;
            door.connections.iter().flatten().cloned().collect()
        };
        for (_, peer) in connections {
            statistics.traffic += peer.lock().machine.statistics();
        }
        statistics
    }

    /// Stops the server: accepts nobody any more, and closes every client after what was queued for it has left.
    ///
    /// The shutdown begins at the call. Awaiting what it gives waits until every client is gone, 2 s at most by
    /// default, and the ports are free.
    pub fn shutdown(&self) -> Ending {
        let inner = self.inner().clone();
        inner.stop();
        Ending::new(async move { inner.ended().await })
    }
}

impl<R> Clone for Server<R> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for Server<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("tcp_address", &self.inner().tcp_address)
            .field("udp_address", &self.inner().udp_address)
            .field("clients", &self.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("tcp_address", &self.tcp_address).finish_non_exhaustive()
    }
}

impl Inner {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Begins the shutdown, once.
    fn stop(&self) {
        if self.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        self.stopping.notify(usize::MAX);
        self.arrived.notify(usize::MAX);
        let connections: Vec<_> = self.door.lock().connections.iter().flatten().cloned().collect();
        for (_, peer) in connections {
            peer.close(CloseReason::new(Initiator::User, CloseKind::Shutdown));
        }
        let forgotten = self.backlog.lock().take_all();
        drop(forgotten);
    }

    /// Waits until no task of this server runs.
    async fn ended(&self) {
        wait_until(&self.all_ended, || self.tasks.load(Ordering::Acquire) == 0).await;
    }

    /// Begins a task that [`ended`](Self::ended) waits for. It holds this until it has let go of everything, or was
    /// dropped with its runtime.
    fn running(self: &Arc<Self>) -> Running {
        self.tasks.fetch_add(1, Ordering::AcqRel);
        Running(self.clone())
    }
}

/// A task of this server's, or its UDP socket.
struct Running(Arc<Inner>);

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.0).finish()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.all_ended.notify(usize::MAX);
        }
    }
}
