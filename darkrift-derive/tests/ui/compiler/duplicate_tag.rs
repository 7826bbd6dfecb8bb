use darkrift_derive::{Message, MessageSet};

const CHOICE: u16 = 1;

#[derive(Message)]
#[darkrift(tag = 1)]
struct Choose;

#[derive(Message)]
#[darkrift(tag = 7)]
struct Unrelated;

#[derive(Message)]
#[darkrift(tag = CHOICE)]
struct Choice;

#[derive(MessageSet)]
enum Game {
    Choose(Choose),
    Unrelated(Unrelated),
    Choice(Choice),
}

fn main() {}
