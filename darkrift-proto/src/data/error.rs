//! What goes wrong between values and bytes: what, where, and in which field of which type.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Encoding;
use crate::count::Count;

/// Why a value could not be read.
///
/// One pointer wide, so that results stay cheap while all is well. It says what was wrong ([`kind`](Self::kind)),
/// at which byte ([`position`](Self::position)), and in which fields ([`path`](Self::path)); displayed, for example:
/// `Player.name: 12 bytes needed at byte 4, 3 left`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DecodeError(Box<Detail<DecodeErrorKind>>);

/// What was wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end before the value does. For an array these are the fewest bytes that its count could take.
    UnexpectedEnd {
        /// Bytes that the value still needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A length or a count below zero.
    NegativeLength(i32),
    /// An array of a fixed size has another count on the wire.
    WrongCount {
        /// The size of the array.
        expected: usize,
        /// The count on the wire.
        found: usize,
    },
    /// Text that is not valid in the reader's encoding.
    InvalidText(Encoding),
    /// A char that is not one UTF-16 unit, or is half of a surrogate pair.
    InvalidChar,
    /// A number that no variant of the enum has.
    InvalidDiscriminant(i128),
    /// The message has another tag than the type it is read as.
    WrongTag {
        /// The tag of the type.
        expected: u16,
        /// The tag of the message.
        found: u16,
        /// The type, as the compiler names it, where it is known.
        type_name: Option<&'static str>,
    },
    /// The message's tag is none of the set's.
    UnknownTag {
        /// The tag of the message.
        found: u16,
        /// The set, as the compiler names it, where it is known.
        type_name: Option<&'static str>,
    },
    /// Bytes are left after the last value.
    LeftOver(usize),
    /// More than a limit that the reading side set.
    LimitExceeded {
        /// The most that is accepted.
        limit: usize,
        /// What the bytes say.
        found: usize,
    },
    /// Values nested in each other deeper than [`MAX_DEPTH`](super::Reader::MAX_DEPTH).
    NestedTooDeep {
        /// The most that is accepted.
        limit: usize,
    },
    /// Values nested in each other that take more memory than
    /// [`MAX_NESTED_BYTES`](super::Reader::MAX_NESTED_BYTES).
    NestedTooLarge {
        /// The most that is accepted, in bytes of memory.
        limit: usize,
    },
    /// More elements of arrays that take no bytes than there are bytes.
    TooManyEmpty {
        /// The most that are accepted.
        limit: usize,
    },
    /// [`Reader::set_position`](super::Reader::set_position) past the end.
    PositionPastEnd {
        /// Bytes there are.
        length: usize,
    },
    /// What a type's own [`Decode`](super::Decode) found wrong.
    Custom(Cow<'static, str>),
}

impl DecodeError {
    /// An error of this kind, nowhere in particular.
    #[cold]
    pub fn new(kind: DecodeErrorKind) -> Self {
        Self(Box::new(Detail { kind, position: None, path: Vec::new() }))
    }

    /// An error in the words of a type's own [`Decode`](super::Decode).
    #[cold]
    pub fn custom(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DecodeErrorKind::Custom(message.into()))
    }

    /// An array of a fixed size with another count on the wire.
    #[cold]
    pub fn wrong_count(expected: usize, found: usize) -> Self {
        Self::new(DecodeErrorKind::WrongCount { expected, found })
    }

    /// A number that no variant of the enum has.
    #[cold]
    pub fn invalid_discriminant(found: impl Into<i128>) -> Self {
        Self::new(DecodeErrorKind::InvalidDiscriminant(found.into()))
    }

    /// A message of another tag than the type's.
    #[cold]
    pub fn wrong_tag(expected: u16, found: u16) -> Self {
        Self::new(DecodeErrorKind::WrongTag { expected, found, type_name: None })
    }

    /// A message of another tag than `T`'s.
    #[cold]
    pub(crate) fn wrong_tag_for<T>(expected: u16, found: u16) -> Self {
        let type_name = Some(core::any::type_name::<T>());
        Self::new(DecodeErrorKind::WrongTag { expected, found, type_name })
    }

    /// A message whose tag is none of the set's.
    #[cold]
    pub fn unknown_tag(tag: u16) -> Self {
        Self::new(DecodeErrorKind::UnknownTag { found: tag, type_name: None })
    }

    /// A message whose tag is none of the set `S`'s.
    #[cold]
    pub fn unknown_tag_of<S>(tag: u16) -> Self {
        let type_name = Some(core::any::type_name::<S>());
        Self::new(DecodeErrorKind::UnknownTag { found: tag, type_name })
    }

    /// `count` bytes left from `position` on.
    #[cold]
    pub fn left_over(position: usize, count: usize) -> Self {
        Self::new(DecodeErrorKind::LeftOver(count)).at(position)
    }

    /// More than a limit accepts.
    #[cold]
    pub fn limit_exceeded(limit: usize, found: usize) -> Self {
        Self::new(DecodeErrorKind::LimitExceeded { limit, found })
    }

    /// The same error, at this byte of the payload.
    #[cold]
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The same error, in this field of this type. Called from the innermost type outwards.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, owner: &'static str, field: &'static str) -> Self {
        self.0.path.push((owner, field));
        self
    }

    /// What was wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// The byte of the payload where it was found, from 0; `None` where it is of no byte (a tag).
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// The fields that lead to it as (type, field), the outermost first.
    pub fn path(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.path.iter().rev().copied()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_path(f)?;
        let at = At(self.0.position);
        match &self.0.kind {
            DecodeErrorKind::UnexpectedEnd { needed, left } => {
                write!(f, "{} needed{at}, {left} left", Count::bytes(*needed))
            }
            DecodeErrorKind::NegativeLength(length) => write!(f, "the length {length}{at}"),
            DecodeErrorKind::WrongCount { expected, found } => {
                write!(f, "{}{at} for an array of {expected}", Count(*found, "value"))
            }
            DecodeErrorKind::InvalidText(encoding) => write!(f, "text{at} is not {encoding}"),
            DecodeErrorKind::InvalidChar => write!(f, "no single char{at}"),
            DecodeErrorKind::InvalidDiscriminant(found) => write!(f, "no variant has the number {found}{at}"),
            DecodeErrorKind::WrongTag { expected, found, type_name: None } => {
                write!(f, "tag {found} where {expected} was expected")
            }
            DecodeErrorKind::WrongTag { expected, found, type_name: Some(name) } => {
                write!(f, "tag {found}, where {} has {expected}", WithoutModules(name))
            }
            DecodeErrorKind::UnknownTag { found, type_name: None } => {
                write!(f, "no message has the tag {found}")
            }
            DecodeErrorKind::UnknownTag { found, type_name: Some(name) } => {
                write!(f, "{} has no message with the tag {found}", WithoutModules(name))
            }
            DecodeErrorKind::LeftOver(count) => write!(f, "{} left over{at}", Count::bytes(*count)),
            DecodeErrorKind::LimitExceeded { limit, found } => {
                write!(f, "a length of {found}{at}, more than the limit of {limit}")
            }
            DecodeErrorKind::NestedTooDeep { limit } => write!(f, "values nested more than {limit} deep{at}"),
            DecodeErrorKind::NestedTooLarge { limit } => {
                write!(
                    f,
                    "values nested{at} in others that take more than {} of memory",
                    Count::bytes(*limit)
                )
            }
            DecodeErrorKind::TooManyEmpty { limit } => {
                write!(f, "more than {} that take no bytes{at}", Count(*limit, "value"))
            }
            DecodeErrorKind::PositionPastEnd { length } => {
                write!(f, "a position{at}, past the end at {length}")
            }
            DecodeErrorKind::Custom(message) => write!(f, "{message}{at}"),
        }
    }
}

/// Why a value could not be written.
///
/// One pointer wide. It says what was wrong ([`kind`](Self::kind)) and in which fields ([`path`](Self::path)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct EncodeError(Box<Detail<EncodeErrorKind>>);

/// What was wrong with the value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// A character that the encoding has no bytes for.
    Unencodable {
        /// The writer's encoding, or the one named for the call.
        encoding: Encoding,
        /// The first such character.
        character: char,
    },
    /// A `char` that is more than the one UTF-16 unit that the format's char is.
    InvalidChar(char),
    /// A length or a count that the wire's `i32` cannot say.
    TooLong(usize),
    /// More than a limit that the writing side set.
    LimitExceeded {
        /// The most that is accepted.
        limit: usize,
        /// What was to be written.
        found: usize,
    },
    /// A reservation was filled with a value of another length.
    WrongSize {
        /// Bytes reserved.
        reserved: usize,
        /// Bytes of the value.
        found: usize,
    },
    /// [`Writer::set_position`](super::Writer::set_position) past the end, or a reservation of another writer.
    PositionPastEnd {
        /// The position asked for.
        position: usize,
        /// Bytes there are.
        length: usize,
    },
    /// What a type's own [`Encode`](super::Encode) refused.
    Custom(Cow<'static, str>),
}

impl EncodeError {
    /// An error of this kind.
    #[cold]
    pub fn new(kind: EncodeErrorKind) -> Self {
        Self(Box::new(Detail { kind, position: None, path: Vec::new() }))
    }

    /// An error in the words of a type's own [`Encode`](super::Encode).
    #[cold]
    pub fn custom(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(EncodeErrorKind::Custom(message.into()))
    }

    /// A length that the wire's `i32` cannot say.
    #[cold]
    pub fn too_long(length: usize) -> Self {
        Self::new(EncodeErrorKind::TooLong(length))
    }

    /// More than a limit accepts.
    #[cold]
    pub fn limit_exceeded(limit: usize, found: usize) -> Self {
        Self::new(EncodeErrorKind::LimitExceeded { limit, found })
    }

    /// The same error, in this field of this type. Called from the innermost type outwards.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, owner: &'static str, field: &'static str) -> Self {
        self.0.path.push((owner, field));
        self
    }

    /// What was wrong.
    pub fn kind(&self) -> &EncodeErrorKind {
        &self.0.kind
    }

    /// The fields that lead to it as (type, field), the outermost first.
    pub fn path(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.path.iter().rev().copied()
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_path(f)?;
        match &self.0.kind {
            EncodeErrorKind::Unencodable { encoding, character } => {
                write!(f, "{encoding} has no {character:?}")
            }
            EncodeErrorKind::InvalidChar(character) => {
                write!(f, "the char {character:?} is more than one UTF-16 unit")
            }
            EncodeErrorKind::TooLong(length) => write!(f, "a length of {length}, more than an i32 can say"),
            EncodeErrorKind::LimitExceeded { limit, found } => {
                write!(f, "a length of {found}, more than the limit of {limit}")
            }
            EncodeErrorKind::WrongSize { reserved, found } => {
                write!(f, "{} for the {reserved} reserved", Count::bytes(*found))
            }
            EncodeErrorKind::PositionPastEnd { position, length } => {
                write!(f, "a position at byte {position}, past the end at {length}")
            }
            EncodeErrorKind::Custom(message) => f.write_str(message),
        }
    }
}

/// What both errors hold, behind their pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail<Kind> {
    kind: Kind,
    position: Option<usize>,
    /// The innermost first, as the fields are added on the way out.
    path: Vec<(&'static str, &'static str)>,
}

/// How many fields of a path are shown at each of its ends: a value nested a hundred deep has as many.
const SHOWN: usize = 3;

impl<Kind> Detail<Kind> {
    fn fmt_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = SHOWN..self.path.len().saturating_sub(SHOWN);
        for (place, (owner, field)) in self.path.iter().rev().enumerate() {
            if !hidden.contains(&place) {
                write!(f, "{owner}.{field}: ")?;
            } else if place == hidden.start {
                f.write_str("… ")?;
            }
        }
        Ok(())
    }
}

/// A type's name without the modules that it and its parameters are in.
struct WithoutModules(&'static str);

impl fmt::Display for WithoutModules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_in_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
        self.0
            .split_inclusive(|letter| !is_in_path(letter))
            .try_for_each(|path| f.write_str(path.rsplit("::").next().unwrap_or(path)))
    }
}

struct At(Option<usize>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |position| write!(f, " at byte {position}"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_error_names_the_fields_from_the_outside_in_and_what_was_missing() {
        let error = DecodeError::new(DecodeErrorKind::UnexpectedEnd { needed: 12, left: 3 })
            .at(4)
            .in_field("Player", "name");
        assert_eq!(error.to_string(), "Player.name: 12 bytes needed at byte 4, 3 left");

        let error = error.in_field("Game", "players");
        assert_eq!(error.to_string(), "Game.players: Player.name: 12 bytes needed at byte 4, 3 left");
        assert!(error.path().eq([("Game", "players"), ("Player", "name")]));
    }

    #[test]
    fn a_long_path_is_shown_by_its_ends() {
        const NUMBERS: [&str; 9] = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];
        let nested = |depth: usize| {
            let error = DecodeError::unknown_tag(7);
            NUMBERS[..depth].iter().rev().fold(error, |error, number| error.in_field("T", number)).to_string()
        };
        assert_eq!(nested(6), "T.0: T.1: T.2: T.3: T.4: T.5: no message has the tag 7");
        assert_eq!(nested(7), "T.0: T.1: T.2: … T.4: T.5: T.6: no message has the tag 7");
        assert_eq!(nested(9), "T.0: T.1: T.2: … T.6: T.7: T.8: no message has the tag 7");
    }

    #[test]
    fn a_type_s_name_is_shown_without_modules() {
        let shown = |name| WithoutModules(name).to_string();
        assert_eq!(shown("game::messages::Choose"), "Choose");
        assert_eq!(shown("alloc::boxed::Box<game::Wrapped<game::Choose, u8>>"), "Box<Wrapped<Choose, u8>>");
        assert_eq!(shown("(game::Choose, [alloc::string::String; 3])"), "(Choose, [String; 3])");
    }

    #[test]
    fn an_encode_error_names_the_field_and_the_character() {
        let error =
            EncodeError::new(EncodeErrorKind::Unencodable { encoding: Encoding::Ascii, character: 'é' })
                .in_field("Player", "name");
        assert_eq!(error.to_string(), "Player.name: ASCII has no 'é'");
    }

    #[test]
    fn errors_are_one_pointer_wide() {
        assert_eq!(size_of::<Result<(), DecodeError>>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), EncodeError>>(), size_of::<usize>());
    }
}
