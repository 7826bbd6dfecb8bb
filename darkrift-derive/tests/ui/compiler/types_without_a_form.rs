use std::collections::HashMap;

use darkrift_derive::Message;

#[derive(Message)]
#[darkrift(tag = 1)]
struct Scores {
    points: HashMap<u16, i32>,
    rounds: usize,
}

fn main() {}
