//! The derive allocates what the same code by hand allocates, and nothing besides.

use std::hint::black_box;

use allocation_counter::{AllocationInfo, measure};
use darkrift_derive::{Decode, Encode, Message, MessageSet};
use darkrift_proto::bytes::{Bytes, BytesMut};
use darkrift_proto::{
    DecodeError, Encode, EncodeError, Encoding, Message as RawMessage, MessageSet, Reader, Writer,
};

#[derive(Encode, Decode)]
struct Item {
    id: u32,
    name: String,
}

#[derive(Message)]
#[darkrift(tag = 1, encoding = "utf8")]
struct Derived {
    id: u16,
    name: String,
    items: Vec<Item>,
    #[darkrift(max_len = 100)]
    scores: Vec<i32>,
    icon: Bytes,
    #[darkrift(raw)]
    rest: Bytes,
}

#[derive(MessageSet)]
enum Set {
    Derived(Derived),
}

fn sample() -> Derived {
    let item = |id| Item { id, name: format!("item {id}") };
    Derived {
        id: 1,
        name: "Ann".into(),
        items: (0..20).map(item).collect(),
        scores: (0..50).collect(),
        icon: Bytes::from_static(b"icon"),
        rest: Bytes::from_static(b"rest"),
    }
}

fn encode_by_hand(value: &Derived, writer: &mut Writer) -> Result<(), EncodeError> {
    writer.write_u16(value.id);
    writer.write_string_with(&value.name, Encoding::Utf8)?;
    writer.write_count(value.items.len())?;
    for item in &value.items {
        writer.write_u32(item.id);
        writer.write_string_with(&item.name, Encoding::Utf8)?;
    }
    writer.write(&value.scores)?;
    writer.write_bytes(&value.icon)?;
    writer.write_raw(&value.rest);
    Ok(())
}

fn decode_by_hand(reader: &mut Reader<'_>) -> Result<Derived, DecodeError> {
    Ok(Derived {
        id: reader.read_u16()?,
        name: reader.read_string_with(Encoding::Utf8)?,
        items: reader.read_vec_with(8, |reader| {
            Ok(Item { id: reader.read_u32()?, name: reader.read_string_with(Encoding::Utf8)? })
        })?,
        scores: reader.read()?,
        icon: reader.read_bytes()?,
        rest: reader.read_rest(),
    })
}

fn allocations(work: impl FnOnce()) -> (u64, u64) {
    let AllocationInfo { count_total, bytes_total, .. } = measure(work);
    (count_total, bytes_total)
}

#[test]
fn writing_allocates_as_by_hand() {
    let value = sample();
    let write = |encode: fn(&Derived, &mut Writer) -> Result<(), EncodeError>| {
        allocations(|| {
            let mut writer = Writer::new();
            encode(&value, &mut writer).unwrap();
            black_box(writer.into_bytes());
        })
    };
    let by_hand = write(encode_by_hand);
    assert_eq!(write(Derived::encode), by_hand);
    assert!(by_hand.0 > 0, "nothing was counted");
}

#[test]
fn writing_into_room_that_is_there_allocates_nothing() {
    let value = sample();
    let mut buffer = Some(BytesMut::with_capacity(4096));
    let allocated = allocations(|| {
        let mut writer = Writer::append_to(buffer.take().unwrap(), Encoding::default());
        value.encode(&mut writer).unwrap();
        buffer = Some(writer.into_buffer());
    });
    assert_eq!(allocated, (0, 0));
}

#[test]
fn reading_allocates_as_by_hand() {
    let message = RawMessage::encode(1, &sample()).unwrap();
    let by_hand = allocations(|| drop(black_box(decode_by_hand(&mut message.reader()).unwrap())));
    assert_eq!(allocations(|| drop(black_box(message.decode::<Derived>().unwrap()))), by_hand);
    assert_eq!(allocations(|| drop(black_box(Set::from_message(&message).unwrap()))), by_hand);
    assert!(by_hand.0 >= 23, "a name, an array and 20 names in it, an array: fewer were counted");
}
