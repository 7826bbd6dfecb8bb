//! What hostile peers do: whatever they like, from addresses of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use darkrift_proto::{ClientConfig, Message, SendMode};

use crate::{Path, Place, Random, World};

/// One hostile deed. Peers are named by a number that is taken modulo how many there are.
#[derive(Clone, Debug)]
pub(super) enum Hostility {
    /// Opens a stream to the server.
    Connect(Box<Path>),
    /// Takes a client's stream in the server's place, and says hello to it.
    Serve(Box<Path>, Vec<u8>),
    /// Returns the token, as an honest client would; as a server, answers it.
    Pair(usize),
    Write(usize, Vec<u8>),
    Datagram(usize, Vec<u8>),
    End(usize, bool),
    StopReading(usize),
    /// The other side's application sends something, as it would to anybody.
    IsSent(usize, usize),
}

impl Hostility {
    pub(super) fn new(random: &mut Random) -> Self {
        let who = random.size(0..64);
        match random.within(0..20) {
            0..4 => Self::Connect(path(random)),
            4..6 => Self::Serve(path(random), hello(random)),
            6..9 => Self::Pair(who),
            9..13 => Self::Write(who, stream(random)),
            13..16 => Self::Datagram(who, datagram(random)),
            16 => Self::End(who, random.one_in(2)),
            17 => Self::StopReading(who),
            _ => Self::IsSent(who, random.size(0..3000)),
        }
    }
}

/// The hostile peers of one history.
#[derive(Debug, Default)]
pub(super) struct Hostile {
    /// Their pairs, and whether the peer is the server's side.
    pairs: Vec<(usize, bool)>,
}

impl Hostile {
    pub(super) fn act(&mut self, world: &mut World, hostility: &Hostility) {
        let pair_of = |who: &usize| {
            let count = self.pairs.len();
            (count > 0).then(|| self.pairs[who % count])
        };
        match hostility {
            Hostility::Connect(path) => self.pairs.push((world.connect_raw(path), false)),
            Hostility::Serve(path, hello) => {
                let pair = world.connect_to_raw(Arc::new(ClientConfig::default()), path);
                world.raw_write(pair, hello);
                self.pairs.push((pair, true));
            }
            Hostility::Pair(who) => {
                let Some((pair, is_server)) = pair_of(who) else { return };
                let hello = world.raw_received(pair);
                let answer = match (is_server, world.raw_last_datagram(pair)) {
                    (false, _) if hello.len() >= 9 => hello.slice(..9),
                    (true, Some(token)) if token.len() == 9 => [&token[1..], &[0; 4]].concat().into(),
                    _ => return,
                };
                world.raw_datagram(pair, answer);
                if is_server {
                    world.raw_write(pair, &[0, 0, 0, 5, 0x80, 0, 0, 0, 7]);
                }
            }
            Hostility::Write(who, bytes) => {
                if let Some((pair, _)) = pair_of(who) {
                    world.raw_write(pair, bytes);
                }
            }
            Hostility::Datagram(who, bytes) => {
                if let Some((pair, _)) = pair_of(who) {
                    world.raw_datagram(pair, Bytes::copy_from_slice(bytes));
                }
            }
            Hostility::End(who, reset) => {
                if let Some((pair, _)) = pair_of(who) {
                    world.raw_end(pair, *reset);
                }
            }
            Hostility::StopReading(who) => {
                if let Some((pair, _)) = pair_of(who) {
                    world.raw_stop_reading(pair);
                }
            }
            Hostility::IsSent(who, size) => {
                let Some((pair, is_server)) = pair_of(who) else { return };
                let place = if is_server { Place::client(pair) } else { Place::server(pair) };
                let message = Message::new(1, vec![0; *size]);
                // Whether it can be sent is up to the peer.
                let _ = world.send(place, SendMode::Reliable, &message);
                let _ =
                    world.with(place, |now, connection| connection.ping(now, SendMode::Unreliable, &message));
            }
        }
    }
}

fn path(random: &mut Random) -> Box<Path> {
    let [.., a, b] = random.number().to_be_bytes();
    // Few enough for two of them to meet at one address.
    let mut path =
        Path::new(SocketAddr::from(([172, 16, 0, a % 4], 2000 + u16::from(b % 4))), random.number());
    path.accepted_after = random.duration(Duration::from_millis(50));
    path.stream_up.longest_read = random.pick(&[1, 4, usize::MAX]);
    path.stream_down.window = random.pick(&[100, 256 << 10]);
    Box::new(path)
}

fn hello(random: &mut Random) -> Vec<u8> {
    let length = random.pick(&[9, 9, 9, 9, 3, 30]);
    random.bytes(length)
}

/// Bytes for a stream: frames of every kind, and noise.
fn stream(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.size(1..5) {
        let body = datagram(random);
        let length = match random.within(0..12) {
            0 => 0,
            1 => random.within(0..1 << 32) as u32,
            2 => random.pick(&[65_534, 65_535, u32::MAX, 1 << 31, (1 << 31) - 1]),
            3 => body.len() as u32 + 1,
            _ => body.len() as u32,
        };
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&body);
    }
    if random.one_in(6) {
        // Many pings, for answers that nobody reads.
        for code in 0..random.within(0..2000) as u16 {
            bytes.extend_from_slice(&[0, 0, 0, 5, 0x40, 0, 1]);
            bytes.extend_from_slice(&code.to_be_bytes());
        }
    }
    bytes
}

/// A message of any kind, whole or not.
fn datagram(random: &mut Random) -> Vec<u8> {
    let length = random.pick(&[0, 1, 2, 3, 4, 5, 6, 9, 12, 40, 1000]);
    let mut bytes = random.bytes(length);
    if let Some(flags) = bytes.first_mut() {
        *flags = random.pick(&[0, 0, 0x20, 0x40, 0x60, 0x80, 0xc0, 0xe0, 1, *flags]);
    }
    bytes
}
