use darkrift_derive::{Decode, Encode, Message, MessageSet};

#[derive(Encode, Decode)]
union Either {
    float: f32,
    bits: u32,
}

#[derive(Message)]
#[darkrift(tag = 1)]
union Sent {
    float: f32,
    bits: u32,
}

#[derive(MessageSet)]
union Set {
    float: f32,
    bits: u32,
}

fn main() {}
