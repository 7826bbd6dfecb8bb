//! The library, through its public interface, with its default settings.

use std::io;

use darkrift_tokio::proto::{EncodeError, Received, SendMode, ToMessage, Writer};
use darkrift_tokio::{Client, Server};

use super::{LOOPBACK, ended};
use crate::contender::{self, Addresses, Answer, Channels, Contender, Mode, Patience, Shape};

/// The library, among the contenders of a workload.
pub(crate) const OURS: &str = "ours";

#[derive(Debug)]
pub(crate) struct Ours;

/// The longest header of a message: flags, tag, ping code.
const HEADER: usize = 5;

/// What a server accepts at most unless it is told otherwise, in bytes.
const DEFAULT_FRAME: usize = 65_534;

#[derive(Debug)]
pub(crate) struct OurClient {
    client: Client,
    /// Where an unreliable message may be waited for in vain.
    patience: Option<Patience>,
}

/// A payload as it is, with a tag: what a type of the game's own comes to.
pub(crate) struct Payload<'a>(pub(crate) &'a [u8]);

impl ToMessage for Payload<'_> {
    fn tag(&self) -> u16 {
        1
    }

    fn encode_payload(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_raw(self.0);
        Ok(())
    }
}

impl Contender for Ours {
    const NAME: &'static str = OURS;
    type Client = OurClient;
    type Server = Server;

    async fn serve(shape: Shape) -> io::Result<(Addresses, Server)> {
        let server = Server::builder()
            .max_frame(DEFAULT_FRAME.max(shape.size + HEADER))
            .bind(LOOPBACK)
            .await
            .map_err(io::Error::other)?;
        let addresses = Addresses { tcp: server.local_addr(), udp: server.udp_addr() };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Some(client) = accepting.accept().await {
                tokio::spawn(echo(client));
            }
        });
        Ok((addresses, server))
    }

    async fn connect(to: Addresses, shape: Shape) -> io::Result<OurClient> {
        let client =
            Client::builder().udp_port(to.udp.port()).connect(to.tcp).await.map_err(io::Error::other)?;
        let patience = (shape.channels != Channels::Only(Mode::Reliable)).then(|| Patience::new(shape));
        Ok(OurClient { client, patience })
    }
}

/// Returns every message on the channel it came on.
async fn echo(client: Client) {
    while let Some(received) = client.recv().await {
        if client.send(received.send_mode(), received.message()).await.is_err() {
            break;
        }
    }
}

impl contender::Client for OurClient {
    async fn send(&mut self, mode: Mode, payload: &[u8]) -> io::Result<()> {
        if let Some(patience) = &mut self.patience {
            patience.sent();
        }
        let mode = match mode {
            Mode::Reliable => SendMode::Reliable,
            Mode::Unreliable => SendMode::Unreliable,
        };
        self.client.send(mode, &Payload(payload)).await.map_err(io::Error::other)
    }

    async fn recv(&mut self) -> io::Result<Option<Answer>> {
        match &mut self.patience {
            Some(patience) => match patience.wait(self.client.recv()).await {
                Some(received) => answer(received).map(Some),
                None => Ok(None),
            },
            None => answer(self.client.recv().await).map(Some),
        }
    }
}

fn answer(received: Option<Received>) -> io::Result<Answer> {
    let received = received.ok_or_else(ended)?;
    let mode = match received.send_mode() {
        SendMode::Reliable => Mode::Reliable,
        SendMode::Unreliable => Mode::Unreliable,
    };
    Answer::read(mode, received.payload())
}
