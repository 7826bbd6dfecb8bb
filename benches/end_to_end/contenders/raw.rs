//! Baseline (b): raw tokio sockets with no framing. Both sides know the length of every message beforehand.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ended;
use super::hand::{ByHand, Stream};
use crate::contender::{Answer, Mode, Shape};

pub(crate) type Raw = ByHand<RawStream>;

/// How much one call reads at most, and how much is queued before it is written.
const CHUNK: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct RawStream {
    stream: TcpStream,
    size: usize,
    input: BytesMut,
    output: BytesMut,
}

impl RawStream {
    /// Reads until there is a whole message. Cancel-safe.
    async fn fill(&mut self) -> io::Result<bool> {
        while self.input.len() < self.size {
            if !self.output.is_empty() {
                self.stream.write_all_buf(&mut self.output).await?;
            }
            self.input.reserve(CHUNK.max(self.size - self.input.len()));
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Stream for RawStream {
    const NAME: &'static str = "raw";

    fn new(stream: TcpStream, shape: Shape) -> Self {
        Self { stream, size: shape.size, input: BytesMut::new(), output: BytesMut::new() }
    }

    async fn echo(mut self) -> io::Result<()> {
        // Only whole messages go back: the peer reads nothing before it has written a message to its end.
        while self.fill().await? {
            let whole = self.input.len() - self.input.len() % self.size;
            self.stream.write_all(&self.input[..whole]).await?;
            self.input.advance(whole);
        }
        Ok(())
    }

    async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        if self.output.len() + payload.len() > CHUNK {
            self.stream.write_all_buf(&mut self.output).await?;
        }
        if payload.len() > CHUNK {
            return self.stream.write_all(payload).await;
        }
        self.output.extend_from_slice(payload);
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Answer> {
        if !self.fill().await? {
            return Err(ended());
        }
        let answer = Answer::read(Mode::Reliable, &self.input[..self.size]);
        self.input.advance(self.size);
        answer
    }
}
