//! The handshake on sockets of its own, so that each step is seen when it happens, and so is what the system says of UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use darkrift_tokio::proto::bytes::{Bytes, BytesMut};
use darkrift_tokio::proto::wire::{HELLO_BYTES, Hello};
use darkrift_tokio::proto::{
    self, ClientConfig, ClientId, CloseReason, ConnectPhase, Connection, Dialect, Event, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant as Deadline, sleep_until, timeout};

/// The longest datagram that an acknowledgement could be; of longer ones the rest is cut off.
const DATAGRAM: usize = 2048;

/// How many datagrams are looked at, so that a flood of them holds nothing up.
const DATAGRAMS: u32 = 1000;

/// How much of what the server says first is kept, for those that are no DarkRift servers.
const FIRST: usize = 64;

/// How long leaving may take.
const LEAVING: Duration = Duration::from_millis(500);

/// What happened.
#[derive(Debug)]
pub(crate) enum Step {
    /// The hello came.
    Hello(Hello),
    /// The token was acknowledged on UDP.
    Acknowledged(Dialect),
    /// Configure came.
    Configured(ClientId),
    /// The connection ended before it was up.
    Ended(CloseReason),
}

/// A handshake in progress.
#[derive(Debug)]
pub(crate) struct Handshake {
    stream: TcpStream,
    udp: UdpSocket,
    udp_address: SocketAddr,
    machine: Connection,
    started: Instant,
    input: BytesMut,
    first: Vec<u8>,
    tokens_sent: u32,
    datagrams: u32,
    udp_failure: Option<io::Error>,
    hello_told: bool,
    dialect_told: bool,
    id_told: bool,
}

impl Handshake {
    /// Begins on a TCP connection that has just been opened.
    ///
    /// # Errors
    /// When there is no way to the server on UDP.
    pub(crate) async fn new(stream: TcpStream, udp_port: Option<u16>, limit: Duration) -> io::Result<Self> {
        let mut udp_address = stream.peer_addr()?;
        udp_address.set_port(udp_port.unwrap_or(udp_address.port()));
        let any =
            if udp_address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let udp = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        udp.connect(udp_address).await?;
        let mut config = ClientConfig::default();
        config.connect_timeout = limit;
        Ok(Self {
            stream,
            udp,
            udp_address,
            machine: Connection::client(Arc::new(config), proto::Instant::ZERO),
            started: Instant::now(),
            input: BytesMut::new(),
            first: Vec::new(),
            tokens_sent: 0,
            datagrams: 0,
            udp_failure: None,
            hello_told: false,
            dialect_told: false,
            id_told: false,
        })
    }

    /// The server's UDP address.
    pub(crate) const fn udp_address(&self) -> SocketAddr {
        self.udp_address
    }

    /// How often the token has been sent.
    pub(crate) const fn tokens_sent(&self) -> u32 {
        self.tokens_sent
    }

    /// What the system last said of UDP: often, that nothing listens on that port.
    pub(crate) const fn udp_failure(&self) -> Option<&io::Error> {
        self.udp_failure.as_ref()
    }

    /// The first bytes that came on TCP.
    pub(crate) fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// How long it has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the connect waits for.
    pub(crate) const fn phase(&self) -> Option<ConnectPhase> {
        self.machine.connect_phase()
    }

    /// The dialect, once the acknowledgement has come.
    pub(crate) const fn dialect(&self) -> Option<Dialect> {
        self.machine.dialect()
    }

    /// Waits for the next step.
    pub(crate) async fn next(&mut self) -> Step {
        let mut datagram = [0; DATAGRAM];
        loop {
            if let Some(step) = self.step() {
                return step;
            }
            self.send_tokens().await;
            let timer = self.machine.poll_timeout().unwrap_or(self.now() + LEAVING);
            let at = Deadline::from_std(self.started + (timer - proto::Instant::ZERO));
            tokio::select! {
                // In the order of the steps: the acknowledgement leaves a server before Configure.
                biased;
                received = self.udp.recv(&mut datagram), if self.datagrams < DATAGRAMS => {
                    self.datagrams += 1;
                    match received {
                        Ok(length) => {
                            let now = self.now();
                            self.machine.handle_datagram(now, Bytes::copy_from_slice(&datagram[..length]));
                        }
                        Err(error) => self.udp_failure = Some(error),
                    }
                }
                // Behind Configure the game speaks, which is not what is asked for here.
                read = self.stream.read_buf(&mut self.input), if self.machine.id().is_none() => {
                    self.handle_stream(read);
                }
                () = sleep_until(at) => {
                    let now = self.now();
                    self.machine.handle_timeout(now);
                }
            }
        }
    }

    /// A step that has been done and not been told.
    fn step(&mut self) -> Option<Step> {
        if !self.hello_told && self.machine.connect_phase() != Some(ConnectPhase::Hello) {
            self.hello_told = true;
            if let Some(hello) = self.first.get(..HELLO_BYTES).and_then(Hello::read) {
                return Some(Step::Hello(hello));
            }
        }
        if let (false, Some(dialect)) = (self.dialect_told, self.machine.dialect()) {
            self.dialect_told = true;
            return Some(Step::Acknowledged(dialect));
        }
        if let (false, Some(id)) = (self.id_told, self.machine.id()) {
            self.id_told = true;
            return Some(Step::Configured(id));
        }
        std::iter::from_fn(|| self.machine.poll_event()).find_map(|event| match event {
            Event::Closed(reason) => Some(Step::Ended(reason)),
            _ => None,
        })
    }

    async fn send_tokens(&mut self) {
        while let Some(token) = self.machine.poll_datagram() {
            // What the system has heard about the last one is told here; it is no reason not to send this one.
            if let Err(error) = self.udp.send(&token).await {
                self.udp_failure = Some(error);
                let _ = self.udp.send(&token).await;
            }
            self.tokens_sent += 1;
        }
    }

    fn handle_stream(&mut self, read: io::Result<usize>) {
        let now = self.now();
        match read {
            Ok(0) => self.machine.handle_stream_end(now, &mut self.input),
            Ok(length) => {
                let came = &self.input[self.input.len() - length..];
                let room = FIRST.saturating_sub(self.first.len()).min(came.len());
                self.first.extend_from_slice(&came[..room]);
                self.machine.handle_stream(now, &mut self.input);
            }
            Err(error) => self.machine.handle_transport_error(
                now,
                match error.kind() {
                    io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => TransportError::Reset,
                    io::ErrorKind::TimedOut => TransportError::TimedOut,
                    _ => TransportError::Other,
                },
            ),
        }
    }

    fn now(&self) -> proto::Instant {
        proto::Instant::ZERO + self.started.elapsed()
    }

    /// Leaves in an orderly way: ends the stream, and hears the server end its own.
    pub(crate) async fn leave(mut self) {
        let leaving = async {
            let _ = self.stream.shutdown().await;
            while let Ok(1..) = self.stream.read_buf(&mut self.input).await {
                self.input.clear();
            }
        };
        let _ = timeout(LEAVING, leaving).await;
    }
}
