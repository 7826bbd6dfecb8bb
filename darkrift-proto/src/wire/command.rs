//! Commands: the library's own messages, whose code stands in the tag (`docs/protocol.md`, Message).

use bytes::BytesMut;

use super::header::Header;
use crate::ids::ClientId;

const CONFIGURE: u16 = 0;
const IDENTIFY: u16 = 1;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// From a server, the end of the handshake: the client's id.
    Configure(ClientId),
    /// From a server of the same cluster that connects: its own id there.
    Identify(u16),
    /// A code that means nothing to us; its payload is not kept.
    Unknown(u16),
}

impl Command {
    /// Reads the command of this code; `None` when the payload is too short for it. What follows is ignored.
    pub fn read(code: u16, payload: &[u8]) -> Option<Self> {
        let number = || payload.first_chunk().copied().map(u16::from_be_bytes);
        match code {
            CONFIGURE => number().map(|id| Self::Configure(ClientId::new(id))),
            IDENTIFY => number().map(Self::Identify),
            code => Some(Self::Unknown(code)),
        }
    }

    /// Appends header and payload to `buffer`.
    pub fn write(self, buffer: &mut BytesMut) {
        Header::command(self.code()).write(buffer);
        match self {
            Self::Configure(id) => buffer.extend_from_slice(&id.get().to_be_bytes()),
            Self::Identify(id) => buffer.extend_from_slice(&id.to_be_bytes()),
            Self::Unknown(_) => {}
        }
    }

    /// The code: the tag of the message that carries it.
    pub const fn code(self) -> u16 {
        match self {
            Self::Configure(_) => CONFIGURE,
            Self::Identify(_) => IDENTIFY,
            Self::Unknown(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_writes_its_bytes_and_reads_them_back() {
        for (command, bytes) in [
            (Command::Configure(ClientId::new(0x0102)), &[0x80, 0, 0, 1, 2][..]),
            (Command::Identify(3), &[0x80, 0, 1, 0, 3]),
            (Command::Unknown(7), &[0x80, 0, 7]),
        ] {
            let mut buffer = BytesMut::new();
            command.write(&mut buffer);
            assert_eq!(&buffer[..], bytes);
            assert_eq!(Command::read(command.code(), &bytes[3..]), Some(command));
        }
    }

    #[test]
    fn a_payload_too_short_for_its_id_is_no_command() {
        assert_eq!(Command::read(CONFIGURE, &[0]), None);
        assert_eq!(Command::read(IDENTIFY, &[]), None);
    }

    #[test]
    fn what_follows_the_id_is_ignored() {
        assert_eq!(Command::read(CONFIGURE, &[0, 9, 1, 2]), Some(Command::Configure(ClientId::new(9))));
    }
}
