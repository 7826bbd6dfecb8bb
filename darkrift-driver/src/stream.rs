//! Moving bytes between a machine and its TCP stream.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use darkrift_proto::{Connection, Instant};

use crate::peer::transport_error;
use crate::runtime::TcpStream;

/// How much one call reads at most.
const READ_BYTES: usize = 64 << 10;

/// How many calls one drive makes at most before others get their turn.
const READS: usize = 16;

/// How many pieces one call writes at most.
const SLICES: usize = 64;

thread_local! {
    /// Where reads go first. One a thread, and not one a connection: an idle connection holds no buffer, and what
    /// the application keeps of a small read keeps no large buffer alive.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// Runs `f` with this thread's read buffer.
pub(crate) fn with_scratch<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => f(&mut scratch),
        // A waker that drives another connection in the middle of a read: unusual, and it still works.
        Err(_) => f(&mut vec![0; READ_BYTES]),
    })
}

/// Writes what is queued, everything in as few calls as the socket allows; whether any of it left.
pub(crate) fn flush(
    stream: &mut dyn TcpStream,
    machine: &mut Connection,
    now: Instant,
    cx: &mut Context<'_>,
) -> bool {
    let mut wrote = false;
    loop {
        let mut output = machine.stream_output();
        if !output.has_remaining() {
            break;
        }
        let result = {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = output.chunks_vectored(&mut slices);
            stream.poll_write(cx, &slices[..count])
        };
        match result {
            Poll::Ready(Ok(0)) => {
                machine.handle_transport_error(now, transport_error(&io::ErrorKind::WriteZero.into()));
                break;
            }
            Poll::Ready(Ok(count)) => {
                output.advance(count);
                wrote = true;
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => {
                machine.handle_transport_error(now, transport_error(&error));
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
        machine.handle_stream_shutdown(now);
    }
    wrote
}

/// Reads until nothing more has come, when the waker is registered, or until the machine wants no more; whether it
/// stopped before either.
pub(crate) fn receive(
    stream: &mut dyn TcpStream,
    machine: &mut Connection,
    input: &mut BytesMut,
    ended: &mut bool,
    now: Instant,
    cx: &mut Context<'_>,
) -> bool {
    if !input.is_empty() && machine.wants_stream_read() {
        machine.handle_stream(now, input);
    }
    if *ended {
        if machine.wants_stream_read() {
            machine.handle_stream(now, input);
        }
        return false;
    }
    for _ in 0..READS {
        if !machine.wants_stream_read() {
            return false;
        }
        let result = with_scratch(|scratch| {
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
    true
}
