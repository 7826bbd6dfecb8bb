//! Baseline (a): tokio with `LengthDelimitedCodec` by hand, one task per connection, flushing when the input is
//! exhausted.

use std::io;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_util::codec::{self, LengthDelimitedCodec};

use super::ended;
use super::hand::{ByHand, Stream};
use crate::contender::{Answer, Mode, Shape};

pub(crate) type Framed = ByHand<FramedStream>;

#[derive(Debug)]
pub(crate) struct FramedStream(codec::Framed<TcpStream, LengthDelimitedCodec>);

impl FramedStream {
    async fn next(&mut self) -> Option<io::Result<bytes::BytesMut>> {
        match self.0.next().now_or_never() {
            Some(frame) => frame,
            None => {
                if let Err(error) = SinkExt::<Bytes>::flush(&mut self.0).await {
                    return Some(Err(error));
                }
                self.0.next().await
            }
        }
    }
}

impl Stream for FramedStream {
    const NAME: &'static str = "framed";

    fn new(stream: TcpStream, _shape: Shape) -> Self {
        Self(codec::Framed::new(stream, LengthDelimitedCodec::new()))
    }

    async fn echo(mut self) -> io::Result<()> {
        while let Some(frame) = self.next().await {
            self.0.feed(frame?.freeze()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        SinkExt::<&[u8]>::feed(&mut self.0, payload).await
    }

    async fn recv(&mut self) -> io::Result<Answer> {
        let frame = self.next().await.ok_or_else(ended)??;
        Answer::read(Mode::Reliable, &frame)
    }
}
