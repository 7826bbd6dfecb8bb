use darkrift_derive::{Encode, Message, MessageSet};
use darkrift_proto::{EncodedMessage, Message, Received};

#[derive(Encode)]
struct Vector {
    x: f32,
}

#[derive(Message)]
#[darkrift(tag = 1)]
struct Choose;

#[derive(MessageSet)]
enum Game {
    Choose(Choose),
}

fn without_the_question_mark() {
    EncodedMessage::new(&Message::encode(1, "hello"));
}

fn of_no_tag(vector: &Vector) {
    EncodedMessage::new("hello");
    EncodedMessage::new(vector);
}

fn a_set_as_one_type(received: &Received) {
    received.decode::<Game>();
}

fn main() {}
