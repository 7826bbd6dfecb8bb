//! A message as one line: `reliable ordinary tag=5 length=14 string="Hello" hex=00 00 00 0a ...`.

use std::fmt;

use darkrift_tokio::proto::{Encoding, MessageKind, Received, SendMode};

use crate::guess::{Guess, guess};
use crate::hex::Hex;
use crate::text::Quoted;

/// A received message, as it is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLine<'a> {
    received: &'a Received,
    encoding: Encoding,
}

impl<'a> MessageLine<'a> {
    /// The line of a message on a connection whose text has this encoding.
    pub(crate) const fn new(received: &'a Received, encoding: Encoding) -> Self {
        Self { received, encoding }
    }
}

impl fmt::Display for MessageLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, encoding } = *self;
        let channel = match received.send_mode() {
            SendMode::Reliable => "reliable",
            SendMode::Unreliable => "unreliable",
        };
        write!(f, "{channel} {} tag={} ", Kind(received.kind()), received.tag())?;
        PayloadFields { payload: received.payload(), encoding }.fmt(f)
    }
}

/// What a message is to the ping machinery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind(pub(crate) MessageKind);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            MessageKind::Ordinary => f.write_str("ordinary"),
            MessageKind::Ping(code) => write!(f, "ping code={code}"),
            MessageKind::Acknowledgement(code) => write!(f, "acknowledgement code={code}"),
        }
    }
}

/// The length of a payload, the text that it may be, and its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PayloadFields<'a> {
    /// The payload.
    pub(crate) payload: &'a [u8],
    /// The encoding that text is expected in.
    pub(crate) encoding: Encoding,
}

impl fmt::Display for PayloadFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payload, encoding: expected } = *self;
        write!(f, "length={}", payload.len())?;
        match guess(payload, expected) {
            Some(Guess::String { text, encoding, rest }) => {
                write!(f, " string={}", Quoted(&text))?;
                if encoding != expected {
                    write!(f, " encoding={encoding}")?;
                }
                if rest > 0 {
                    write!(f, " rest={rest}")?;
                }
            }
            Some(Guess::Text(text)) => write!(f, " text={}", Quoted(&text))?,
            None => {}
        }
        if payload.is_empty() { Ok(()) } else { write!(f, " hex={}", Hex(payload)) }
    }
}

#[cfg(test)]
mod tests {
    use darkrift_tokio::proto::Message;

    use super::*;

    fn line(message: Message, mode: SendMode) -> String {
        MessageLine::new(&Received::new(message, mode), Encoding::Utf16Le).to_string()
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(
            line(Message::encode(5, "Hi").unwrap(), SendMode::Reliable),
            r#"reliable ordinary tag=5 length=8 string="Hi" hex=00 00 00 04 48 00 69 00"#
        );
        assert_eq!(
            line(Message::empty(7).with_kind(MessageKind::Ping(300)), SendMode::Unreliable),
            "unreliable ping code=300 tag=7 length=0"
        );
        assert_eq!(
            line(Message::new(7, vec![1]).with_kind(MessageKind::Acknowledgement(3)), SendMode::Reliable),
            "reliable acknowledgement code=3 tag=7 length=1 hex=01"
        );
        assert_eq!(
            line(Message::encode_with(5, "Hi!", Encoding::Utf8).unwrap(), SendMode::Reliable),
            r#"reliable ordinary tag=5 length=7 string="Hi!" encoding=UTF-8 hex=00 00 00 03 48 69 21"#
        );
        assert_eq!(
            line(Message::encode(5, &("Hi".to_owned(), 7_u8)).unwrap(), SendMode::Reliable),
            r#"reliable ordinary tag=5 length=9 string="Hi" rest=1 hex=00 00 00 04 48 00 69 00 07"#
        );
    }

    #[test]
    fn no_payload_makes_a_second_line() {
        for text in ["a\nb", "\u{1b}]0;title\u{7} a long text", "\u{85}\u{2028} and more"] {
            for payload in [Message::encode(5, text).unwrap(), Message::new(5, text.as_bytes().to_vec())] {
                let line = line(payload, SendMode::Reliable);
                assert!(line.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{line}");
            }
        }
    }
}
