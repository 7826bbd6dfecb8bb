use darkrift_derive::{Decode, Encode};

#[derive(Encode, Decode)]
#[repr(isize)]
enum OfNoFixedSizeEither {
    Red,
}

#[derive(Encode, Decode)]
#[repr(usize)]
enum OfNoFixedSize {
    Red,
}

#[derive(Encode, Decode)]
#[repr(C)]
enum OfTheCompilersSize {
    Red,
}

#[derive(Encode, Decode)]
enum OfNoInteger {
    Red,
}

#[derive(Encode, Decode)]
#[repr(u8)]
enum WithFields {
    Red,
    Other(u8),
    Named { id: u8 },
}

#[derive(Encode, Decode)]
enum WithFieldsAndOfNoInteger {
    Circle(f32),
}

#[derive(Encode, Decode)]
#[repr(u8)]
enum WithAttribute {
    #[darkrift(skip)]
    Red,
}

#[derive(Encode, Decode)]
#[repr(u8)]
#[darkrift(encoding = "utf8")]
enum WithEncoding {
    Red,
}

#[derive(Encode, Decode)]
enum Empty {}

fn main() {}
