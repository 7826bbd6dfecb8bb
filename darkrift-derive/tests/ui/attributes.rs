use darkrift_derive::{Decode, Encode, Message, MessageSet};

#[derive(Message)]
#[darkrift(tag = 1, name = "choose")]
struct Unknown {
    #[darkrift(length = 4)]
    items: Vec<i32>,
}

#[derive(Message)]
#[darkrift(tag = 2)]
#[darkrift(tag = 3)]
struct Twice {
    #[darkrift(skip, skip)]
    items: Vec<i32>,
}

#[derive(Encode, Decode)]
#[darkrift(encoding = "latin1")]
struct UnknownEncoding {
    #[darkrift(encoding = utf8)]
    unquoted: String,
}

#[derive(Encode, Decode)]
struct Contradictions {
    #[darkrift(skip, max_len = 4)]
    skipped: Vec<u8>,
    #[darkrift(with = codec, max_len = 4)]
    limited: Vec<u8>,
    #[darkrift(with = "codec")]
    quoted: Vec<u8>,
    #[darkrift(raw, with = codec)]
    raw_with: Vec<u8>,
}

#[derive(Encode, Decode)]
struct RawText {
    #[darkrift(raw, encoding = "utf8")]
    text: Vec<u8>,
}

#[derive(MessageSet)]
#[darkrift(tag = 1)]
enum SetWithTag {
    Unknown(Unknown),
}

#[derive(MessageSet)]
#[darkrift(loose)]
enum UnknownOfSet {
    #[darkrift(tag = 1)]
    Unknown(Unknown),
    Twice(#[darkrift(raw)] Twice),
}

fn main() {}
