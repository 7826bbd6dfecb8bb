//! What writing and reading values costs, beside what it costs at the least: a plain copy of the same bytes, and
//! the standard library's own UTF-16.

use std::hint::black_box;

use darkrift_proto::bytes::{BufMut, BytesMut};
use darkrift_proto::{Decode, DecodeError, Encode, EncodeError, Encoding, Message, Reader, Writer};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// Runs of what takes nanoseconds, enough for the clock to tell.
const SHORT: u32 = 1000;

/// What a game sends for each player, many times a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PlayerState {
    position: [f32; 3],
    velocity: [f32; 3],
    heading: f32,
    id: u16,
    frame: u32,
}

impl Encode for PlayerState {
    #[inline]
    fn encode(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        self.position.into_iter().for_each(|value| writer.write_f32(value));
        self.velocity.into_iter().for_each(|value| writer.write_f32(value));
        writer.write_f32(self.heading);
        writer.write_u16(self.id);
        writer.write_u32(self.frame);
        Ok(())
    }

    #[inline]
    fn encoded_len(&self) -> Option<usize> {
        Some(7 * size_of::<f32>() + size_of::<u16>() + size_of::<u32>())
    }
}

impl Decode for PlayerState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: [reader.read_f32()?, reader.read_f32()?, reader.read_f32()?],
            velocity: [reader.read_f32()?, reader.read_f32()?, reader.read_f32()?],
            heading: reader.read_f32()?,
            id: reader.read_u16()?,
            frame: reader.read_u32()?,
        })
    }
}

const STATE: PlayerState =
    PlayerState { position: [1.0, 2.0, 3.0], velocity: [0.1, 0.2, 0.3], heading: 1.5, id: 7, frame: 123_456 };

/// A message made, and dropped again: what is measured is the steady state, where memory goes round.
fn encode<T: Encode + ?Sized>(value: &T) {
    drop(black_box(Message::encode(1, black_box(value))));
}

fn decode<T: Decode>(message: &Message) {
    drop(black_box(black_box(message).decode::<T>()));
}

/// A value appended to a buffer that has room, as a connection's queue has after a while.
fn append<T: Encode + ?Sized>(queue: &mut BytesMut, value: &T) {
    queue.clear();
    let mut writer = Writer::append_to(std::mem::take(queue), Encoding::default());
    black_box(value).encode(&mut writer).unwrap();
    *queue = writer.into_buffer();
}

fn queue() -> BytesMut {
    BytesMut::with_capacity(1 << 12)
}

#[divan::bench(sample_size = SHORT)]
fn state_write(bencher: Bencher<'_, '_>) {
    bencher.bench(|| encode(&STATE));
}

#[divan::bench(sample_size = SHORT)]
fn state_write_queue(bencher: Bencher<'_, '_>) {
    let mut queue = queue();
    bencher.bench_local(|| append(&mut queue, &STATE));
}

#[divan::bench(sample_size = SHORT)]
fn state_read(bencher: Bencher<'_, '_>) {
    let message = Message::encode(1, &STATE).unwrap();
    bencher.bench(|| decode::<PlayerState>(&message));
}

fn numbers<const COUNT: usize>() -> Vec<i32> {
    (0..COUNT as i32).map(|index| index.wrapping_mul(-1_640_531_527)).collect()
}

#[divan::bench(sample_size = SHORT)]
fn i32s_20_write(bencher: Bencher<'_, '_>) {
    write_numbers::<20>(bencher);
}

#[divan::bench(sample_size = SHORT)]
fn i32s_20_write_copy(bencher: Bencher<'_, '_>) {
    copy_written::<20>(bencher);
}

#[divan::bench(sample_size = SHORT)]
fn i32s_20_read(bencher: Bencher<'_, '_>) {
    read_numbers::<20>(bencher);
}

#[divan::bench(sample_size = SHORT)]
fn i32s_20_read_copy(bencher: Bencher<'_, '_>) {
    copy_read::<20>(bencher);
}

#[divan::bench]
fn i32s_100_000_write(bencher: Bencher<'_, '_>) {
    write_numbers::<100_000>(bencher);
}

#[divan::bench]
fn i32s_100_000_write_copy(bencher: Bencher<'_, '_>) {
    copy_written::<100_000>(bencher);
}

#[divan::bench]
fn i32s_100_000_read(bencher: Bencher<'_, '_>) {
    read_numbers::<100_000>(bencher);
}

#[divan::bench]
fn i32s_100_000_read_copy(bencher: Bencher<'_, '_>) {
    copy_read::<100_000>(bencher);
}

fn write_numbers<const COUNT: usize>(bencher: Bencher<'_, '_>) {
    let values = numbers::<COUNT>();
    bencher.counter(BytesCount::of_many::<i32>(COUNT)).bench(|| encode(&values));
}

/// The plain copy beside [`write_numbers`].
fn copy_written<const COUNT: usize>(bencher: Bencher<'_, '_>) {
    let bytes = vec![7; 4 * COUNT];
    bencher.counter(BytesCount::of_many::<i32>(COUNT)).bench(|| {
        let mut buffer = BytesMut::with_capacity(4 + bytes.len());
        buffer.put_i32(COUNT as i32);
        buffer.put_slice(black_box(&bytes));
        drop(black_box(Message::new(1, buffer.freeze())));
    });
}

fn read_numbers<const COUNT: usize>(bencher: Bencher<'_, '_>) {
    let message = Message::encode(1, &numbers::<COUNT>()).unwrap();
    bencher.counter(BytesCount::of_many::<i32>(COUNT)).bench(|| decode::<Vec<i32>>(&message));
}

/// The plain copy beside [`read_numbers`].
fn copy_read<const COUNT: usize>(bencher: Bencher<'_, '_>) {
    let bytes = vec![7u8; 4 * COUNT];
    bencher.counter(BytesCount::of_many::<i32>(COUNT)).bench(|| drop(black_box(black_box(&bytes).clone())));
}

const TEXT: &str = "The quick brown fox jumps over the lazy dog, and then once more.";

#[divan::bench(sample_size = SHORT)]
fn text_write(bencher: Bencher<'_, '_>) {
    assert_eq!(TEXT.len(), 64);
    bencher.bench(|| encode(TEXT));
}

/// The standard library's `encode_utf16` beside [`text_write`]: collected, in one allocation.
#[divan::bench(sample_size = SHORT)]
fn text_write_std(bencher: Bencher<'_, '_>) {
    bencher.bench(|| drop(black_box(black_box(TEXT).encode_utf16().collect::<Vec<u16>>())));
}

#[divan::bench(sample_size = SHORT)]
fn text_write_queue(bencher: Bencher<'_, '_>) {
    let mut queue = queue();
    bencher.bench_local(|| append(&mut queue, TEXT));
}

/// The standard library's `encode_utf16` beside [`text_write_queue`]: put unit by unit.
#[divan::bench(sample_size = SHORT)]
fn text_write_queue_std(bencher: Bencher<'_, '_>) {
    let mut queue = queue();
    bencher.bench_local(|| {
        queue.clear();
        let text = black_box(TEXT);
        queue.put_i32(2 * text.len() as i32);
        text.encode_utf16().for_each(|unit| queue.put_u16_le(unit));
    });
}

#[divan::bench(sample_size = SHORT)]
fn text_read(bencher: Bencher<'_, '_>) {
    let message = Message::encode(1, TEXT).unwrap();
    bencher.bench(|| decode::<String>(&message));
}

/// The standard library's `String::from_utf16` beside [`text_read`], of units that need not be gathered first.
#[divan::bench(sample_size = SHORT)]
fn text_read_std(bencher: Bencher<'_, '_>) {
    let units: Vec<u16> = TEXT.encode_utf16().collect();
    bencher.bench(|| drop(black_box(String::from_utf16(black_box(&units)))));
}

/// A plain copy of the text beside [`text_read`]: the room for a `String` made and given back.
#[divan::bench(sample_size = SHORT)]
fn text_read_copy(bencher: Bencher<'_, '_>) {
    bencher.bench(|| drop(black_box(black_box(TEXT).to_owned())));
}
