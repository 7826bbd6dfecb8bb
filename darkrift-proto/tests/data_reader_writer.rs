//! How a reader and a writer move about: positions, room left and filled in, encodings, shared bytes.

use darkrift_proto::bytes::{Bytes, BytesMut};
use darkrift_proto::data::{DecodeErrorKind, EncodeErrorKind};
use darkrift_proto::{Encoding, Reader, Writer};

#[test]
fn a_writer_overwrites_behind_a_position_and_then_extends() {
    let mut writer = Writer::new();
    writer.write_u32(0x0102_0304);
    writer.set_position(1).unwrap();
    writer.write_u16(0xaaaa);
    assert_eq!((writer.position(), writer.len()), (3, 4));
    writer.write_u32(0xbbbb_bbbb);
    assert_eq!((writer.position(), writer.len()), (7, 7));
    writer.write_u8(0xcc);
    assert_eq!(writer.into_bytes()[..], [1, 0xaa, 0xaa, 0xbb, 0xbb, 0xbb, 0xbb, 0xcc]);
}

#[test]
fn text_and_arrays_overwrite_as_single_values_do() {
    for encoding in [Encoding::Utf16Le, Encoding::Utf8, Encoding::Utf32Le] {
        for text in ["ASCII", "nä ja"] {
            let mut straight = Writer::new().with_encoding(encoding);
            let mut back = Writer::new().with_encoding(encoding);
            back.write_raw(&[0xee; 40]);
            back.set_position(0).unwrap();
            for writer in [&mut straight, &mut back] {
                writer.write_string(text).unwrap();
                writer.write(&vec![1i32, 2, 3]).unwrap();
                writer.write(&[true; 9]).unwrap();
            }
            assert_eq!(back.position(), straight.len());
            let (straight, back) = (straight.into_bytes(), back.into_bytes());
            assert_eq!(back[..straight.len()], straight);
            assert!(back[straight.len()..].iter().all(|&byte| byte == 0xee));
        }
    }
}

#[test]
fn a_position_past_the_end_is_refused() {
    let mut writer = Writer::new();
    writer.write_u16(7);
    writer.set_position(2).unwrap();
    let kind = EncodeErrorKind::PositionPastEnd { position: 3, length: 2 };
    assert_eq!(*writer.set_position(3).unwrap_err().kind(), kind);

    let mut reader = Reader::new(&[0, 7]);
    reader.set_position(2).unwrap();
    let error = reader.set_position(3).unwrap_err();
    assert_eq!(
        (error.kind().clone(), error.position()),
        (DecodeErrorKind::PositionPastEnd { length: 2 }, Some(3))
    );
}

#[test]
fn room_that_was_reserved_is_filled_in_later() {
    let mut writer = Writer::new();
    let count = writer.reserve(4);
    writer.write_u8(1);
    writer.write_u8(2);
    writer.fill(count, &2i32).unwrap();
    writer.write_u8(3);
    assert_eq!(writer.into_bytes()[..], [0, 0, 0, 2, 1, 2, 3]);
}

#[test]
fn room_in_the_middle_is_filled_without_moving_the_position() {
    let mut writer = Writer::new();
    writer.write_raw(&[9; 6]);
    writer.set_position(1).unwrap();
    let room = writer.reserve(2);
    assert_eq!(writer.position(), 3);
    writer.fill(room, &0x0102u16).unwrap();
    writer.write_u8(7);
    assert_eq!(writer.into_bytes()[..], [9, 1, 2, 7, 9, 9]);
}

#[test]
fn room_takes_only_a_value_of_its_length_and_stays_zeros_otherwise() {
    let mut writer = Writer::new();
    let (short, long) = (writer.reserve(1), writer.reserve(3));
    writer.write_u8(9);
    let kind = EncodeErrorKind::WrongSize { reserved: 1, found: 2 };
    assert_eq!(*writer.fill(short, &1u16).unwrap_err().kind(), kind);
    let kind = EncodeErrorKind::WrongSize { reserved: 3, found: 2 };
    assert_eq!(*writer.fill(long, &1u16).unwrap_err().kind(), kind);
    assert_eq!(writer.into_bytes()[..], [0, 0, 0, 0, 9]);
}

#[test]
fn room_at_the_end_is_filled() {
    let mut writer = Writer::new();
    writer.write_u8(9);
    let room = writer.reserve(2);
    writer.fill(room, &0x0102u16).unwrap();
    assert_eq!(writer.into_bytes()[..], [9, 1, 2]);
}

#[test]
fn room_of_another_writer_is_refused() {
    for (position, before) in [(0, &[][..]), (0, &[7, 7]), (4, &[7, 7])] {
        let mut other = Writer::new();
        other.write_raw(&vec![0; position]);
        let room = other.reserve(2);
        let mut writer = Writer::append_to(BytesMut::from(before), Encoding::default());
        writer.write_u8(0);
        let kind = EncodeErrorKind::PositionPastEnd { position, length: 1 };
        assert_eq!(*writer.fill(room, &0x0909u16).unwrap_err().kind(), kind);
        assert_eq!(writer.into_buffer()[..], [before, &[0]].concat());
    }
}

#[test]
fn a_writer_whose_buffer_is_full_overwrites_all_the_same() {
    let mut writer = Writer::append_to(BytesMut::with_capacity(64), Encoding::default());
    writer.write_raw(&[9; 64]);
    writer.set_position(0).unwrap();
    writer.write_u16(0x0102);
    writer.write_raw(&[3, 4]);
    assert_eq!((writer.position(), writer.len()), (4, 64));
    assert_eq!(writer.into_bytes()[..6], [1, 2, 3, 4, 9, 9]);
}

#[test]
fn long_arrays_of_numbers_come_back() {
    let (ints, doubles): (Vec<i32>, Vec<f64>) = (0..5000).map(|number| (number, f64::from(number))).unzip();
    let mut writer = Writer::new();
    writer.write(&ints).unwrap();
    writer.write(&doubles).unwrap();
    let bytes = writer.into_bytes();
    assert_eq!(bytes.len(), 4 + 5000 * 4 + 4 + 5000 * 8);
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.read_vec::<i32>().unwrap(), ints);
    assert_eq!(reader.read_vec::<f64>().unwrap(), doubles);
}

#[test]
fn a_writer_that_appends_counts_from_where_it_began() {
    let mut writer = Writer::append_to(BytesMut::from(&[1, 2, 3][..]), Encoding::Utf8);
    assert!(writer.is_empty());
    let room = writer.reserve(1);
    writer.write_string("A").unwrap();
    assert_eq!((writer.position(), writer.len()), (6, 6));
    writer.fill(room, &8u8).unwrap();
    writer.set_position(5).unwrap();
    writer.write_u8(b'B');
    assert_eq!(writer.into_buffer()[..], [1, 2, 3, 8, 0, 0, 0, 1, b'B']);
}

#[test]
fn text_is_in_the_encoding_of_the_moment_or_the_one_named_for_the_call() {
    let mut writer = Writer::new();
    writer.write_string("é").unwrap();
    writer.write_string_with("é", Encoding::Utf16Be).unwrap();
    writer.set_encoding(Encoding::Utf8);
    writer.write_string("é").unwrap();
    let bytes = writer.into_bytes();
    assert_eq!(bytes[..], [0, 0, 0, 2, 0xe9, 0, 0, 0, 0, 2, 0, 0xe9, 0, 0, 0, 2, 0xc3, 0xa9]);

    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.read_string().unwrap(), "é");
    assert_eq!(reader.read_string_with(Encoding::Utf16Be).unwrap(), "é");
    reader.set_encoding(Encoding::Utf8);
    assert_eq!(reader.read_string().unwrap(), "é");
}

#[test]
fn the_first_and_last_characters_of_each_length_come_back() {
    let edges = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
    for encoding in [Encoding::Utf16Le, Encoding::Utf8, Encoding::Utf16Be, Encoding::Utf32Le] {
        for character in edges.chars() {
            let text = String::from(character);
            let mut writer = Writer::new().with_encoding(encoding);
            writer.write_string(&text).unwrap();
            let bytes = writer.into_bytes();
            assert_eq!(Reader::new(&bytes).read_string_with(encoding).unwrap(), text, "{encoding}");
        }
    }
}

#[test]
fn text_that_the_encoding_lacks_is_refused_unless_lossy() {
    let mut writer = Writer::new().with_encoding(Encoding::Ascii);
    let kind = EncodeErrorKind::Unencodable { encoding: Encoding::Ascii, character: 'é' };
    assert_eq!(*writer.write_string("aé😀").unwrap_err().kind(), kind);

    let mut writer = Writer::new().with_encoding(Encoding::Ascii);
    writer.write_string_lossy("aé😀").unwrap();
    assert_eq!(writer.into_bytes()[..], *b"\0\0\0\x04a???");
}

#[test]
fn a_char_of_two_units_is_refused() {
    let mut writer = Writer::new();
    assert_eq!(*writer.write_char('😀').unwrap_err().kind(), EncodeErrorKind::InvalidChar('😀'));
    assert!(writer.is_empty());
}

#[test]
fn text_in_utf_8_and_ascii_is_read_in_place() {
    let bytes = b"\0\0\0\x03abc";
    for encoding in [Encoding::Utf8, Encoding::Ascii] {
        let text = Reader::new(bytes).read_str_with(encoding).unwrap();
        assert!(matches!(text, std::borrow::Cow::Borrowed("abc")), "{encoding}");
    }
}

#[test]
fn bytes_read_from_bytes_share_the_buffer_and_bytes_read_from_a_slice_do_not() {
    let payload = Bytes::from(b"\0\0\0\x02abcdef".to_vec());
    let mut reader = Reader::from_bytes(&payload);
    let (counted, raw, rest) =
        (reader.read_bytes().unwrap(), reader.read_raw_bytes(1).unwrap(), reader.read_rest());
    assert_eq!((&counted[..], &raw[..], &rest[..]), (&b"ab"[..], &b"c"[..], &b"def"[..]));
    assert_eq!(reader.remaining(), 0);
    assert_eq!(counted.as_ptr(), payload[4..].as_ptr());
    assert_eq!(raw.as_ptr(), payload[6..].as_ptr());
    assert_eq!(rest.as_ptr(), payload[7..].as_ptr());

    let copied = Reader::new(&payload).read_bytes().unwrap();
    assert_eq!(copied, counted);
    assert_ne!(copied.as_ptr(), counted.as_ptr());
}

#[test]
fn a_reader_and_a_writer_say_which_encoding_they_are_in() {
    let mut reader = Reader::new(&[]);
    let mut writer = Writer::new();
    assert_eq!((reader.encoding(), writer.encoding()), (Encoding::Utf16Le, Encoding::Utf16Le));
    reader.set_encoding(Encoding::Utf8);
    writer.set_encoding(Encoding::Utf8);
    assert_eq!((reader.encoding(), writer.encoding()), (Encoding::Utf8, Encoding::Utf8));
}

#[test]
fn a_reader_is_empty_when_there_never_was_a_byte() {
    assert!(Reader::new(&[]).is_empty());
    let mut reader = Reader::new(&[1, 2, 3]);
    assert_eq!((reader.is_empty(), reader.remaining()), (false, 3));
    reader.read_u16().unwrap();
    assert_eq!((reader.is_empty(), reader.remaining()), (false, 1));
}

#[test]
fn a_writer_is_empty_until_it_is_written_to() {
    let mut writer = Writer::with_capacity(1000);
    assert!(writer.is_empty());
    writer.write_u8(1);
    assert!(!writer.is_empty());
    assert!(writer.into_buffer().capacity() >= 1000);
}

#[test]
fn a_reader_goes_back_to_where_it_was() {
    let mut reader = Reader::new(&[0, 1, 0, 2]);
    reader.read_u16().unwrap();
    let position = reader.position();
    assert_eq!(reader.read_u16().unwrap(), 2);
    reader.set_position(position).unwrap();
    assert_eq!((reader.read_u16().unwrap(), reader.remaining(), reader.len()), (2, 0, 4));
}

#[test]
fn a_count_can_be_checked_against_a_limit_before_it_is_read() {
    let bytes = [0, 0, 0, 3, 1, 2, 3];
    let mut reader = Reader::new(&bytes);
    reader.check_count(3).unwrap();
    let error = reader.check_count(2).unwrap_err();
    let kind = DecodeErrorKind::LimitExceeded { limit: 2, found: 3 };
    assert_eq!((error.kind().clone(), error.position()), (kind, Some(0)));
    assert_eq!(reader.read_vec::<u8>().unwrap(), [1, 2, 3]);
}
