use darkrift_derive::Message;

#[derive(Message)]
#[darkrift(tag = 65_536)]
struct TooLarge;

#[derive(Message)]
#[darkrift(tag = -1)]
struct Negative;

#[derive(Message)]
#[darkrift(tag = 1_u32)]
struct OfAnotherType;

#[derive(Message)]
#[darkrift(tag = "1")]
struct Text;

#[derive(Message)]
#[darkrift(tag)]
struct Nothing;

fn main() {}
