//! Whatever is written is read back the same, and whatever is read never panics.

use std::fmt::Debug;

use darkrift_proto::bytes::Bytes;
use darkrift_proto::{Decode, Encode, Encoding, Reader, Writer};
use proptest::collection::vec;
use proptest::prelude::*;

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::Utf16Le),
        Just(Encoding::Utf8),
        Just(Encoding::Utf16Be),
        Just(Encoding::Utf32Le),
    ]
}

/// Text that is all ASCII as often as not, and of lengths about a vector's.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,100}", any::<String>(), "[a-zé€😀]{0,70}"]
}

#[track_caller]
fn comes_back<T: Encode + Decode + PartialEq + Debug>(value: T, encoding: Encoding) {
    let mut writer = Writer::new().with_encoding(encoding);
    writer.write(&value).unwrap();
    writer.write_u8(0xa5);
    let bytes = writer.into_bytes();
    for mut reader in [Reader::new(&bytes), Reader::from_bytes(&bytes)] {
        reader.set_encoding(encoding);
        assert_eq!(reader.read::<T>().unwrap(), value);
        assert_eq!(reader.read_u8().unwrap(), 0xa5, "the value ends where it should");
        assert_eq!(reader.remaining(), 0);
    }
}

/// As `f32` and `f64` compare, NaN is not itself: their bits do.
fn bits<T: Encode + ?Sized>(value: &T) -> Bytes {
    let mut writer = Writer::new();
    writer.write(value).unwrap();
    writer.into_bytes()
}

proptest! {
    #[test]
    fn numbers_come_back(a: (u8, i8, u16, i16, u32, i32, u64, i64), b: (bool, Option<u32>, Option<Option<bool>>)) {
        comes_back((a, b), Encoding::default());
    }

    #[test]
    fn floats_come_back_bit_by_bit(single: u32, double: u64, many in vec(any::<u64>(), 0..70)) {
        let value = (f32::from_bits(single), f64::from_bits(double));
        let read: (f32, f64) = Reader::new(&bits(&value)).read().unwrap();
        prop_assert_eq!((read.0.to_bits(), read.1.to_bits()), (single, double));

        let doubles: Vec<f64> = many.iter().copied().map(f64::from_bits).collect();
        prop_assert_eq!(bits(&doubles), bits(&many));
        let read: Vec<f64> = Reader::new(&bits(&doubles)).read().unwrap();
        prop_assert_eq!(bits(&read), bits(&many));
    }

    #[test]
    fn arrays_of_any_length_come_back(
        bytes in vec(any::<u8>(), 0..300),
        signed in vec(any::<i8>(), 0..300),
        shorts in vec(any::<u16>(), 0..300),
        ints in vec(any::<i32>(), 0..300),
        longs in vec(any::<u64>(), 0..100),
        bools in vec(any::<bool>(), 0..70),
    ) {
        comes_back(Bytes::from(bytes.clone()), Encoding::default());
        comes_back((bytes, signed, shorts, ints, longs, bools), Encoding::default());
    }

    #[test]
    fn an_array_of_numbers_is_its_count_and_each_number(ints in vec(any::<i32>(), 0..300), longs in vec(any::<i64>(), 0..200)) {
        let mut writer = Writer::new();
        writer.write_count(ints.len()).unwrap();
        ints.iter().for_each(|&value| writer.write_i32(value));
        writer.write_count(longs.len()).unwrap();
        longs.iter().for_each(|&value| writer.write_i64(value));
        prop_assert_eq!(bits(&(ints, longs)), writer.into_bytes());
    }

    #[test]
    fn arrays_of_a_fixed_size_come_back(
        numbers: [i64; 5],
        bytes: [u8; 9],
        bools: [bool; 17],
        chars in proptest::array::uniform3(any::<char>()),
        texts in proptest::array::uniform2(text()),
    ) {
        comes_back((numbers, bytes, bools, chars, texts, [(); 0]), Encoding::default());
    }

    #[test]
    fn text_comes_back_in_every_encoding(encoding in encoding(), text in text(), texts in vec(text(), 0..5)) {
        comes_back((text.chars().collect::<Vec<_>>(), text, texts), encoding);
    }

    #[test]
    fn text_is_as_the_standard_library_encodes_it(text in text()) {
        let written = |encoding| {
            let mut writer = Writer::new();
            writer.write_string_with(&text, encoding).unwrap();
            writer.into_bytes().slice(4..).to_vec()
        };
        prop_assert_eq!(written(Encoding::Utf8), text.as_bytes());
        prop_assert_eq!(written(Encoding::Utf16Le), text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        prop_assert_eq!(written(Encoding::Utf16Be), text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
        let words = text.chars().map(u32::from);
        prop_assert_eq!(written(Encoding::Utf32Le), words.flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn ascii_comes_back_in_ascii(text in "[\0-\x7f]{0,100}") {
        comes_back(text, Encoding::Ascii);
    }

    #[test]
    fn a_char_of_one_unit_comes_back_in_every_encoding(encoding in encoding(), character: char) {
        if character.len_utf16() == 1 {
            comes_back(character, encoding);
        }
    }

    #[test]
    fn utf_16_is_read_as_the_standard_library_reads_it(units in vec(any::<u16>(), 0..80)) {
        let mut writer = Writer::new();
        writer.write_bytes(&units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>()).unwrap();
        let bytes = writer.into_bytes();
        prop_assert_eq!(Reader::new(&bytes).read_string().ok(), String::from_utf16(&units).ok());
        prop_assert_eq!(Reader::new(&bytes).read_string_lossy().unwrap(), String::from_utf16_lossy(&units));
    }

    #[test]
    fn a_lossy_read_of_valid_text_is_a_strict_one(encoding in encoding(), text in text()) {
        let mut writer = Writer::new();
        writer.write_string_with(&text, encoding).unwrap();
        prop_assert_eq!(Reader::new(&writer.into_bytes()).read_string_lossy_with(encoding).unwrap(), text);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..100), encoding in encoding()) {
        type Everything = (String, Vec<i32>, Vec<bool>, char, Vec<Option<String>>, [char; 2], Vec<Vec<u16>>, Bytes);
        for start in 0..bytes.len() {
            let reader = || Reader::new(&bytes[start..]).with_encoding(encoding);
            let _ = reader().read::<Everything>();
            let _ = reader().read::<Vec<Everything>>();
            let _ = reader().read::<Vec<()>>();
            let _ = reader().read::<[String; 2]>();
            let _ = reader().read_string_lossy();
        }
    }

    #[test]
    fn writing_anywhere_is_as_writing_into_a_plain_vector(steps in vec((any::<u8>(), vec(any::<u8>(), 0..9)), 0..30)) {
        let mut writer = Writer::append_to(b"before"[..].into(), Encoding::default());
        let mut model: Vec<u8> = Vec::new();
        for (position, bytes) in steps {
            let position = usize::from(position) % (model.len() + 1);
            writer.set_position(position).unwrap();
            writer.write_raw(&bytes);
            model.resize(model.len().max(position + bytes.len()), 0);
            model[position..position + bytes.len()].copy_from_slice(&bytes);
            prop_assert_eq!(writer.position(), position + bytes.len());
            prop_assert_eq!(writer.len(), model.len());
        }
        prop_assert_eq!(&writer.into_buffer()[b"before".len()..], &model);
    }
}
