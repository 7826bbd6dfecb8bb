//! Derived code beside the same code by hand: time, and allocations.
//!
//! `cargo bench -p darkrift-derive`: each pair of rows, `by_hand` and `derived`, should read the same.

use darkrift_derive::{Decode, Encode, Message};
use darkrift_proto::{Decode, DecodeError, Encode, EncodeError, Reader, Writer, bytes::BytesMut};
use divan::{AllocProfiler, Bencher, black_box, black_box_drop, counter::BytesCount};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The code by hand, as a user of the reader and the writer would write it.
trait ByHand: Sized {
    fn encode_by_hand(&self, writer: &mut Writer) -> Result<(), EncodeError>;
    fn decode_by_hand(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn sample() -> Self;
}

/// 20 numbers.
#[derive(Message)]
#[darkrift(tag = 1)]
struct Choose {
    items: Vec<i32>,
}

impl ByHand for Choose {
    fn encode_by_hand(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write(&self.items)
    }

    fn decode_by_hand(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { items: reader.read_vec()? })
    }

    fn sample() -> Self {
        Self { items: (0..20).collect() }
    }
}

/// What a game sends most: small, flat, without allocations.
#[derive(Message)]
#[darkrift(tag = 2)]
struct PlayerState {
    position: [f32; 3],
    rotation: (f32, f32, f32, f32),
    id: u16,
    time: u32,
}

impl ByHand for PlayerState {
    fn encode_by_hand(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write(&self.position)?;
        let (x, y, z, w) = self.rotation;
        writer.write_f32(x);
        writer.write_f32(y);
        writer.write_f32(z);
        writer.write_f32(w);
        writer.write_u16(self.id);
        writer.write_u32(self.time);
        Ok(())
    }

    fn decode_by_hand(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: reader.read()?,
            rotation: (reader.read_f32()?, reader.read_f32()?, reader.read_f32()?, reader.read_f32()?),
            id: reader.read_u16()?,
            time: reader.read_u32()?,
        })
    }

    fn sample() -> Self {
        Self { position: [1.0, 2.0, 3.0], rotation: (0.0, 0.5, 0.5, 0.0), id: 7, time: 12_345 }
    }
}

/// Text and nested values.
#[derive(Message)]
#[darkrift(tag = 3)]
struct Inventory {
    owner: String,
    items: Vec<Item>,
    selected: Option<u16>,
}

#[derive(Encode, Decode)]
struct Item {
    id: u32,
    count: u16,
    name: String,
}

impl ByHand for Inventory {
    fn encode_by_hand(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.write_string(&self.owner)?;
        writer.write_count(self.items.len())?;
        for item in &self.items {
            writer.write_u32(item.id);
            writer.write_u16(item.count);
            writer.write_string(&item.name)?;
        }
        writer.write_bool(self.selected.is_some());
        if let Some(selected) = self.selected {
            writer.write_u16(selected);
        }
        Ok(())
    }

    fn decode_by_hand(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            owner: reader.read_string()?,
            items: reader.read_vec_with(10, |reader| {
                Ok(Item { id: reader.read_u32()?, count: reader.read_u16()?, name: reader.read_string()? })
            })?,
            selected: if reader.read_bool()? { Some(reader.read_u16()?) } else { None },
        })
    }

    fn sample() -> Self {
        let item = |id| Item { id, count: 3, name: format!("item {id}") };
        Self { owner: "Ann".into(), items: (0..16).map(item).collect(), selected: Some(4) }
    }
}

#[divan::bench_group(name = "encode")]
mod encode {
    use super::*;

    #[divan::bench(types = [Choose, PlayerState, Inventory])]
    fn by_hand<T: ByHand>(bencher: Bencher<'_, '_>) {
        run::<T>(bencher, T::encode_by_hand);
    }

    #[divan::bench(types = [Choose, PlayerState, Inventory])]
    fn derived<T: ByHand + Encode>(bencher: Bencher<'_, '_>) {
        run::<T>(bencher, T::encode);
    }

    fn run<T: ByHand>(bencher: Bencher<'_, '_>, encode: fn(&T, &mut Writer) -> Result<(), EncodeError>) {
        let value = T::sample();
        let mut buffer = BytesMut::with_capacity(4096);
        bencher.counter(BytesCount::new(payload(&value).len())).bench_local(|| {
            buffer.clear();
            let mut writer = Writer::append_to(std::mem::take(&mut buffer), Default::default());
            encode(black_box(&value), &mut writer).unwrap();
            buffer = writer.into_buffer();
        });
    }
}

#[divan::bench_group(name = "decode")]
mod decode {
    use super::*;

    #[divan::bench(types = [Choose, PlayerState, Inventory])]
    fn by_hand<T: ByHand>(bencher: Bencher<'_, '_>) {
        run::<T>(bencher, T::decode_by_hand);
    }

    #[divan::bench(types = [Choose, PlayerState, Inventory])]
    fn derived<T: ByHand + Decode>(bencher: Bencher<'_, '_>) {
        run::<T>(bencher, T::decode);
    }

    fn run<T: ByHand>(bencher: Bencher<'_, '_>, decode: fn(&mut Reader<'_>) -> Result<T, DecodeError>) {
        let payload = payload(&T::sample());
        bencher
            .counter(BytesCount::new(payload.len()))
            .bench_local(|| black_box_drop(decode(&mut Reader::new(black_box(&payload))).unwrap()));
    }
}

fn payload<T: ByHand>(value: &T) -> Vec<u8> {
    let mut writer = Writer::new();
    value.encode_by_hand(&mut writer).unwrap();
    writer.into_bytes().to_vec()
}
