//! The dialects of the handshake (`docs/protocol.md`, Handshake).

use core::fmt;
use core::str::FromStr;

/// How a server acknowledges the token. A client tells the dialects apart by the acknowledgement's shape alone; no
/// one acknowledgement serves every client, so a server is set to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// DarkRift 2.11: version byte 1, acknowledged with the token and four zeros. No client of 2.10 takes it.
    #[default]
    V1,
    /// DarkRift 2.10, and a server of 2.11 with `protocolVersion="0"`: version byte 0, acknowledged with one zero byte. Clients
    /// of 2.11 take it as well.
    V0,
    /// DarkRiftPy 0.1.0: acknowledged with an empty datagram, which some networks drop. Its servers' version byte is
    /// any at all; ours is 0.
    Legacy,
}

impl Dialect {
    /// The version byte of a hello of ours.
    pub const fn version(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V0 | Self::Legacy => 0,
        }
    }
}

/// By its name in settings: `v1`, `v0`, `legacy`.
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V0 => "v0",
            Self::Legacy => "legacy",
        })
    }
}

/// From its name, such as an argument or a settings file gives it.
impl FromStr for Dialect {
    type Err = ParseDialectError;

    fn from_str(name: &str) -> Result<Self, ParseDialectError> {
        match name {
            "v1" => Ok(Self::V1),
            "v0" => Ok(Self::V0),
            "legacy" => Ok(Self::Legacy),
            _ => Err(ParseDialectError(())),
        }
    }
}

/// A text that is not the name of a [`Dialect`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a dialect: there are v1, v0 and legacy")]
pub struct ParseDialectError(());

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn each_dialect_is_found_by_its_name_and_nothing_else_is_one() {
        for dialect in [Dialect::V1, Dialect::V0, Dialect::Legacy] {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        for other in ["", "V1", "v2", "legacy "] {
            assert_eq!(other.parse::<Dialect>(), Err(ParseDialectError(())));
        }
        assert_eq!(ParseDialectError(()).to_string(), "not a dialect: there are v1, v0 and legacy");
    }
}
