//! Moving bytes between a machine and its TCP stream.

use std::io::{self, IoSlice, Read};
use std::net::Shutdown;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use darkrift_proto::connection::StreamOutput;
use darkrift_proto::{Connection, Instant, TransportError};

use crate::runtime::{NO_SIGNAL, Runtime, TcpStream};
use crate::scratch::{SHORT, with_scratch, with_shared};
use crate::wakers::Readiness;

/// How much one call reads at most.
const READ_BYTES: usize = 64 << 10;

/// How many calls one drive makes at most before others get their turn.
const READS: usize = 16;

/// How many calls at most read what is left of a stream that takes no output any more: 4 MiB, past what most systems keep
/// for a stream that is not read.
const REST_READS: usize = 64;

/// How many reads at most take what nobody will look at off a stream, so that its close is no reset.
const DISCARDED_READS: usize = 256;

/// How many pieces one call writes at most.
const SLICES: usize = 64;

/// Writes what is queued, everything in as few calls as the socket allows; whether any of it left. `ended` says that the
/// peer's side has ended.
///
/// # Errors
/// When the stream takes no output any more. What has come may still be read ([`receive_rest`]).
pub(crate) fn flush(
    stream: &mut dyn TcpStream,
    machine: &mut Connection,
    ended: bool,
    clock: &dyn Runtime,
    cx: &mut Context<'_>,
) -> io::Result<bool> {
    let mut wrote = false;
    while machine.stream_queued() > 0 {
        let mut output = machine.stream_output();
        let result = poll_write(stream, &output, cx);
        match result {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(count)) => {
                output.advance(count);
                wrote = true;
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => break,
        }
    }
    if machine.wants_stream_shutdown() {
        // Of a stream whose other side has ended, the close that follows says the same.
        if let Some(socket) = stream.socket().filter(|_| !ended) {
            // A peer that has gone already makes this fail, and nothing is lost by it.
            let _ = socket.shutdown(Shutdown::Write);
        }
        machine.handle_stream_shutdown(clock.now());
    }
    Ok(wrote)
}

/// Reads what is there of a stream that takes no output any more since a write has failed with `error`, such as the peer's
/// last words, and ends the connection: as the peer did, where that ended its side in good order, and for this error where
/// not. Also what the application has no room for, since the system drops it otherwise. Not by way of the runtime, which may
/// not have heard yet of what is there.
pub(crate) fn receive_rest(
    stream: &dyn TcpStream,
    machine: &mut Connection,
    input: &mut BytesMut,
    ended: bool,
    error: &io::Error,
    now: Instant,
) {
    machine.handle_stream_rest(now, input);
    with_scratch(|scratch| {
        let scratch = &mut scratch[..READ_BYTES];
        for _ in 0..REST_READS {
            if ended || machine.is_closed() || !machine.wants_stream_read() {
                break;
            }
            let Some(socket) = stream.socket() else { break };
            match (&*socket).read(scratch) {
                Ok(0) => {
                    if may_follow_an_end(error) {
                        machine.handle_stream_end(now, input);
                    }
                    break;
                }
                Ok(count) => take(machine, input, &scratch[..count], now),
                Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    // Nothing more can leave, whether it has closed by now or not.
    machine.handle_transport_error(now, transport_error(error));
}

/// Whether a write that failed so may have found that the peer had ended its side in good order before.
///
/// A system tells of a reset or a time limit once: where a write was told, the read behind it finds the end of the stream, as
/// it does where the peer has ended its side. Linux tells them apart by the write: it gives `EPIPE` only where the end had
/// come before the reset. The BSDs and macOS give `EPIPE` for whatever it was, and what it was to the read. Windows gives
/// no such error, and no end to a read behind a reset; under Wine, which does, it counts as the reset.
fn may_follow_an_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Writes what the socket takes now, since nobody will come back to it; not by way of the runtime, which is stopping.
pub(crate) fn abandon(stream: &dyn TcpStream, machine: &mut Connection, now: Instant) {
    let Some(socket) = stream.socket() else { return };
    while machine.stream_queued() > 0 {
        let mut output = machine.stream_output();
        match socket.send_with_flags(output.chunk(), NO_SIGNAL) {
            Ok(count) => output.advance(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A socket that is full counts as one that failed: what is queued never leaves.
            Err(error) => return machine.handle_transport_error(now, transport_error(&error)),
        }
    }
    let _ = socket.shutdown(Shutdown::Write);
    if machine.id().is_none() {
        // The peer has been told nothing that it could lose.
        return;
    }
    // A socket that is closed with something unread is reset, and the peer loses what it has not read.
    let mut discarded = [0; 8 << 10];
    let _ = (0..DISCARDED_READS).all(|_| matches!((&*socket).read(&mut discarded), Ok(1..)));
}

/// Makes the close that follows a reset.
pub(crate) fn reset(stream: &dyn TcpStream) {
    if let Some(socket) = stream.socket() {
        // A socket that has failed already has nothing to reset.
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
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
    with_scratch(|scratch| {
        let scratch = &mut scratch[..READ_BYTES];
        for _ in 0..READS {
            if !machine.wants_stream_read() {
                readiness.set();
                return false;
            }
            match stream.poll_read(cx, scratch) {
                Poll::Ready(Ok(0)) => {
                    *ended = true;
                    machine.handle_stream_end(now, input);
                    return false;
                }
                Poll::Ready(Ok(count)) => take(machine, input, &scratch[..count], now),
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
    })
}

/// Gives the machine what was read; what it leaves stays in `input`. A short read shares memory with others, so that most
/// connections have none of their own.
fn take(machine: &mut Connection, input: &mut BytesMut, read: &[u8], now: Instant) {
    if input.is_empty() && read.len() <= SHORT {
        with_shared(|shared| {
            shared.extend_from_slice(read);
            machine.handle_stream(now, shared);
            input.extend_from_slice(shared);
            shared.clear();
        });
    } else {
        input.extend_from_slice(read);
        machine.handle_stream(now, input);
    }
}

/// What a failed call on the stream means to the machine.
fn transport_error(error: &io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            TransportError::Reset
        }
        io::ErrorKind::TimedOut => TransportError::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            TransportError::Unreachable
        }
        _ => TransportError::Other,
    }
}
