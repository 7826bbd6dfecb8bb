use darkrift_derive::Message;

#[derive(Message)]
struct Choose {
    items: Vec<i32>,
}

#[derive(Message)]
#[repr(u8)]
enum Emote {
    Wave,
}

fn main() {}
