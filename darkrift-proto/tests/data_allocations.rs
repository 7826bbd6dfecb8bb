//! What reading and writing cost in memory. One test alone in its process, since it counts what the whole process
//! allocates. What the test harness allocates beside it can only add, so the least of several counts is taken.

use std::alloc::System;

use darkrift_proto::bytes::{Bytes, BytesMut};
use darkrift_proto::{Decode, EncodedMessage, Encoding, Message, Reader, Writer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn memory_is_bounded_by_the_bytes_there_are_and_nothing_is_allocated_that_need_not_be() {
    for claimed in [0, 1, 100, 255, 256, 1000, 1023, 1024, 8 * 1024, 65_536, 1 << 24, i32::MAX] {
        let payload = [&claimed.to_be_bytes()[..], &[0; 1024]].concat();
        is_bounded::<String>(&payload);
        is_bounded::<Bytes>(&payload);
        is_bounded::<Vec<u8>>(&payload);
        is_bounded::<Vec<bool>>(&payload);
        is_bounded::<Vec<f64>>(&payload);
        is_bounded::<Vec<char>>(&payload);
        is_bounded::<Vec<String>>(&payload);
        is_bounded::<Vec<Vec<i32>>>(&payload);
        is_bounded::<Vec<[u64; 32]>>(&payload);
        is_bounded::<Vec<()>>(&payload);
    }

    let mut buffer = BytesMut::with_capacity(1024);
    let (name, numbers) = ("a name", [1, 2, 3]);
    assert_eq!(allocations(|| append(&mut buffer, name, &numbers)), 0, "writing where there is room");
    let payload = buffer.freeze();
    // Bytes allocate once when they are first shared.
    let _shared = payload.clone();
    let in_place = allocations(|| {
        let mut reader = Reader::from_bytes(&payload).with_encoding(Encoding::Utf8);
        assert_eq!(reader.read_str().unwrap(), name);
        assert_eq!(reader.read::<[i32; 3]>().unwrap(), numbers);
        assert_eq!(reader.read_bytes().unwrap(), name);
    });
    assert_eq!(in_place, 0, "reading in place");
    let fields = |writer: &mut Writer| (0..16).for_each(|number| writer.write_i32(number));
    assert_eq!(written_to_a_new_writer(fields), 1, "64 bytes of small fields");
    let raw = |writer: &mut Writer| (0..16).for_each(|_| writer.write_raw(&[1; 4]));
    assert_eq!(written_to_a_new_writer(raw), 1, "64 bytes a few at a time");
    let numbers: Vec<u64> = (0..1000).collect();
    assert_eq!(written_to_a_new_writer(|writer| writer.write(&numbers).unwrap()), 1, "an array");
    let text = "naïve ".repeat(100);
    assert_eq!(written_to_a_new_writer(|writer| writer.write_string(&text).unwrap()), 1, "text");
    let state = ([1.0_f32; 7], 1_u16, 2_u32);
    assert_eq!(allocations(|| drop(Message::encode(1, &state).unwrap())), 1, "a value that knows its length");
    let words = Message::encode(1, "naïve").unwrap();
    let read = allocations(|| drop(words.decode::<String>().unwrap()));
    assert_eq!(read, 3, "room for ASCII, for as many characters, and for the one that takes two bytes");
    let message = Message::new(1, vec![7; 40]);
    let encoded = allocations(|| drop(EncodedMessage::new(&message).unwrap()));
    assert!(encoded <= 2, "{encoded} allocations for one buffer and the count of who shares it");
}

fn written_to_a_new_writer(write: impl Fn(&mut Writer)) -> usize {
    allocations(|| {
        let mut writer = Writer::new();
        write(&mut writer);
    })
}

fn append(buffer: &mut BytesMut, name: &str, numbers: &[i32; 3]) {
    let mut writer = Writer::append_to(std::mem::take(buffer), Encoding::Utf8);
    writer.write_string(name).unwrap();
    writer.write(numbers).unwrap();
    writer.write_bytes(name.as_bytes()).unwrap();
    *buffer = writer.into_buffer();
}

/// Bools take eight times their bytes, and strings six times their lengths.
fn is_bounded<T: Decode>(payload: &[u8]) {
    let change = measured(|| drop(Reader::new(payload).read::<T>()));
    let most = 8 * payload.len() + 256;
    assert!(change.bytes_allocated <= most, "{}: {change:?}", std::any::type_name::<T>());
}

fn allocations(body: impl FnMut()) -> usize {
    let change = measured(body);
    change.allocations + change.reallocations
}

fn measured(mut body: impl FnMut()) -> Stats {
    let mut once = || {
        let region = Region::new(ALLOCATOR);
        body();
        region.change()
    };
    (0..5).map(|_| once()).min_by_key(|change| change.bytes_allocated).expect("it is counted")
}
