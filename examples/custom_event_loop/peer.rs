//! One connection: a machine and its sockets, and what each turn does with them.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use bytes::{Buf, Bytes, BytesMut};
use darkrift::proto::{Connection, ConnectionKey, Instant, TransportError};
use mio::net::{TcpStream, UdpSocket};

/// How often the rest of a stream that has failed is read at most: as much as a system keeps for one.
const MOST_REST_READS: usize = 256;

/// One side of one connection, with its sockets.
pub(crate) struct Peer {
    pub(crate) machine: Connection,
    pub(crate) stream: TcpStream,
    /// What was read, and not yet taken by the machine.
    input: BytesMut,
    stream_ended: bool,
    pub(crate) path: Path,
    /// Its entry in the loop's `deadlines`.
    pub(crate) deadline: Option<Instant>,
    /// The application's: how many messages a client has had returned.
    pub(crate) returned: u32,
}

/// How datagrams leave.
pub(crate) enum Path {
    /// A client's own socket, and the server's address.
    Own(UdpSocket, SocketAddr),
    /// The server's socket, by the key that the listener knows the peer by, and the peer's address once it is known.
    Shared(ConnectionKey, Option<SocketAddr>),
}

impl Peer {
    pub(crate) fn new(machine: Connection, stream: TcpStream, path: Path) -> Self {
        // Small messages leave at once.
        let _ = stream.set_nodelay(true);
        let input = BytesMut::new();
        Self { machine, stream, input, stream_ended: false, path, deadline: None, returned: 0 }
    }

    /// Reads once from each socket; whether there may be more.
    pub(crate) fn read(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        self.read_datagram(now, scratch) | self.read_stream(now, scratch)
    }

    fn read_stream(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        // Not while the machine has enough: then TCP itself slows the peer.
        if !self.machine.wants_stream_read() {
            return false;
        }
        // It may have left whole frames the last time, for want of room.
        self.machine.handle_stream(now, &mut self.input);
        if self.stream_ended {
            return false;
        }
        match self.stream.read(scratch) {
            Ok(0) => {
                self.stream_ended = true;
                self.machine.handle_stream_end(now, &mut self.input);
            }
            Ok(count) => {
                self.input.extend_from_slice(&scratch[..count]);
                self.machine.handle_stream(now, &mut self.input);
                return true;
            }
            Err(error) => self.failed(now, &error),
        }
        false
    }

    fn read_datagram(&mut self, now: Instant, scratch: &mut [u8]) -> bool {
        // A server's datagrams all come to one socket: the door's.
        let Path::Own(socket, server) = &self.path else { return false };
        match socket.recv_from(scratch) {
            Ok((count, from)) => {
                if from == *server {
                    self.machine.handle_datagram(now, Bytes::copy_from_slice(&scratch[..count]));
                }
                true
            }
            // Any other error is of a datagram sent earlier, and never of the socket.
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Writes what is queued, as much as the socket takes. What it does not take waits in the machine.
    pub(crate) fn write(&mut self, now: Instant) {
        loop {
            let mut output = self.machine.stream_output();
            if !output.has_remaining() {
                break;
            }
            let mut slices = [IoSlice::new(&[]); 64];
            let count = output.chunks_vectored(&mut slices);
            match self.stream.write_vectored(&slices[..count]) {
                Ok(count) => output.advance(count),
                Err(error) => {
                    if !is_passing(&error) {
                        self.read_rest(now, &error);
                    }
                    self.failed(now, &error);
                    break;
                }
            }
        }
        // When it closes and everything is written, the peer is told that nothing more comes.
        if self.machine.wants_stream_shutdown() {
            let _ = self.stream.shutdown(Shutdown::Write);
            self.machine.handle_stream_shutdown(now);
        }
    }

    /// The stream takes no output any more. What the peer has said before may still be there, such as why it leaves.
    fn read_rest(&mut self, now: Instant, error: &io::Error) {
        let mut scratch = [0; 16 << 10];
        // Nobody comes back to what the application has no room for now.
        self.machine.handle_stream_rest(now, &mut self.input);
        for _ in 0..MOST_REST_READS {
            if self.stream_ended || !self.machine.wants_stream_read() {
                return;
            }
            match self.stream.read(&mut scratch) {
                Ok(0) => {
                    self.stream_ended = true;
                    // Behind another error it may be a reset, of which the system has told the write.
                    if error.kind() == ErrorKind::BrokenPipe {
                        self.machine.handle_stream_end(now, &mut self.input);
                    }
                }
                Ok(count) => {
                    self.input.extend_from_slice(&scratch[..count]);
                    self.machine.handle_stream(now, &mut self.input);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Sends what is queued. What the socket does not take is lost, as datagrams may be.
    pub(crate) fn send_datagrams(&mut self, shared: &UdpSocket) {
        let (socket, to) = match &self.path {
            Path::Own(socket, server) => (socket, *server),
            Path::Shared(_, Some(address)) => (shared, *address),
            Path::Shared(_, None) => return,
        };
        while let Some(datagram) = self.machine.poll_datagram() {
            let _ = socket.send_to(&datagram, to);
        }
    }

    fn failed(&mut self, now: Instant, error: &io::Error) {
        match error.kind() {
            _ if is_passing(error) => {}
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                self.machine.handle_transport_error(now, TransportError::Reset);
            }
            _ => self.machine.handle_transport_error(now, TransportError::Other),
        }
    }
}

/// Whether the socket is only not ready, or (a client's) not connected yet: the system will tell.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
