use darkrift_derive::Message;

const TAG: u32 = 65_536;

enum Tags {
    Negative = -1,
}

#[derive(Message)]
#[darkrift(tag = TAG)]
struct TooLarge;

#[derive(Message)]
#[darkrift(tag = Tags::Negative)]
struct Negative;

fn main() {}
