//! Moving bytes between a machine and its TCP stream.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use darkrift_proto::connection::StreamOutput;
use darkrift_proto::{Connection, Instant};

use crate::datagrams::LONGEST_DATAGRAM;
use crate::peer::transport_error;
use crate::runtime::{Runtime, TcpStream};
use crate::wakers::Readiness;

/// How much one call reads at most.
const READ_BYTES: usize = 64 << 10;

/// Room for two datagrams of any length.
const SCRATCH_BYTES: usize = 2 * LONGEST_DATAGRAM;

/// How many calls one drive makes at most before others get their turn.
const READS: usize = 16;

/// How many pieces one call writes at most.
const SLICES: usize = 64;

thread_local! {
    /// Where reads go first. One a thread, and not one a connection: an idle connection holds no buffer, and what
    /// the application keeps of a small read keeps no large buffer alive.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
}

/// Runs `f` with this thread's read buffer.
pub(crate) fn with_scratch<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => f(&mut scratch),
        // A waker that drives another connection in the middle of a read: unusual, and it still works.
        Err(_) => f(&mut vec![0; SCRATCH_BYTES]),
    })
}

/// Writes what is queued, everything in as few calls as the socket allows; whether any of it left.
pub(crate) fn flush(
    stream: &mut dyn TcpStream,
    machine: &mut Connection,
    clock: &dyn Runtime,
    cx: &mut Context<'_>,
) -> bool {
    let mut wrote = false;
    while machine.stream_queued() > 0 {
        let mut output = machine.stream_output();
        let result = poll_write(stream, &output, cx);
        match result {
            Poll::Ready(Ok(0)) => {
                let error = transport_error(&io::ErrorKind::WriteZero.into());
                machine.handle_transport_error(clock.now(), error);
                break;
            }
            Poll::Ready(Ok(count)) => {
                output.advance(count);
                wrote = true;
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => {
                machine.handle_transport_error(clock.now(), transport_error(&error));
                break;
            }
            Poll::Pending => break,
        }
    }
    if machine.wants_stream_shutdown() {
        if let Some(socket) = stream.socket() {
            // A peer that has gone already makes this fail, and nothing is lost by it.
            let _ = socket.shutdown(std::net::Shutdown::Write);
        }
        machine.handle_stream_shutdown(clock.now());
    }
    wrote
}

fn poll_write(
    stream: &mut dyn TcpStream,
    output: &StreamOutput<'_>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let chunk = output.chunk();
    if chunk.len() == output.remaining() {
        return stream.poll_write(cx, &[IoSlice::new(chunk)]);
    }
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = output.chunks_vectored(&mut slices);
    stream.poll_write(cx, &slices[..count])
}

/// Reads until nothing more has come, when the waker is registered, or until the machine wants no more; whether it
/// stopped before either.
pub(crate) fn receive(
    stream: &mut dyn TcpStream,
    machine: &mut Connection,
    input: &mut BytesMut,
    ended: &mut bool,
    readiness: &Readiness,
    now: Instant,
    cx: &mut Context<'_>,
) -> bool {
    // What the machine had no room for.
    if !input.is_empty() || *ended {
        machine.handle_stream(now, input);
    }
    if *ended || !readiness.is_ready() {
        return false;
    }
    readiness.clear();
    for _ in 0..READS {
        if !machine.wants_stream_read() {
            readiness.set();
            return false;
        }
        let result = with_scratch(|scratch| {
            let scratch = &mut scratch[..READ_BYTES];
            stream.poll_read(cx, scratch).map_ok(|count| {
                input.extend_from_slice(&scratch[..count]);
                count
            })
        });
        match result {
            Poll::Ready(Ok(0)) => {
                *ended = true;
                machine.handle_stream_end(now, input);
                return false;
            }
            Poll::Ready(Ok(_)) => machine.handle_stream(now, input),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => {
                machine.handle_transport_error(now, transport_error(&error));
                return false;
            }
            Poll::Pending => return false,
        }
    }
    readiness.set();
    true
}
