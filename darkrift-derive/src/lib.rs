//! Typed messages for DarkRift 2 by derive: a struct with fields is a message, and an enum of messages turns a tag into
//! the right type.
//!
//! | derive | on | writes |
//! | --- | --- | --- |
//! | [`Message`](macro@Message) | a struct, a fieldless enum | `Encode`, `Decode` and `Tagged`: it is sent with its tag |
//! | [`MessageSet`](macro@MessageSet) | an enum of messages | from any received message to the variant of its tag, and back |
//! | [`Encode`](macro@Encode), [`Decode`](macro@Decode) | a struct, a fieldless enum | the value's bytes, as a part of messages |
//!
//! The crate `darkrift` re-exports them with its feature `derive`, which is on by default; a game depends on that
//! crate, and imports a derive together with the trait or the type of the same name: `use darkrift::Message;`.
//!
//! ```
//! # use darkrift_derive::{Decode, Encode, Message, MessageSet};
//! # use darkrift_proto as darkrift;
//! use darkrift::{Decode, Encode, Message, MessageSet};
//!
//! #[derive(Debug, PartialEq, Message)]
//! #[darkrift(tag = 1)]
//! struct Join {
//!     #[darkrift(max_len = 64)]
//!     name: String,
//!     team: Team,
//! }
//!
//! #[derive(Debug, PartialEq, Encode, Decode)]
//! #[repr(u8)]
//! enum Team {
//!     Red = 1,
//!     Blue = 2,
//! }
//!
//! #[derive(Debug, PartialEq, Message)]
//! #[darkrift(tag = 2)]
//! struct World {
//!     players: Vec<Player>,
//! }
//!
//! #[derive(Debug, PartialEq, Encode, Decode)]
//! struct Player {
//!     id: u16,
//!     position: (f32, f32),
//! }
//!
//! #[derive(Debug, PartialEq, MessageSet)]
//! enum Game {
//!     Join(Join),
//!     World(World),
//! }
//!
//! let join = Join { name: "Ann".into(), team: Team::Blue };
//! let message = darkrift::Message::encode(1, &join)?;
//! assert_eq!(message.payload()[..], [0, 0, 0, 6, b'A', 0, b'n', 0, b'n', 0, 2]);
//! assert_eq!(message.decode::<Join>()?, join);
//! assert_eq!(Game::from_message(&message)?, Game::Join(join));
//!
//! // An error says where, and what was missing.
//! let cut = darkrift::Message::new(2, vec![0, 0, 0, 1, 0, 9, 0x3f, 0x80, 0, 0, 0x3f, 0x80]);
//! let error = cut.decode::<World>().unwrap_err();
//! assert_eq!(error.to_string(), "World.players: 10 bytes needed at byte 4, 8 left");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is on the wire
//!
//! The fields, in the order in which they stand, and nothing else: no names, no types, no numbers of fields. A unit
//! struct has no bytes. So the order of the fields *is* the format: both sides must agree on it, and a field is added at
//! the end, if at all (`decode` ignores bytes left over, `decode_strict` refuses them).
//!
//! | field | bytes |
//! | --- | --- |
//! | `u8` to `u64`, `i8` to `i64`, `f32`, `f64` | big-endian |
//! | `bool` | one byte, 1 or 0 |
//! | `char` | as text of one UTF-16 unit |
//! | `String` | its length in bytes as `i32`, then the text in the encoding at hand: UTF-16LE unless set |
//! | `Vec<T>`, `[T; N]` | a count as `i32`, then the values; an array of fixed size refuses any other count |
//! | `Vec<bool>`, `[bool; N]` | a count, then the bits, eight a byte |
//! | `Vec<char>`, `[char; N]` | as `String` |
//! | `Bytes`, `Vec<u8>` | a count, then the bytes; `Bytes` shares the received buffer instead of copying it |
//! | `Option<T>` | a bool, then the value if there is one |
//! | `Box<T>`, `(A, B, …)`, `()` | what is in it, in order |
//! | `ClientId` | its number, as a `u16` |
//! | a struct with `Encode` and `Decode` | its fields |
//! | an enum without fields | the integer of its `#[repr(…)]` |
//!
//! The crate's `docs/protocol.md`, Values, says how this was measured.
//!
//! # Attributes
//!
//! All are written `#[darkrift(…)]`, several of them separated by commas or in several attributes.
//!
//! On a type:
//!
//! | attribute | with | what it does |
//! | --- | --- | --- |
//! | `tag = …` | `Message`, required | the tag: an integer, a constant of any integer type, a value of a fieldless enum, or an expression of these. A tag outside of 0 to 65,535 does not compile |
//! | `encoding = "…"` | `Message`, `Encode`, `Decode` | the encoding of all text in it: `"utf16le"`, `"utf16be"`, `"utf8"`, `"utf32le"`, `"ascii"`. Without it, the one that the writer or reader has. Types within it that name none have this one, too |
//! | `strict` | `MessageSet` | a payload with bytes left over is an error |
//! | `crate = …` | all | the path of the protocol's types, where it is not found by itself (below) |
//!
//! On a field:
//!
//! | attribute | what it does |
//! | --- | --- |
//! | `encoding = "…"` | the encoding of the text in this field, whatever holds it: `String`, `Vec<String>`, `Option<String>`, … |
//! | `skip` | not on the wire; when read, it is its type's `Default` |
//! | `with = path` | the user's own functions: `path::encode(&T, &mut Writer) -> Result<(), EncodeError>` and `path::decode(&mut Reader<'_>) -> Result<T, DecodeError>`; `path` is a module or a type |
//! | `raw` | the rest of the payload as bytes without a length: `Bytes`, `Vec<u8>`, or any type that is `From<Bytes>` and `AsRef<[u8]>`. Only the last field can be, since nothing tells where it ends |
//! | `max_len = …` | the most that the length on the wire may be (bytes of text and of raw bytes, elements of arrays), for writing and for reading; a longer one is refused before room is made for it. On text, bytes, vectors, and those in a `Box` or an `Option` |
//!
//! On a variant of a `MessageSet`:
//!
//! | attribute | what it does |
//! | --- | --- |
//! | `other` | takes every message whose tag is none of the others', whole: the variant holds the untyped `Message`. Without one, an unknown tag is an error that names it and the set |
//!
//! ```
//! # use darkrift_derive::Message;
//! # use darkrift_proto as darkrift;
//! use darkrift::bytes::Bytes;
//! use darkrift::{DecodeError, EncodeError, Message, Reader, Writer};
//!
//! #[repr(u16)]
//! enum Tag {
//!     Upload = 40,
//! }
//!
//! #[derive(Debug, PartialEq, Message)]
//! #[darkrift(tag = Tag::Upload, encoding = "utf8")]
//! struct Upload {
//!     #[darkrift(max_len = 255)]
//!     name: String,
//!     #[darkrift(encoding = "ascii")]
//!     kind: String,
//!     #[darkrift(with = centimetres)]
//!     width: f64,
//!     #[darkrift(skip)]
//!     received: u32,
//!     #[darkrift(raw, max_len = 1 << 16)]
//!     data: Bytes,
//! }
//!
//! mod centimetres {
//! #   use super::*;
//!     pub fn encode(metres: &f64, writer: &mut Writer) -> Result<(), EncodeError> {
//!         writer.write_u16((metres * 100.0).round() as u16);
//!         Ok(())
//!     }
//!
//!     pub fn decode(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
//!         Ok(f64::from(reader.read_u16()?) / 100.0)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let upload = Upload {
//!     name: "é".into(),
//!     kind: "png".into(),
//!     width: 1.5,
//!     received: 7,
//!     data: Bytes::from_static(&[1, 2, 3]),
//! };
//! let message = darkrift::Message::encode(40, &upload)?;
//! let payload = [0, 0, 0, 2, 0xc3, 0xa9, 0, 0, 0, 3, b'p', b'n', b'g', 0, 150, 1, 2, 3];
//! assert_eq!(message.payload()[..], payload);
//! assert_eq!(message.decode::<Upload>()?, Upload { received: 0, ..upload });
//! # Ok(())
//! # }
//! ```
//!
//! # Enums with fields, and maps
//!
//! The format has neither, and games write them in forms of their own: most often a number and what belongs to it, and a
//! count with the pairs. So neither is derived. An enum of messages is a [`MessageSet`](macro@MessageSet); one within a
//! message has its `Encode` and `Decode` written by hand, and a map is a `Vec` of pairs or a field `with` functions that make
//! it one:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! # use darkrift_derive::Message;
//! # use darkrift_proto as darkrift;
//! use darkrift::{Decode, DecodeError, Encode, EncodeError, Message, Reader, Writer};
//!
//! #[derive(Debug, PartialEq, Message)]
//! #[darkrift(tag = 8)]
//! struct Board {
//!     shapes: Vec<Shape>,
//!     #[darkrift(with = pairs)]
//!     points: BTreeMap<u16, i32>,
//! }
//!
//! #[derive(Debug, PartialEq)]
//! enum Shape {
//!     Circle(f32),
//!     Rectangle { width: f32, height: f32 },
//! }
//!
//! impl Encode for Shape {
//!     fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
//!         match self {
//!             Self::Circle(radius) => writer.write(&(0_u8, radius)),
//!             Self::Rectangle { width, height } => writer.write(&(1_u8, width, height)),
//!         }
//!     }
//! }
//!
//! impl Decode for Shape {
//!     fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
//!         Ok(match reader.read_u8()? {
//!             0 => Self::Circle(reader.read()?),
//!             1 => Self::Rectangle { width: reader.read()?, height: reader.read()? },
//!             other => return Err(DecodeError::invalid_discriminant(other)),
//!         })
//!     }
//! }
//!
//! /// A count, then each key with its value.
//! mod pairs {
//! #   use super::*;
//!     pub fn encode<K: Encode, V: Encode>(map: &BTreeMap<K, V>, writer: &mut Writer) -> Result<(), EncodeError> {
//!         writer.write(&map.iter().collect::<Vec<_>>())
//!     }
//!
//!     pub fn decode<K: Decode + Ord, V: Decode>(reader: &mut Reader<'_>) -> Result<BTreeMap<K, V>, DecodeError> {
//!         Ok(reader.read_vec::<(K, V)>()?.into_iter().collect())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let board = Board { shapes: vec![Shape::Circle(1.5)], points: BTreeMap::from([(3, -1)]) };
//! let message = darkrift::Message::encode(8, &board)?;
//! assert_eq!(message.payload()[..], [0, 0, 0, 1, 0, 0x3f, 0xc0, 0, 0, 0, 0, 0, 1, 0, 3, 0xff, 0xff, 0xff, 0xff]);
//! assert_eq!(message.decode_strict::<Board>()?, board);
//! # Ok(())
//! # }
//! ```
//!
//! # What it costs
//!
//! Nothing beyond the code by hand: the generated functions call the reader and the writer field by field, allocate only
//! what the fields' own types do, and copy nothing twice. The errors of fields are built only when there is one.
//!
//! # Generic types
//!
//! Each type parameter that a field on the wire uses is bound by `Encode` or `Decode`; one that only a skipped field uses,
//! by `Default` for reading; one that a field with `with` or `raw` uses, by nothing. Where a field uses an associated type
//! (`T::Item`), the field's type is bound instead. A type that borrows can derive `Encode` alone, and be sent once
//! `Tagged` is written for it:
//!
//! ```
//! # use darkrift_derive::Encode;
//! # use darkrift_proto as darkrift;
//! use darkrift::{Encode, Tagged, ToMessage};
//!
//! #[derive(Encode)]
//! struct Say<'a> {
//!     words: &'a str,
//! }
//!
//! impl Tagged for Say<'_> {
//!     const TAG: u16 = 5;
//! }
//!
//! assert_eq!(Say { words: "Hi" }.tag(), 5);
//! ```
//!
//! # How the generated code finds its types
//!
//! It looks for `darkrift`, `darkrift-proto`, `darkrift-tokio`, `darkrift-smol`, `darkrift-async-std`, `darkrift-std` and
//! `darkrift-driver` among the package's dependencies, in this order and under whatever name they have there. Where none of
//! them is a direct dependency, because another crate re-exports it, `#[darkrift(crate = other::darkrift::proto)]` names the path.
#![forbid(unsafe_code)]

mod attributes;
mod crate_path;
mod decode;
mod encode;
mod errors;
mod generics;
mod message;
mod message_set;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, Result, parse_macro_input};

use crate::message_set::Set;
use crate::value::Value;

/// Writes `Encode`: the fields one after another, or the integer of a fieldless enum with `#[repr(…)]`.
///
/// For what is a part of messages; a message itself derives [`Message`](macro@Message), which includes this. The fields' and
/// the type's attributes are in the [crate's documentation](../darkrift_derive/index.html#attributes).
///
/// A type that has no form in the format does not compile: a union, an enum with fields, an enum without one of the
/// integers `u8` to `u64` and `i8` to `i64`.
///
/// ```compile_fail
/// #[derive(darkrift_derive::Encode)]
/// #[repr(u128)]
/// enum TooLarge {
///     One,
/// }
/// ```
#[proc_macro_derive(Encode, attributes(darkrift))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Value::new(input)?.refuse_tag()?.impl_encode()))
}

/// Writes `Decode`: reads the fields one after another, or the integer of a fieldless enum, which must be one of its
/// variants'.
///
/// An error names the type and the field, those around it, and what was wrong at which byte. For what is a part of
/// messages; a message itself derives [`Message`](macro@Message), which includes this. The fields' and the type's attributes
/// are in the [crate's documentation](../darkrift_derive/index.html#attributes).
///
/// ```
/// # use darkrift_derive::Decode;
/// # use darkrift_proto as darkrift;
/// use darkrift::{Decode, Reader};
///
/// #[derive(Debug, Decode)]
/// struct Player {
///     id: u16,
///     team: Team,
/// }
///
/// #[derive(Debug, Decode)]
/// #[repr(u8)]
/// enum Team {
///     Red,
///     Blue,
/// }
///
/// let error = Player::decode(&mut Reader::new(&[0, 1, 7])).unwrap_err();
/// assert_eq!(error.to_string(), "Player.team: no variant has the number 7 at byte 2");
/// ```
#[proc_macro_derive(Decode, attributes(darkrift))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Value::new(input)?.refuse_tag()?.impl_decode(None)))
}

/// Writes `Encode`, `Decode` and `Tagged`: a type that is always sent with the tag of `#[darkrift(tag = …)]`.
///
/// It is everything that `send` takes and `decode` gives, so `Encode` and `Decode` are not derived beside it. A message of
/// another tag is not decoded as this type. As a field of another type it has no tag on the wire.
///
/// ```
/// # use darkrift_derive::Message;
/// # use darkrift_proto as darkrift;
/// use darkrift::{Message, Tagged, ToMessage};
///
/// const CHOICE: u16 = 2;
///
/// #[derive(Message)]
/// #[darkrift(tag = 1)]
/// struct Choose {
///     items: Vec<i32>,
/// }
///
/// #[derive(Message)]
/// #[darkrift(tag = CHOICE)]
/// struct Choice {
///     item: i32,
/// }
///
/// assert_eq!(Choose::TAG, 1);
/// assert_eq!(Choice { item: 3 }.tag(), 2);
/// ```
///
/// A message without a tag does not compile, and neither does one whose tag is no `u16`, be it a constant's:
///
/// ```compile_fail
/// const TAG: u32 = 65_536;
///
/// #[derive(darkrift_derive::Message)]
/// #[darkrift(tag = TAG)]
/// struct TooLarge;
/// ```
///
/// The other attributes are in the [crate's documentation](../darkrift_derive/index.html#attributes).
#[proc_macro_derive(Message, attributes(darkrift))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    expand(input, |input| Value::new(input)?.impl_message())
}

/// Writes `MessageSet` and `ToMessage` for an enum of messages: from any received message to the variant of its tag in one
/// `match`, and back, with the list of its tags.
///
/// Each variant holds one type that is a message, by itself or in a `Box`; at most one is `#[darkrift(other)]` and takes the
/// messages of all other tags.
///
/// ```
/// # use darkrift_derive::{Message, MessageSet};
/// # use darkrift_proto as darkrift;
/// use darkrift::{Message, MessageSet};
///
/// #[derive(Message)]
/// #[darkrift(tag = 1)]
/// struct Choose {
///     items: Vec<i32>,
/// }
///
/// #[derive(Message)]
/// #[darkrift(tag = 2)]
/// struct Choice {
///     item: i32,
/// }
///
/// #[derive(MessageSet)]
/// enum GameMessage {
///     Choose(Choose),
///     Choice(Choice),
///     #[darkrift(other)]
///     Other(darkrift::Message),
/// }
///
/// assert_eq!(GameMessage::TAGS, [1, 2]);
///
/// let received = darkrift::Message::new(2, vec![0, 0, 0, 9]);
/// match GameMessage::from_message(&received)? {
///     GameMessage::Choose(choose) => println!("to choose from: {:?}", choose.items),
///     GameMessage::Choice(choice) => assert_eq!(choice.item, 9),
///     GameMessage::Other(message) => println!("tag {}", message.tag()),
/// }
/// # Ok::<(), darkrift::DecodeError>(())
/// ```
///
/// Two variants of one tag do not compile, wherever their tags come from:
///
/// ```compile_fail
/// use darkrift_derive::{Message, MessageSet};
///
/// #[derive(Message)]
/// #[darkrift(tag = 1)]
/// struct Choose;
///
/// #[derive(Message)]
/// #[darkrift(tag = 2 - 1)]
/// struct Choice;
///
/// #[derive(MessageSet)]
/// enum GameMessage {
///     Choose(Choose),
///     Choice(Choice),
/// }
/// ```
#[proc_macro_derive(MessageSet, attributes(darkrift))]
pub fn derive_message_set(input: TokenStream) -> TokenStream {
    expand(input, |input| Ok(Set::new(input)?.expand()))
}

fn expand(
    input: TokenStream,
    derive: impl FnOnce(DeriveInput) -> Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(input).unwrap_or_else(syn::Error::into_compile_error).into()
}
