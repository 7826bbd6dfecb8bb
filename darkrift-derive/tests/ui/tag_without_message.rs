use darkrift_derive::{Decode, Encode, Message};

#[derive(Encode, Decode)]
#[darkrift(tag = 1)]
struct Choose {
    items: Vec<i32>,
}

#[derive(Message, Encode, Decode)]
#[darkrift(tag = 2)]
struct Choice {
    item: i32,
}

fn main() {}
