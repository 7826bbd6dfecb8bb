//! The handshake: hello, and the acknowledgement in its three shapes (`docs/protocol.md`, Handshake).

use core::fmt;

use bytes::Bytes;

use super::Dialect;

/// The bytes of a token.
pub const TOKEN_BYTES: usize = 8;
/// The bytes of a hello: the version, then the token.
pub const HELLO_BYTES: usize = 1 + TOKEN_BYTES;

const V1_BYTES: usize = TOKEN_BYTES + 4;

/// What ties a client's UDP flow to its TCP stream: the server sends it on TCP, the client returns it on UDP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// The token of these bytes.
    pub const fn new(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as they are on the wire.
    pub const fn as_bytes(&self) -> &[u8; TOKEN_BYTES] {
        &self.0
    }
}

/// As 16 hexadecimal digits.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:016x})", u64::from_be_bytes(self.0))
    }
}

/// The first thing a server writes on TCP, unframed, and what the client sends back on UDP unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hello {
    version: u8,
    token: Token,
}

impl Hello {
    /// A hello of this version byte ([`Dialect::version`]) and token.
    pub const fn new(version: u8, token: Token) -> Self {
        Self { version, token }
    }

    /// Reads a hello; `None` when `bytes` are not exactly [`HELLO_BYTES`].
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&version, token) = bytes.split_first()?;
        Some(Self { version, token: Token(token.try_into().ok()?) })
    }

    /// Its bytes, as they are on the wire.
    pub fn to_bytes(self) -> [u8; HELLO_BYTES] {
        let mut bytes = [self.version; HELLO_BYTES];
        bytes[1..].copy_from_slice(&self.token.0);
        bytes
    }

    /// The version byte. A legacy server may send any.
    pub const fn version(self) -> u8 {
        self.version
    }

    /// The token.
    pub const fn token(self) -> Token {
        self.token
    }
}

/// The server's word, on UDP, that a token arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acknowledgement {
    dialect: Dialect,
    token: Token,
}

impl Acknowledgement {
    /// The acknowledgement of `token` in this dialect.
    pub const fn new(dialect: Dialect, token: Token) -> Self {
        Self { dialect, token }
    }

    /// Reads a datagram as the acknowledgement of the token `expected`, by its shape; `None` for anything else.
    pub fn read(datagram: &[u8], expected: Token) -> Option<Self> {
        let dialect = match datagram {
            [] => Dialect::Legacy,
            [0] => Dialect::V0,
            _ if datagram.len() == V1_BYTES
                && datagram.starts_with(&expected.0)
                && datagram[TOKEN_BYTES..] == [0; V1_BYTES - TOKEN_BYTES] =>
            {
                Dialect::V1
            }
            _ => return None,
        };
        Some(Self::new(dialect, expected))
    }

    /// The datagram: 12 bytes, 1, or none, as the dialect has it.
    pub fn to_bytes(self) -> Bytes {
        match self.dialect {
            Dialect::V1 => {
                let mut bytes = [0; V1_BYTES];
                bytes[..TOKEN_BYTES].copy_from_slice(&self.token.0);
                Bytes::copy_from_slice(&bytes)
            }
            Dialect::V0 => Bytes::from_static(&[0]),
            Dialect::Legacy => Bytes::new(),
        }
    }

    /// The dialect whose shape it has.
    pub const fn dialect(self) -> Dialect {
        self.dialect
    }

    /// The token that it acknowledges.
    pub const fn token(self) -> Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = Token([0x58, 0xd9, 0x5a, 0xb9, 0x61, 0x31, 0xc7, 0x42]);

    #[test]
    fn a_hello_is_its_version_and_its_token() {
        let bytes = [1, 0x58, 0xd9, 0x5a, 0xb9, 0x61, 0x31, 0xc7, 0x42];
        let hello = Hello::new(1, TOKEN);
        assert_eq!(hello.to_bytes(), bytes);
        assert_eq!(Hello::read(&bytes), Some(hello));
        assert_eq!(Hello::read(&bytes[..8]), None);
        assert_eq!(Hello::read(&[0; 10]), None);
    }

    #[test]
    fn each_dialect_is_recognised_by_the_shape_of_its_acknowledgement() {
        for (dialect, bytes) in [
            (Dialect::V1, &[0x58, 0xd9, 0x5a, 0xb9, 0x61, 0x31, 0xc7, 0x42, 0, 0, 0, 0][..]),
            (Dialect::V0, &[0]),
            (Dialect::Legacy, &[]),
        ] {
            let acknowledgement = Acknowledgement::new(dialect, TOKEN);
            assert_eq!(acknowledgement.to_bytes(), bytes);
            assert_eq!(Acknowledgement::read(bytes, TOKEN), Some(acknowledgement));
        }
    }

    #[test]
    fn what_only_resembles_an_acknowledgement_is_none() {
        let own = Acknowledgement::new(Dialect::V1, TOKEN).to_bytes();
        assert_eq!(Acknowledgement::read(&own, Token([1; 8])), None);
        assert_eq!(Acknowledgement::read(&own[..11], TOKEN), None);
        let mut touched = own.to_vec();
        touched[11] = 1;
        assert_eq!(Acknowledgement::read(&touched, TOKEN), None);
        assert_eq!(Acknowledgement::read(&[1], TOKEN), None);
        assert_eq!(Acknowledgement::read(&[0, 0], TOKEN), None);
    }
}
