//! What the clients and servers written by hand on tokio have in common: a TCP half of their own, and raw UDP.

use std::io;
use std::marker::PhantomData;

use tokio::net::TcpStream;

use super::datagrams::{Datagrams, echo_datagrams};
use super::server_sockets;
use crate::contender::{Addresses, Answer, Client, Contender, Mode, Shape};

/// The TCP half: how messages are told apart on a stream.
pub(crate) trait Stream: Sized + Send + 'static {
    const NAME: &'static str;

    fn new(stream: TcpStream, shape: Shape) -> Self;

    /// Returns every message until the peer ends the connection.
    fn echo(self) -> impl Future<Output = io::Result<()>> + Send;

    /// Queues a message.
    fn send(&mut self, payload: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// The next message; sends what is queued when it has to wait. Cancel-safe.
    fn recv(&mut self) -> impl Future<Output = io::Result<Answer>> + Send;
}

#[derive(Debug)]
pub(crate) struct ByHand<S>(PhantomData<S>);

#[derive(Debug)]
pub(crate) struct HandClient<S> {
    reliable: Option<S>,
    unreliable: Option<Datagrams>,
}

impl<S: Stream> Contender for ByHand<S> {
    const NAME: &'static str = S::NAME;
    type Client = HandClient<S>;
    type Server = ();

    async fn serve(shape: Shape) -> io::Result<(Addresses, ())> {
        let (listener, socket, addresses) = server_sockets()?;
        tokio::spawn(echo_datagrams(socket));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that fails shows at its client.
                let _ = stream.set_nodelay(true);
                tokio::spawn(S::new(stream, shape).echo());
            }
        });
        Ok((addresses, ()))
    }

    async fn connect(to: Addresses, shape: Shape) -> io::Result<HandClient<S>> {
        let mut client = HandClient { reliable: None, unreliable: None };
        if shape.channels.has(Mode::Reliable) {
            let stream = TcpStream::connect(to.tcp).await?;
            stream.set_nodelay(true)?;
            client.reliable = Some(S::new(stream, shape));
        }
        if shape.channels.has(Mode::Unreliable) {
            client.unreliable = Some(Datagrams::connect(to.udp, shape).await?);
        }
        Ok(client)
    }
}

impl<S: Stream> Client for HandClient<S> {
    async fn send(&mut self, mode: Mode, payload: &[u8]) -> io::Result<()> {
        match mode {
            Mode::Reliable => {
                self.reliable.as_mut().expect("the shape names this channel").send(payload).await
            }
            Mode::Unreliable => {
                self.unreliable.as_mut().expect("the shape names this channel").send(payload).await
            }
        }
    }

    async fn recv(&mut self) -> io::Result<Option<Answer>> {
        match (&mut self.reliable, &mut self.unreliable) {
            (Some(reliable), None) => reliable.recv().await.map(Some),
            (None, Some(unreliable)) => unreliable.recv().await,
            (Some(reliable), Some(unreliable)) => tokio::select! {
                answer = reliable.recv() => answer.map(Some),
                answer = unreliable.recv() => answer,
            },
            (None, None) => unreachable!("a shape names at least one channel"),
        }
    }
}
