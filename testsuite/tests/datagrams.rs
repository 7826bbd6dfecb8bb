//! What goes over UDP and in which order, seen at a socket of the test's own: what a system's socket shows by chance
//! only.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use darkrift_driver::proto::{CloseKind, Message, SendMode};
use darkrift_driver::runtime::{
    BoxFuture, Instant, RecvMeta, Runtime, TcpListener, TcpStream, Timer, Transmit, UdpSocket,
};
use darkrift_driver::{Client, Server, ServerBuilder};
use darkrift_testsuite::raw::RawClient;
use darkrift_tokio::Tokio;

const ONE: &str = "127.0.0.1:5001";
const ANOTHER: &str = "127.0.0.1:5002";
/// The server's address that datagrams are sent to.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

type Hook = Box<dyn FnMut() + Send>;

/// What a UDP socket is given and has sent.
#[derive(Default)]
struct Network(Mutex<Traffic>);

#[derive(Default)]
struct Traffic {
    /// Where it comes from, the datagrams one behind the other, and the length of each.
    arriving: VecDeque<(SocketAddr, Vec<u8>, usize)>,
    sent: Vec<(SocketAddr, Vec<u8>)>,
    /// How many had been sent when something was received last.
    sent_before: usize,
    /// The address that the last one was sent from, if one was named.
    source: Option<IpAddr>,
    /// Whether the address that all datagrams are sent to is not there any more.
    is_gone: bool,
    /// Whether the socket takes nothing.
    is_full: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Called once, in the middle of a send.
    meanwhile: Option<Hook>,
}

impl Network {
    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(&self, from: &str, datagrams: Vec<u8>, length: usize) {
        let mut traffic = self.traffic();
        traffic.arriving.push_back((from.parse().unwrap(), datagrams, length));
        traffic.reader.take().into_iter().for_each(Waker::wake);
    }

    fn set_full(&self, is_full: bool) {
        let mut traffic = self.traffic();
        traffic.is_full = is_full;
        if !is_full {
            traffic.writer.take().into_iter().for_each(Waker::wake);
        }
    }

    fn take_sent(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.traffic().sent)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Socket(Arc<Network>);

impl UdpSocket for Socket {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut traffic = self.0.traffic();
        if traffic.arriving.is_empty() {
            traffic.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        traffic.sent_before = traffic.sent.len();
        let count = buffers.len().min(traffic.arriving.len());
        let filled = traffic.arriving.drain(..count).zip(buffers).zip(meta);
        for (((from, datagrams, length), buffer), meta) in filled {
            buffer[..datagrams.len()].copy_from_slice(&datagrams);
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride) = (from, datagrams.len(), length);
            meta.dst_ip = Some(HERE);
        }
        Poll::Ready(Ok(count))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let meanwhile = self.0.traffic().meanwhile.take();
        if let Some(mut meanwhile) = meanwhile {
            meanwhile();
        }
        let mut traffic = self.0.traffic();
        if traffic.is_full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if traffic.is_gone && transmit.src_ip.is_some() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        traffic.source = transmit.src_ip;
        traffic.sent.push((transmit.destination, transmit.contents.to_vec()));
        Ok(())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut traffic = self.0.traffic();
        if !traffic.is_full {
            return Poll::Ready(Ok(()));
        }
        traffic.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn max_segments(&self) -> usize {
        1
    }
}

/// Tokio, but for datagrams.
#[derive(Debug, Default)]
struct Apart {
    tokio: Tokio,
    network: Arc<Network>,
}

impl Runtime for Apart {
    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn timer(&self, at: Instant) -> Pin<Box<dyn Timer>> {
        self.tokio.timer(at)
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.tokio.spawn(task);
    }

    fn resolve(&self, host: String, port: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        self.tokio.resolve(host, port)
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<io::Result<Box<dyn TcpStream>>> {
        self.tokio.connect(to)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Box<dyn TcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Box<dyn UdpSocket>> {
        Ok(Box::new(Socket(self.network.clone())))
    }
}

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{what}: it does not come");
}

async fn bind() -> (Server<Apart>, Arc<Network>) {
    bind_to(Ipv4Addr::LOCALHOST).await
}

async fn bind_to(ip: Ipv4Addr) -> (Server<Apart>, Arc<Network>) {
    let network = Arc::new(Network::default());
    let runtime = Apart { network: network.clone(), ..Apart::default() };
    let address = SocketAddr::from((ip, 0));
    (ServerBuilder::new().bind_on(Arc::new(runtime), address).await.unwrap(), network)
}

/// Opens TCP and reads the hello.
async fn open(server: &Server<Apart>) -> RawClient {
    let address = (Ipv4Addr::LOCALHOST, server.local_addr().port()).into();
    tokio::task::spawn_blocking(move || RawClient::open(address, address)).await.unwrap()
}

/// A server with one client, its side of that, and a network that has sent nothing since.
async fn bind_with_client() -> (Server<Apart>, Arc<Network>, RawClient, Client<Apart>) {
    let (server, network) = bind().await;
    let client = join(&server, &network, ONE).await;
    let served = server.accept().await.unwrap();
    network.take_sent();
    (server, network, client, served)
}

/// A client that sends its datagrams from there.
async fn join(server: &Server<Apart>, network: &Network, from: &str) -> RawClient {
    let client = open(server).await;
    network.arrive(from, client.hello.clone(), client.hello.len());
    client
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

#[test]
fn a_connection_that_ends_before_its_token_is_answered_leaves_its_place_to_nobody_by_mistake() {
    run(async {
        let (server, network) = bind().await;
        let first = open(&server).await;
        let second = open(&server).await;
        // Both tokens come from one address, which is the second one's then; its answer has to wait.
        network.set_full(true);
        network.arrive(ONE, [first.hello.clone(), second.hello.clone()].concat(), first.hello.len());
        until("the wait for the socket", || network.traffic().writer.is_some()).await;
        drop(first);
        until("the first one's end", || server.statistics().abandoned == 1).await;
        until("its place to be free", || server.statistics().pending == 0).await;
        // It has the first one's place in the tables, and has not sent its token.
        let mut third = open(&server).await;
        network.set_full(false);
        until("the second client", || server.len() == 1).await;
        let sent = network.take_sent();
        assert_eq!((sent.len(), &sent[0].1[..8]), (1, &second.hello[1..]), "the first one has no answer");
        network.arrive(ANOTHER, third.hello.clone(), third.hello.len());
        until("the third client", || server.len() == 2).await;
        let (id, third) = tokio::task::spawn_blocking(move || (third.read_configure(), third)).await.unwrap();
        let clients = server.clients();
        let addresses: Vec<_> =
            clients.iter().map(|client| (client.id().get(), client.udp_address())).collect();
        assert_eq!(addresses, [(0, ONE.parse().unwrap()), (id, ANOTHER.parse().unwrap())]);
        drop((clients, second, third));
        until("all to have left", || server.is_empty()).await;
        assert_eq!(server.statistics().accepted, 2);
    });
}

#[test]
fn while_the_socket_is_full_a_newcomer_holds_nobody_up_and_is_answered_before_anything_else_leaves() {
    run(async {
        let (server, network, _client, served) = bind_with_client().await;
        network.set_full(true);
        served.send(SendMode::Unreliable, &Message::empty(1)).await.unwrap();
        let newcomer = join(&server, &network, ANOTHER).await;
        for tag in 2..5 {
            network.arrive(ONE, vec![0, 0, tag], 3);
            let received = tokio::time::timeout(Duration::from_secs(10), served.recv()).await;
            assert_eq!(received.expect("it is not held up").unwrap().tag(), u16::from(tag));
        }
        served.send(SendMode::Unreliable, &Message::empty(5)).await.unwrap();
        network.set_full(false);
        assert_eq!(server.accept().await.unwrap().udp_address(), ANOTHER.parse().unwrap());
        until("everything", || network.traffic().sent.len() == 3).await;
        let sent = network.take_sent();
        assert_eq!((&sent[0].1[..8], sent[0].0), (&newcomer.hello[1..], ANOTHER.parse().unwrap()));
        assert_eq!((&sent[1].1[..], &sent[2].1[..]), (&[0, 0, 1][..], &[0, 0, 5][..]));
    });
}

#[test]
fn a_newcomer_who_waits_to_be_answered_does_not_keep_a_server_from_its_end() {
    run(async {
        let (server, network) = bind().await;
        network.set_full(true);
        let mut newcomer = join(&server, &network, ONE).await;
        until("the wait for the socket", || network.traffic().writer.is_some()).await;
        let shutdown = tokio::time::timeout(Duration::from_secs(10), server.shutdown());
        shutdown.await.expect("it ends");
        tokio::task::spawn_blocking(move || newcomer.stream.read_to_end()).await.unwrap();
        assert_eq!((server.statistics().accepted, network.take_sent().len()), (0, 0));
    });
}

#[test]
fn what_was_left_for_a_client_that_is_evicted_does_not_reach_who_has_its_address() {
    run(async {
        let (server, network, _vanished, ghost) = bind_with_client().await;
        network.set_full(true);
        ghost.send(SendMode::Unreliable, &Message::new(9, &b"for the ghost"[..])).await.unwrap();
        until("the wait for the socket", || network.traffic().writer.is_some()).await;
        network.take_sent();
        let newcomer = join(&server, &network, ONE).await;
        until("the eviction", || !ghost.is_connected()).await;
        assert_eq!(ghost.close_reason().unwrap().kind, CloseKind::Evicted);
        network.set_full(false);
        until("the newcomer", || server.len() == 1).await;
        let sent = network.take_sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].1[..8], newcomer.hello[1..]);
    });
}

#[test]
fn datagrams_leave_in_the_order_in_which_they_were_sent_whoever_sends_them() {
    run(async {
        let (_server, network, _client, served) = bind_with_client().await;
        let another = served.clone();
        network.traffic().meanwhile = Some(Box::new(move || {
            another.try_send(SendMode::Unreliable, &Message::empty(2)).unwrap();
        }));
        served.send(SendMode::Unreliable, &Message::empty(1)).await.unwrap();
        until("both", || network.traffic().sent.len() == 2).await;
        let tags: Vec<u8> = network.take_sent().iter().map(|(_, datagram)| datagram[2]).collect();
        assert_eq!(tags, [1, 2]);
    });
}

#[test]
fn a_token_that_seems_to_come_from_the_server_itself_lets_nobody_in() {
    run(async {
        let (server, network) = bind().await;
        let client = open(&server).await;
        let own = server.udp_addr().to_string();
        network.arrive(&own, client.hello.clone(), client.hello.len());
        network.arrive(ONE, client.hello.clone(), client.hello.len());
        let served = server.accept().await.unwrap();
        assert_eq!(served.udp_address(), ONE.parse().unwrap());
        assert!(network.take_sent().iter().all(|(to, _)| to.to_string() == ONE));
    });
}

#[test]
fn a_token_that_comes_many_times_at_once_is_answered_once() {
    run(async {
        let (server, network) = bind().await;
        let client = open(&server).await;
        let many = client.hello.repeat(8);
        for round in 1..4 {
            network.arrive(ONE, many.clone(), client.hello.len());
            // Behind them, so that they have been looked at once it is there.
            network.arrive(ONE, vec![0, 0, 7], 3);
            until("the message", || server.statistics().traffic.unreliable_received == round).await;
            assert_eq!(network.take_sent().len(), 1);
        }
    });
}

#[test]
fn who_asks_for_many_answers_does_not_keep_others_datagrams_waiting() {
    const PINGS: usize = 100;
    // One thread, so that what the task that receives does not send itself leaves only behind it.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (_server, network, _client, _served) = bind_with_client().await;
        for code in 0..PINGS {
            network.arrive(ONE, vec![0x40, 0, 7, 0, code as u8], 5);
        }
        until("the answers", || network.traffic().sent.len() == PINGS).await;
        let sent = network.traffic().sent_before;
        assert!(sent < PINGS / 2, "{sent} were answered before all were received");
        let codes = network.take_sent().into_iter().map(|(_, answer)| answer[4] as usize);
        assert!(codes.eq(0..PINGS), "each is answered in its turn");
    });
}

#[test]
fn each_datagram_reaches_whom_it_is_for_when_a_token_among_them_changes_that() {
    run(async {
        let (server, network, _vanished, ghost) = bind_with_client().await;
        let newcomer = open(&server).await;
        let hello = newcomer.hello.clone();
        let message = |tag| vec![0, 0, tag, 0, 0, 0, 0, 0, 0];
        let all = [message(1), message(2), hello.clone(), message(3), hello, message(4), vec![0, 0, 5]];
        network.arrive(ONE, all.concat(), 9);
        let served = server.accept().await.unwrap();
        let tags = async |client: &Client<Apart>, count| {
            let mut tags = Vec::new();
            while tags.len() < count {
                tags.push(client.recv().await.unwrap().tag());
            }
            tags
        };
        assert_eq!(tags(&served, 3).await, [3, 4, 5]);
        assert_eq!(tags(&ghost, 2).await, [1, 2]);
        assert_eq!(ghost.recv().await, None);
        assert_eq!(ghost.close_reason().unwrap().kind, CloseKind::Evicted);
    });
}

#[test]
fn what_is_in_hand_for_a_closing_client_does_not_reach_who_has_its_address_now() {
    run(async {
        let (server, network, _vanished, ghost) = bind_with_client().await;
        let newcomer = open(&server).await;
        network.take_sent();
        let (another, hello, net) = (ghost.clone(), newcomer.hello.clone(), network.clone());
        network.traffic().meanwhile = Some(Box::new(move || {
            drop(another.close());
            net.set_full(true);
            net.arrive(ONE, hello.clone(), hello.len());
            // Its token has come once its acknowledgement waits for the socket.
            while net.traffic().writer.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }));
        ghost.send(SendMode::Unreliable, &Message::new(9, &b"for the ghost"[..])).await.unwrap();
        network.set_full(false);
        let _served = server.accept().await.unwrap();
        let newcomers = server.clients();
        newcomers[0].send(SendMode::Unreliable, &Message::empty(1)).await.unwrap();
        until("the message", || network.traffic().sent.len() > 1).await;
        let sent: Vec<_> = network.take_sent().into_iter().map(|(_, datagram)| datagram).collect();
        assert_eq!((&sent[0][..8], &sent[1][..]), (&newcomer.hello[1..], &[0, 0, 1][..]));
    });
}

#[test]
fn what_cannot_leave_from_the_address_that_a_client_wrote_to_leaves_from_another() {
    run(async {
        let (server, network) = bind_to(Ipv4Addr::UNSPECIFIED).await;
        let _client = join(&server, &network, ONE).await;
        let served = server.accept().await.unwrap();
        assert_eq!((network.take_sent().len(), network.traffic().source), (1, Some(HERE)));
        for (tag, is_gone) in [(1, true), (2, true), (3, false)] {
            network.traffic().is_gone = is_gone;
            served.send(SendMode::Unreliable, &Message::empty(tag)).await.unwrap();
            until("the message", || !network.traffic().sent.is_empty()).await;
            assert_eq!(network.take_sent(), [(ONE.parse().unwrap(), vec![0, 0, tag as u8])]);
            assert_eq!(network.traffic().source, (!is_gone).then_some(HERE));
        }
        // A client whose token cannot be answered from there never is.
        network.traffic().is_gone = true;
        let newcomer = join(&server, &network, ANOTHER).await;
        let served = server.accept().await.unwrap();
        assert_eq!(network.take_sent()[0].1[..8], newcomer.hello[1..]);
        network.traffic().is_gone = false;
        served.send(SendMode::Unreliable, &Message::empty(4)).await.unwrap();
        until("the message", || !network.traffic().sent.is_empty()).await;
        assert_eq!(network.traffic().source, None);
    });
}
