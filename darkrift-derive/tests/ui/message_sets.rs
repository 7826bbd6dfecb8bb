use darkrift_derive::{Message, MessageSet};

#[derive(Message)]
#[darkrift(tag = 1)]
struct Choose;

#[derive(MessageSet)]
enum Shapes {
    Choose,
    Two(Choose, Choose),
    Named { choose: Choose },
}

#[derive(MessageSet)]
enum TwoOthers {
    Choose(Choose),
    #[darkrift(other)]
    Other(darkrift_proto::Message),
    #[darkrift(other)]
    Another(darkrift_proto::Message),
}

#[derive(MessageSet)]
enum Generic<T> {
    Choose(T),
}

#[derive(MessageSet)]
struct Struct(Choose);

#[derive(MessageSet)]
enum Empty {}

fn main() {}
