//! The wire, read in the plainest way there is, to compare with.

/// A message as its header has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) command: bool,
    /// With the ping bit: whether it is an acknowledgement, and the code.
    pub(crate) ping: Option<(bool, u16)>,
    pub(crate) tag: u16,
    pub(crate) payload: Vec<u8>,
}

/// What stands at the front of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    Whole(Vec<u8>),
    Part,
    Refused,
}

/// The frame at `position` of a stream, none longer than `limit`.
pub(crate) fn front(stream: &[u8], position: usize, limit: usize) -> Front {
    let rest = &stream[position..];
    if rest.len() < 4 {
        return Front::Part;
    }
    let length = i64::from(i32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]));
    if length < 1 || length > i64::try_from(limit).unwrap_or(i64::MAX) {
        Front::Refused
    } else if rest.len() < 4 + length as usize {
        Front::Part
    } else {
        Front::Whole(rest[4..4 + length as usize].to_vec())
    }
}

/// A message; `None` when it is shorter than its header.
pub(crate) fn message(bytes: &[u8]) -> Option<Plain> {
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let (flags, tag) = (*bytes.first()?, number(1)?);
    let ping = if flags & 0x40 != 0 { Some((flags & 0x20 != 0, number(3)?)) } else { None };
    let header = if ping.is_some() { 5 } else { 3 };
    Some(Plain { command: flags & 0x80 != 0, ping, tag, payload: bytes[header..].to_vec() })
}
