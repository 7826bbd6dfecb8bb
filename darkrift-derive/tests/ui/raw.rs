use darkrift_derive::{Decode, Encode};

#[derive(Encode, Decode)]
struct Two {
    #[darkrift(raw)]
    first: Vec<u8>,
    #[darkrift(raw)]
    second: Vec<u8>,
}

#[derive(Encode, Decode)]
struct NotLast {
    #[darkrift(raw)]
    bytes: Vec<u8>,
    number: i32,
}

#[derive(Encode, Decode)]
struct TwoInATuple(u8, #[darkrift(raw)] Vec<u8>, #[darkrift(raw)] Vec<u8>);

fn main() {}
