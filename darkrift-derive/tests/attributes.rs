//! What each attribute of a field and of a type does.

use std::marker::PhantomData;

use darkrift_derive::{Decode, Encode, Message};
use darkrift_proto::bytes::Bytes;
use darkrift_proto::{
    Decode, DecodeError, Encode, EncodeError, Encoding, Message as RawMessage, Reader, Writer,
    data::{DecodeErrorKind, EncodeErrorKind},
};

fn encode<T: Encode>(value: &T) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    value.encode(&mut writer)?;
    Ok(writer.into_bytes())
}

fn decode<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(&mut Reader::new(bytes))
}

#[track_caller]
fn assert_round_trip<T: Encode + Decode + PartialEq + std::fmt::Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(encode(value).unwrap(), bytes);
    assert_eq!(decode::<T>(bytes).unwrap(), *value);
}

mod encoding {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Inherits {
        text: String,
    }

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[darkrift(encoding = "utf8")]
    struct Mixed {
        utf8: String,
        #[darkrift(encoding = "utf16be")]
        big: String,
        #[darkrift(encoding = "utf-16le")]
        little: Vec<String>,
        #[darkrift(encoding = "utf32le")]
        wide: Option<String>,
        #[darkrift(encoding = "ascii")]
        ascii: Box<Inherits>,
        again: Inherits,
    }

    #[test]
    fn each_field_has_its_own_and_the_others_that_of_the_struct() {
        let text = || "é".to_string();
        let mixed = Mixed {
            utf8: text(),
            big: text(),
            little: vec![text(), text()],
            wide: Some(text()),
            ascii: Box::new(Inherits { text: "e".into() }),
            again: Inherits { text: text() },
        };
        let mut bytes = vec![0, 0, 0, 2, 0xc3, 0xa9];
        bytes.extend([0, 0, 0, 2, 0x00, 0xe9]);
        bytes.extend([0, 0, 0, 2, 0, 0, 0, 2, 0xe9, 0x00, 0, 0, 0, 2, 0xe9, 0x00]);
        bytes.extend([1, 0, 0, 0, 4, 0xe9, 0, 0, 0]);
        bytes.extend([0, 0, 0, 1, b'e']);
        bytes.extend([0, 0, 0, 2, 0xc3, 0xa9]);
        assert_round_trip(&mixed, &bytes);
    }

    #[test]
    fn a_struct_that_names_none_has_that_of_the_writer_and_of_the_reader() {
        let value = Inherits { text: "é".into() };
        assert_round_trip(&value, &[0, 0, 0, 2, 0xe9, 0]);

        let mut writer = Writer::new().with_encoding(Encoding::Utf8);
        value.encode(&mut writer).unwrap();
        let bytes = writer.into_bytes();
        assert_eq!(bytes, [0, 0, 0, 2, 0xc3, 0xa9][..]);
        let mut reader = Reader::new(&bytes).with_encoding(Encoding::Utf8);
        assert_eq!(Inherits::decode(&mut reader).unwrap(), value);
    }

    #[derive(Debug, Encode, Decode)]
    #[darkrift(encoding = "ascii")]
    struct Plain {
        #[darkrift(encoding = "utf16be")]
        _big: String,
        _text: String,
    }

    #[test]
    fn the_encoding_around_it_is_given_back_whether_it_succeeds_or_fails() {
        for text in ["e", "é"] {
            let mut writer = Writer::new().with_encoding(Encoding::Utf32Le);
            let result = Plain { _big: text.into(), _text: text.into() }.encode(&mut writer);
            assert_eq!(result.is_ok(), text == "e");
            assert_eq!(writer.encoding(), Encoding::Utf32Le);
        }
        for (bytes, succeeds) in [
            (&[0, 0, 0, 2, 0, b'e', 0, 0, 0, 1, b'e'][..], true),
            (&[0, 0, 0, 2, 0, b'e', 0, 0, 0, 1, 0xe9][..], false),
            (&[0, 0, 0, 2, 0xd8, 0x00][..], false),
        ] {
            let mut reader = Reader::new(bytes).with_encoding(Encoding::Utf32Le);
            assert_eq!(Plain::decode(&mut reader).is_ok(), succeeds);
            assert_eq!(reader.encoding(), Encoding::Utf32Le);
        }
    }
}

mod skip {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Cache(u32);

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Player<T, U> {
        id: u16,
        #[darkrift(skip)]
        cache: Cache,
        #[darkrift(skip)]
        state: T,
        health: u8,
        #[darkrift(skip)]
        marker: PhantomData<U>,
    }

    struct NoDefault;

    #[test]
    fn a_skipped_field_is_not_written_and_is_its_default_when_read() {
        let player = Player {
            id: 1,
            cache: Cache(7),
            state: "state".to_string(),
            health: 2,
            marker: PhantomData::<u8>,
        };
        let bytes = encode_skipped(&player);
        assert_eq!(bytes, [0, 1, 2][..]);
        let read: Player<String, u8> = decode(&bytes).unwrap();
        assert_eq!(read, Player { cache: Cache(0), state: String::new(), ..player });
    }

    fn encode_skipped<T, U>(player: &Player<T, U>) -> Bytes {
        // Neither `T` nor `U` need be values: they are not on the wire.
        encode(player).unwrap()
    }

    #[test]
    fn a_marker_needs_no_default_of_its_type() {
        assert!(decode::<Player<(), NoDefault>>(&[0, 1, 2]).is_ok());
    }
}

mod with {
    use super::*;

    mod centimetres {
        use super::*;

        pub(super) fn encode(metres: &f64, writer: &mut Writer) -> Result<(), EncodeError> {
            writer.write_i16((metres * 100.0).round() as i16);
            Ok(())
        }

        pub(super) fn decode(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
            Ok(f64::from(reader.read_i16()?) / 100.0)
        }
    }

    /// An id of 16 bytes without a length.
    struct FixedBytes;

    impl FixedBytes {
        fn encode(id: &[u8; 16], writer: &mut Writer) -> Result<(), EncodeError> {
            writer.write_raw(id);
            Ok(())
        }

        fn decode(reader: &mut Reader<'_>) -> Result<[u8; 16], DecodeError> {
            let mut id = [0; 16];
            id.copy_from_slice(reader.read_raw(16)?);
            Ok(id)
        }
    }

    mod text {
        use super::*;

        pub(super) fn encode(text: &str, writer: &mut Writer) -> Result<(), EncodeError> {
            if text.is_empty() {
                return Err(EncodeError::custom("a name may not be empty"));
            }
            writer.write_string(text)
        }

        pub(super) fn decode(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
            let text = reader.read_string()?;
            if text.is_empty() { Err(DecodeError::custom("a name may not be empty")) } else { Ok(text) }
        }
    }

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Jump {
        #[darkrift(with = centimetres)]
        height: f64,
        #[darkrift(with = FixedBytes)]
        id: [u8; 16],
        #[darkrift(with = self::text, encoding = "utf8")]
        name: String,
    }

    #[test]
    fn the_users_own_functions_write_and_read_the_field() {
        let jump = Jump { height: 1.25, id: [7; 16], name: "é".into() };
        let mut bytes = vec![0, 125];
        bytes.extend([7; 16]);
        bytes.extend([0, 0, 0, 2, 0xc3, 0xa9]);
        assert_round_trip(&jump, &bytes);
    }

    #[test]
    fn the_users_own_errors_name_the_field() {
        let error = encode(&Jump { height: 0.0, id: [0; 16], name: String::new() }).unwrap_err();
        assert_eq!(error.to_string(), "Jump.name: a name may not be empty");
        let error = decode::<Jump>(&[0; 22]).unwrap_err();
        assert_eq!(error.to_string(), "Jump.name: a name may not be empty");
    }
}

mod raw {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Chunk<B: AsRef<[u8]> + From<Bytes>> {
        index: u16,
        #[darkrift(raw)]
        data: B,
        #[darkrift(skip)]
        received: u32,
    }

    #[derive(Debug, PartialEq, Message)]
    #[darkrift(tag = 4)]
    struct Blob(#[darkrift(raw)] Bytes);

    #[test]
    fn raw_bytes_are_the_rest_of_the_payload_without_a_length() {
        let chunk = Chunk { index: 258, data: Bytes::from_static(b"abc"), received: 0 };
        assert_round_trip(&chunk, &[1, 2, b'a', b'b', b'c']);
        assert_round_trip(&Chunk { index: 0, data: vec![9_u8], received: 0 }, &[0, 0, 9]);
        assert_round_trip(&Chunk { index: 0, data: Vec::new(), received: 0 }, &[0, 0]);
    }

    #[test]
    fn raw_bytes_share_the_buffer_of_the_message() {
        let message = RawMessage::new(4, vec![1, 2, 3]);
        let blob: Blob = message.decode_strict().unwrap();
        assert_eq!(blob.0.as_ptr(), message.payload().as_ptr());
    }
}

mod max_len {
    use super::*;

    const MOST: usize = 3;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Chat {
        #[darkrift(max_len = 8)]
        text: String,
        #[darkrift(max_len = MOST - 1, encoding = "utf8")]
        names: Vec<String>,
        #[darkrift(max_len = MOST)]
        icon: Bytes,
        #[darkrift(max_len = MOST)]
        #[allow(clippy::box_collection, reason = "a box begins with the length of what is in it")]
        flags: Option<Box<Vec<bool>>>,
        #[darkrift(raw, max_len = MOST)]
        rest: Vec<u8>,
    }

    fn fits() -> Chat {
        Chat {
            text: "four".into(),
            names: vec!["a name longer than the limit of two".into(), String::new()],
            icon: Bytes::from_static(&[1, 2, 3]),
            flags: Some(Box::new(vec![true, false, true])),
            rest: vec![1, 2, 3],
        }
    }

    #[track_caller]
    fn assert_refused_both_ways(
        chat: &Chat,
        unlimited: &[u8],
        field: &'static str,
        limit: usize,
        found: usize,
    ) {
        let error = encode(chat).unwrap_err();
        assert_eq!(*error.kind(), EncodeErrorKind::LimitExceeded { limit, found });
        assert!(error.path().eq([("Chat", field)]));

        let error = decode::<Chat>(unlimited).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::LimitExceeded { limit, found });
        assert!(error.path().eq([("Chat", field)]));
        assert!(error.to_string().contains(&format!("more than the limit of {limit}")), "{error}");
    }

    #[test]
    fn lengths_up_to_the_limit_pass() {
        let bytes = encode(&fits()).unwrap();
        assert_eq!(decode::<Chat>(&bytes).unwrap(), fits());

        let none = Chat { flags: None, rest: vec![], ..fits() };
        let bytes = encode(&none).unwrap();
        assert_eq!(decode::<Chat>(&bytes).unwrap(), none);
    }

    #[test]
    fn text_is_limited_in_bytes_of_its_encoding() {
        assert_refused_both_ways(
            &Chat { text: "fives".into(), ..fits() },
            &[0, 0, 0, 10, b'f', 0, b'i', 0, b'v', 0, b'e', 0, b's', 0],
            "text",
            8,
            10,
        );
    }

    #[test]
    fn an_array_is_limited_in_elements_before_room_is_made_for_them() {
        let mut bytes = vec![0, 0, 0, 0];
        bytes.extend(3_i32.to_be_bytes());
        let chat = Chat { names: vec![String::new(); 3], ..fits() };
        assert_refused_both_ways(&chat, &bytes, "names", 2, 3);
    }

    #[test]
    fn bytes_are_limited_in_bytes() {
        let chat = Chat { icon: Bytes::from_static(&[0; 4]), ..fits() };
        assert_refused_both_ways(&chat, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0], "icon", 3, 4);
    }

    #[test]
    fn an_optional_array_is_limited_when_it_is_there() {
        let chat = Chat { flags: Some(Box::new(vec![true; 4])), ..fits() };
        assert_refused_both_ways(
            &chat,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0xf0],
            "flags",
            3,
            4,
        );
    }

    #[test]
    fn raw_bytes_are_limited_in_bytes() {
        let chat = Chat { rest: vec![0; 5], ..fits() };
        let bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5];
        assert_refused_both_ways(&chat, &bytes, "rest", 3, 5);
    }
}

mod krate {
    mod reexported {
        pub(super) mod protocol {
            pub(crate) use darkrift_proto::*;
        }
    }

    #[derive(Debug, PartialEq, darkrift_derive::Message)]
    #[darkrift(tag = 1, crate = reexported::protocol)]
    struct Choice {
        item: i32,
    }

    #[derive(Debug, PartialEq, darkrift_derive::MessageSet)]
    #[darkrift(crate = crate::krate::reexported::protocol)]
    enum Game {
        Choice(Choice),
    }

    #[test]
    fn the_types_may_be_found_at_another_path() {
        use reexported::protocol::{Message, MessageSet};
        let message = Message::encode(1, &Choice { item: 5 }).unwrap();
        assert_eq!(Game::from_message(&message).unwrap(), Game::Choice(Choice { item: 5 }));
    }
}
