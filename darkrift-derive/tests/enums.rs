//! Enums without fields: their integer, read with a check.

use darkrift_derive::{Decode, Encode, Message};
use darkrift_proto::data::DecodeErrorKind;
use darkrift_proto::{Decode, Encode, Message as RawMessage, Reader, Tagged, Writer};

#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[repr(u8)]
enum Team {
    Red = 1,
    Blue,
    Spectator = 255,
}

macro_rules! enum_of_each_integer {
    ($($name:ident: $integer:ty;)*) => {$(
        #[derive(Debug, PartialEq, Encode, Decode)]
        #[repr($integer)]
        enum $name {
            Least = <$integer>::MIN,
            One = 1,
            Most = <$integer>::MAX,
        }

        impl $name {
            fn check() {
                for (value, number) in
                    [(Self::Least, <$integer>::MIN), (Self::One, 1), (Self::Most, <$integer>::MAX)]
                {
                    let mut writer = Writer::new();
                    value.encode(&mut writer).unwrap();
                    let bytes = writer.into_bytes();
                    assert_eq!(bytes, number.to_be_bytes()[..]);
                    assert_eq!(Self::decode(&mut Reader::new(&bytes)).unwrap(), value);
                }
                assert_eq!(Self::MIN_BYTES, size_of::<$integer>());
                assert_eq!(Self::One.encoded_len(), Some(size_of::<$integer>()));
                let unknown: $integer = 2;
                let error = Self::decode(&mut Reader::new(&unknown.to_be_bytes())).unwrap_err();
                assert_eq!(*error.kind(), DecodeErrorKind::InvalidDiscriminant(2));
            }
        }
    )*};
}

enum_of_each_integer! {
    OfU8: u8;
    OfI8: i8;
    OfU16: u16;
    OfI16: i16;
    OfU32: u32;
    OfI32: i32;
    OfU64: u64;
    OfI64: i64;
}

#[test]
fn an_enum_is_its_integer_of_any_size() {
    OfU8::check();
    OfI8::check();
    OfU16::check();
    OfI16::check();
    OfU32::check();
    OfI32::check();
    OfU64::check();
    OfI64::check();
}

#[derive(Debug, PartialEq, Encode, Decode)]
struct Player {
    id: u16,
    team: Team,
    rivals: Vec<Team>,
}

#[test]
fn a_number_of_no_variant_is_an_error_that_names_the_field_and_the_byte() {
    let read = |bytes: &[u8]| Player::decode(&mut Reader::new(bytes));
    let expected = Player { id: 7, team: Team::Blue, rivals: vec![Team::Spectator, Team::Red] };
    assert_eq!(read(&[0, 7, 2, 0, 0, 0, 2, 255, 1]).unwrap(), expected);

    let error = read(&[0, 7, 3, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "Player.team: no variant has the number 3 at byte 2");
    let error = read(&[0, 7, 1, 0, 0, 0, 2, 1, 0]).unwrap_err();
    assert_eq!(error.to_string(), "Player.rivals: no variant has the number 0 at byte 8");
}

#[derive(Debug, PartialEq, Message)]
#[darkrift(tag = 9)]
#[repr(i16)]
enum Emote {
    Wave = -1,
    Dance,
}

#[test]
fn an_enum_can_be_a_message_by_itself() {
    assert_eq!(Emote::TAG, 9);
    for (emote, bytes) in [(Emote::Wave, [0xff, 0xff]), (Emote::Dance, [0, 0])] {
        let message = RawMessage::encode(9, &emote).unwrap();
        assert_eq!(message.payload()[..], bytes);
        assert_eq!(message.decode_strict::<Emote>().unwrap(), emote);
    }
}
