//! A server's door: the tasks that accept TCP connections and receive everyone's datagrams.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use darkrift_proto::{CloseKind, CloseReason, ConnectionKey, Initiator, Instant, Routing};

use super::shared_udp::SharedUdp;
use super::{Door, Entry, Inner, Joining, Running};
use crate::address::canonical;
use crate::datagrams::{DatagramPath, each_datagram};
use crate::handle::Handle;
use crate::notification::{Watch, wake_listeners};
use crate::peer::{Drive, Peer};
use crate::runtime::{RecvMeta, TcpListener, TcpStream, UdpSocket};
use crate::scratch::{LONGEST_DATAGRAM, ReadMemory};
use crate::task::{Observer, Task};
use crate::turn::{Turn, yield_now};

/// How many buffers one receive call fills, each with what one sender sent.
const BUFFERS: usize = 16;

/// How long accepting rests when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Inner {
    /// Starts the two tasks.
    pub(crate) fn open(self: &Arc<Self>, tcp: Box<dyn TcpListener>, udp: Box<dyn UdpSocket>) {
        let udp = SharedUdp::new(udp, self.running());
        self.spawn_at_door(accept(self.clone(), tcp, udp.clone()));
        self.spawn_at_door(receive(self.clone(), udp));
    }

    /// Runs a task without which the server is none: it stops with it, however that ends.
    fn spawn_at_door(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let door = AtDoor(self.running());
        self.runtime.spawn(Box::pin(async move {
            task.await;
            // Behind it, also where the task was never run or is dropped before its end.
            drop(door);
        }));
    }

    /// Waits for `work`, or gives `None` as soon as the server stops, which `stopping` listens for.
    async fn unless_stopped<T>(&self, stopping: &mut Watch, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if self.is_stopped() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            stopping.poll(cx).map(|()| None)
        })
        .await
    }

    /// A TCP connection came in.
    fn admit(self: &Arc<Self>, stream: Box<dyn TcpStream>, address: SocketAddr, udp: &Arc<SharedUdp>) {
        let now = self.runtime.now();
        let (key, peer) = {
            let mut door = self.door.lock();
            if self.is_stopped() {
                return;
            }
            let Door { listener, tokens, connections, .. } = &mut *door;
            let (key, machine) = match listener.accept(now, address, tokens) {
                Ok(accepted) => accepted,
                Err(refused) => {
                    self.counters.refused(refused);
                    return;
                }
            };
            if let Some(socket) = stream.socket() {
                self.options.tcp.apply_accepted(&socket);
            }
            let datagrams = DatagramPath::shared(udp.clone());
            let peer = Peer::new(self.runtime.clone(), machine, now, stream, address, datagrams, None);
            if connections.len() <= key.index() {
                connections.resize(key.index() + 1, None);
            }
            connections[key.index()] = Some((key, peer.clone()));
            (key, peer)
        };
        {
            // The hello leaves at once, in one call: the original's client reads it with one.
            let mut state = peer.lock();
            peer.drive(&mut state, Drive::Output);
        }
        let served = Served { key, running: self.running() };
        self.runtime.spawn(Box::pin(Task::new(peer, served)));
    }

    /// The client's token came: it is acknowledged behind those who wait for that, and then let in.
    fn pair(
        &self,
        key: ConnectionKey,
        meta: &RecvMeta,
        answer: Bytes,
        evicted: Option<ConnectionKey>,
        newcomers: &mut VecDeque<Newcomer>,
    ) {
        if let Some(ghost) = evicted.and_then(|key| self.connection(key)) {
            ghost.evict();
        }
        let Some(peer) = self.connection(key) else { return };
        // At once: a client that leaves now has been here, and what it sent is delivered.
        peer.lock().machine.handle_paired(self.runtime.now());
        let source = self.source(meta.dst_ip);
        newcomers.push_back(Newcomer { peer, key, from: meta.addr, source, answer });
    }

    /// Acknowledges the tokens of those who have come, as far as the socket takes that, and lets them in. Until all have been
    /// answered nobody else sends: where the socket is full all the time, they would never have their turn.
    fn poll_newcomers(
        self: &Arc<Self>,
        udp: &SharedUdp,
        newcomers: &mut VecDeque<Newcomer>,
        cx: &mut Context<'_>,
    ) {
        while let Some(Newcomer { peer, from, source, answer, .. }) = newcomers.front_mut() {
            // Another may have its address by now.
            let is_gone = peer.lock().machine.is_closed();
            if !is_gone && udp.poll_send_first(answer, *from, source, cx).is_pending() {
                return;
            }
            match newcomers.pop_front() {
                Some(newcomer) if is_gone => self.door.lock().listener.refuse(newcomer.key),
                Some(newcomer) => self.let_in(newcomer),
                None => {}
            }
        }
        udp.let_others_send();
    }

    /// The client has been answered: it is one from now on, unless the application does not want it.
    fn let_in(self: &Arc<Self>, newcomer: Newcomer) {
        let Newcomer { peer, key, from, source, .. } = newcomer;
        let joining = Joining {
            tcp_address: canonical(peer.stream_address),
            udp_address: canonical(from),
            connected: self.count(),
        };
        let welcome = self.welcomes(&joining);
        let id = if welcome { self.ids.lock().allocate() } else { None };
        {
            let mut state = peer.lock();
            state.datagram_address = Some(from);
            if let Some(datagrams) = state.datagrams() {
                datagrams.set_source(source);
            }
            if id.is_none() {
                let kind = if welcome { CloseKind::NoFreeId } else { CloseKind::Rejected };
                state.machine.close_with(self.runtime.now(), CloseReason::new(Initiator::Local, kind));
                state.settle();
            }
        }
        let Some(id) = id else {
            self.door.lock().listener.refuse(key);
            return;
        };
        // In the table before Configure leaves: a client that knows its id is counted. Not under the peer's lock.
        let handle = Arc::new(Handle { peer: peer.clone(), id });
        let entry = Entry { peer: peer.clone(), handle: Arc::downgrade(&handle) };
        self.clients.write().insert(id, entry);
        let mut state = peer.lock();
        state.machine.configure(self.runtime.now(), id);
        if state.machine.id().is_none() {
            // It had ended already: it never was a client, and the id goes back.
            drop(state);
            self.clients.write().remove(&id);
            self.ids.lock().release(id);
            self.door.lock().listener.refuse(key);
            return;
        }
        self.counters.accepted();
        // What it sent before its token has waited for this, and may be all that it sends for long.
        peer.drive(&mut state, Drive::All);
        if peer.has_more(&state) {
            state.schedule();
        }
        state.settle();
        drop(state);
        self.queue(handle);
    }

    /// What the application's hook says of a client; one that panics refuses it, and harms nobody else.
    fn welcomes(&self, joining: &Joining) -> bool {
        let Some(hook) = &self.options.hook else { return true };
        catch_unwind(AssertUnwindSafe(|| hook(joining))).unwrap_or(false)
    }

    /// Lets `accept` have a client.
    fn queue(&self, handle: Arc<Handle>) {
        let mut backlog = self.backlog.lock();
        if self.is_stopped() {
            return;
        }
        backlog.push(handle);
        drop(backlog);
        wake_listeners(&self.arrived);
    }

    /// What answers a datagram that was sent to this address: a socket with one address has no choice.
    fn source(&self, to: Option<IpAddr>) -> Option<IpAddr> {
        to.filter(|_| self.udp_address.ip().is_unspecified())
    }

    fn connection(&self, key: ConnectionKey) -> Option<Arc<Peer>> {
        self.door.lock().connection(key).cloned()
    }

    fn count(&self) -> usize {
        self.clients.read().len()
    }

    /// The connection has closed: it is no client any more.
    fn closed(&self, key: ConnectionKey, peer: &Peer) {
        let (id, reason, held) = {
            let state = peer.lock();
            let machine = &state.machine;
            (machine.id(), machine.close_reason().cloned(), machine.events_queued())
        };
        // Before it is missing from the table: whoever sees that knows of a place.
        self.door.lock().listener.leave(key);
        let was_client = id.is_some_and(|id| self.clients.write().remove(&id).is_some());
        self.counters.closed(was_client, reason.as_ref());
        if was_client {
            let forgotten = self.backlog.lock().someone_left(held);
            drop(forgotten);
        }
    }

    /// The connection's sockets are gone: its id, its token and its address are free.
    fn released(&self, key: ConnectionKey, peer: &Peer) {
        let (id, traffic) = {
            let state = peer.lock();
            (state.machine.id(), state.machine.statistics())
        };
        {
            let mut door = self.door.lock();
            door.listener.release(key);
            door.past_traffic += traffic;
            if let Some(slot) = door.connections.get_mut(key.index()) {
                *slot = None;
            }
        }
        if let Some(id) = id {
            self.ids.lock().release(id);
        }
    }
}

/// A task without which the server is none.
struct AtDoor(Running);

impl Drop for AtDoor {
    fn drop(&mut self) {
        self.0.0.stop();
    }
}

/// A connection of this server's, which is told how it ends.
struct Served {
    key: ConnectionKey,
    running: Running,
}

impl Observer for Served {
    fn closed(&self, peer: &Peer) {
        self.running.0.closed(self.key, peer);
    }

    fn ended(&self, peer: &Peer) {
        self.running.0.released(self.key, peer);
    }
}

/// Accepts TCP connections until the server stops.
async fn accept(inner: Arc<Inner>, mut tcp: Box<dyn TcpListener>, udp: Arc<SharedUdp>) {
    let mut stopping = Watch::new(&inner.stopping);
    let mut turn = Turn::default();
    loop {
        if turn.is_over() {
            yield_now(&*inner.runtime).await;
        }
        match inner.unless_stopped(&mut stopping, poll_fn(|cx| turn.watch(tcp.poll_accept(cx)))).await {
            None => return,
            Some(Ok((stream, address))) => inner.admit(stream, address, &udp),
            Some(Err(error)) if is_of_one_connection(&error) => {}
            Some(Err(_)) => {
                inner.counters.failed_accept();
                // Most likely out of file descriptors: the connection stays in the system's queue meanwhile.
                let mut timer = inner.runtime.timer(inner.runtime.now() + ACCEPT_PAUSE);
                let pause = poll_fn(|cx| timer.as_mut().poll(cx));
                if inner.unless_stopped(&mut stopping, pause).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// Whether a failed accept was about a connection that is gone, and the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Receives everyone's datagrams until the server stops.
async fn receive(inner: Arc<Inner>, udp: Arc<SharedUdp>) {
    let mut stopping = Watch::new(&inner.stopping);
    let mut memory = ReadMemory::new(BUFFERS * LONGEST_DATAGRAM);
    let mut chunks = memory.chunks_exact_mut(LONGEST_DATAGRAM);
    let mut buffers: [IoSliceMut<'_>; BUFFERS] =
        std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
    let mut meta = [RecvMeta::default(); BUFFERS];
    // As many buffers as lately were of use: preparing one costs as much as receiving into it. One more than that,
    // since a call that leaves one unused has emptied the socket, and says so.
    let mut used = 2;
    let mut turn = Turn::default();
    let mut newcomers = VecDeque::new();
    loop {
        if turn.is_over() {
            yield_now(&*inner.runtime).await;
        }
        let receive = poll_fn(|cx| {
            if !newcomers.is_empty() {
                inner.poll_newcomers(&udp, &mut newcomers, cx);
            }
            turn.watch(udp.poll_receive(cx, &mut buffers[..used], &mut meta[..used]))
        });
        match inner.unless_stopped(&mut stopping, receive).await {
            None => return udp.let_others_send(),
            Some(Ok(count)) => {
                used = if count == used { BUFFERS.min(2 * used) } else { count.max(1) + 1 };
                // A write takes longer than a read: whoever asks for many answers would keep everybody's datagrams waiting.
                let has_time = count < BUFFERS;
                for (meta, buffer) in meta[..count].iter().zip(&buffers) {
                    turn.add(meta.len.div_ceil(meta.stride.max(1)) as u32);
                    let sent = Sent { meta, datagrams: &buffer[..meta.len], has_time };
                    if let Some(stranger) = inner.deliver(sent, 0) {
                        inner.welcome_among(&udp, sent, stranger, &mut newcomers);
                    }
                }
            }
            // A report about something sent earlier (port unreachable): never the socket's end.
            Some(Err(_)) => {}
        }
    }
}

/// What one sender sent, as it was received.
#[derive(Clone, Copy)]
struct Sent<'a> {
    meta: &'a RecvMeta,
    datagrams: &'a [u8],
    /// Whether answers are to leave at once.
    has_time: bool,
}

impl Sent<'_> {
    /// The length of each datagram but the last.
    fn stride(&self) -> usize {
        if self.meta.stride == 0 { self.datagrams.len().max(1) } else { self.meta.stride }
    }
}

/// A client whose token has come, and has not been acknowledged.
struct Newcomer {
    peer: Arc<Peer>,
    key: ConnectionKey,
    /// Its address on UDP.
    from: SocketAddr,
    /// The address that it is to be answered from, where there are several.
    source: Option<IpAddr>,
    answer: Bytes,
}

/// A datagram that is no connected client's.
struct Stranger {
    routing: Routing,
    /// Where the next one begins.
    end: usize,
}

impl Inner {
    /// Gives what one sender sent, from the byte `start` on, to whom it belongs, up to the first datagram that is no
    /// connected client's.
    fn deliver(&self, sent: Sent<'_>, mut start: usize) -> Option<Stranger> {
        // A token with this forged as its source would make the server talk to itself.
        if self.is_own(sent.meta) {
            return None;
        }
        let now = self.runtime.now();
        let stride = sent.stride();
        let rest = &sent.datagrams[start..];
        let (peer, theirs, other) = self.first_of(now, sent.meta.addr, rest, stride);
        if let Some(peer) = peer {
            let mut state = peer.lock();
            each_datagram(&rest[..theirs], stride, |datagram| {
                state.machine.handle_datagram(now, datagram);
            });
            peer.arrived(state, now, sent.has_time);
        }
        start += theirs;
        other.map(|routing| Stranger { routing, end: sent.datagrams.len().min(start + stride) })
    }

    /// Does what the listener says of each datagram that is no connected client's, and gives the others to whom they belong,
    /// in the order in which they came.
    fn welcome_among(
        &self,
        udp: &SharedUdp,
        sent: Sent<'_>,
        first: Stranger,
        newcomers: &mut VecDeque<Newcomer>,
    ) {
        let mut is_answered = false;
        let mut next = Some(first);
        while let Some(Stranger { routing, end }) = next {
            let is_answer = matches!(routing, Routing::Answer { .. });
            // One answer is enough for a token that came many times at once.
            if !(is_answer && is_answered) {
                self.welcome(udp, sent.meta, routing, newcomers);
            }
            is_answered |= is_answer;
            next = if end < sent.datagrams.len() { self.deliver(sent, end) } else { None };
        }
    }

    /// The connection that the first of these datagrams belong to, unless it is gone; how many bytes they are; and what
    /// the next one is. Most often all of them are one connection's, and looked at under one lock. A token among them
    /// may make those behind it another's.
    fn first_of(
        &self,
        now: Instant,
        from: SocketAddr,
        datagrams: &[u8],
        stride: usize,
    ) -> (Option<Arc<Peer>>, usize, Option<Routing>) {
        let mut door = self.door.lock();
        let mut peer = None;
        let mut theirs = 0;
        loop {
            let end = datagrams.len().min(theirs + stride);
            match door.listener.handle_datagram(now, from, &datagrams[theirs..end]) {
                Routing::Deliver(key) if peer.is_none() => peer = door.connection(key).cloned(),
                Routing::Deliver(_) => {}
                other => return (peer, theirs, Some(other)),
            }
            theirs = end;
            if theirs == datagrams.len() {
                return (peer, theirs, None);
            }
        }
    }

    /// Whether a datagram seems to come from this very socket.
    fn is_own(&self, meta: &RecvMeta) -> bool {
        if meta.addr.port() != self.udp_address.port() {
            return false;
        }
        let (from, own) = (canonical(meta.addr).ip(), canonical(self.udp_address).ip());
        from == own || meta.dst_ip.map(|ip| ip.to_canonical()) == Some(from)
    }

    /// Does what the listener says of a datagram that is no connected client's.
    fn welcome(
        &self,
        udp: &SharedUdp,
        meta: &RecvMeta,
        routing: Routing,
        newcomers: &mut VecDeque<Newcomer>,
    ) {
        match routing {
            Routing::Paired { key, answer, evicted } => self.pair(key, meta, answer, evicted, newcomers),
            Routing::Full(key) => {
                if let Some(peer) = self.connection(key) {
                    peer.close(CloseReason::new(Initiator::Local, CloseKind::NoFreeId));
                }
                self.door.lock().listener.refuse(key);
            }
            // It may be one of those who wait to be answered first.
            Routing::Answer { answer } if newcomers.is_empty() => {
                // A full socket is not waited for: this token comes again.
                let _ = udp.send_lone(&answer, meta.addr, &mut self.source(meta.dst_ip));
            }
            _ => {}
        }
    }
}
