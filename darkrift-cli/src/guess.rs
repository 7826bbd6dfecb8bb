//! What text a payload most likely is. The wire does not say, so this is a guess.

use std::cmp::Reverse;

use darkrift_tokio::proto::{Encoding, Reader};

/// The fewest characters that bytes without a length are taken for text of.
const SHORTEST_TEXT: usize = 4;

/// What text a payload most likely is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It begins with a string as DarkRift writes it, its length in front.
    String {
        /// The string.
        text: String,
        /// How it is encoded.
        encoding: Encoding,
        /// How many bytes follow it.
        rest: usize,
    },
    /// All of it is UTF-8, without a length in front.
    Text(String),
}

/// Guesses the text that a payload is, or begins with, on a connection whose encoding is `expected`; `None` where it is
/// more likely none.
pub(crate) fn guess(payload: &[u8], expected: Encoding) -> Option<Guess> {
    let mut strings: Vec<_> = [expected, Encoding::Utf16Le, Encoding::Utf8]
        .into_iter()
        .filter_map(|encoding| {
            let (text, rest) = string(payload, encoding)?;
            Some((text, encoding, rest))
        })
        .collect();
    // Any even number of ASCII's bytes is UTF-16, of characters that hardly anybody means.
    strings.sort_by_key(|(text, ..)| Reverse(ascii_share(text)));
    if let Some((text, encoding, rest)) = strings.into_iter().next() {
        return Some(Guess::String { text, encoding, rest });
    }
    let text = std::str::from_utf8(payload).ok()?;
    let is_text = text.chars().nth(SHORTEST_TEXT - 1).is_some() && text.chars().all(is_usual);
    is_text.then(|| Guess::Text(text.into()))
}

/// The string that a payload begins with and how many bytes follow it, unless it is nothing that people write: of a
/// payload that is all string a good part has to be usual, and of one that only begins with it all, and mostly ASCII.
fn string(payload: &[u8], encoding: Encoding) -> Option<(String, usize)> {
    let mut reader = Reader::new(payload).with_encoding(encoding);
    let text = reader.read_string().ok()?;
    let rest = reader.remaining();
    let count = text.chars().count();
    let odd = text.chars().filter(|&c| !is_usual(c)).count();
    let is_string = match rest {
        0 => count > 0 && odd * 4 <= count,
        _ => count > 1 && odd == 0 && ascii_share(&text) >= 500,
    };
    is_string.then_some((text, rest))
}

/// How many of a thousand characters are ASCII.
fn ascii_share(text: &str) -> u64 {
    let (ascii, all) = (text.chars().filter(char::is_ascii).count(), text.chars().count());
    // A long text, times a thousand, is past a `usize` of 32 bits.
    ascii as u64 * 1000 / all.max(1) as u64
}

fn is_usual(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use darkrift_tokio::proto::Writer;

    use super::*;

    fn written(text: &str, encoding: Encoding) -> Vec<u8> {
        let mut writer = Writer::new().with_encoding(encoding);
        writer.write_string(text).unwrap();
        writer.into_bytes().to_vec()
    }

    #[test]
    fn a_string_is_recognised_in_either_encoding() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf8] {
            for expected in [Encoding::Utf16Le, Encoding::Utf8] {
                for text in ["Hello", "four", "ab", "grünes", "line\nline\u{1b}[2J"] {
                    let found = guess(&written(text, encoding), expected);
                    assert_eq!(
                        found,
                        Some(Guess::String { text: text.into(), encoding, rest: 0 }),
                        "{text} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn where_both_are_possible_it_is_the_one_expected() {
        let payload = written("楈楈", Encoding::Utf16Le);
        let text = "HiHi".into();
        assert_eq!(
            guess(&payload, Encoding::Utf16Le),
            Some(Guess::String { text, encoding: Encoding::Utf8, rest: 0 }),
            "but for ASCII"
        );
        let payload = written("ключ", Encoding::Utf16Le);
        let text = "ключ".into();
        assert_eq!(
            guess(&payload, Encoding::Utf16Le),
            Some(Guess::String { text, encoding: Encoding::Utf16Le, rest: 0 })
        );
    }

    #[test]
    fn a_string_with_more_behind_it_is_recognised() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf8] {
            let payload = [written("Ada", encoding), vec![0, 0, 0, 1, 255]].concat();
            let text = "Ada".into();
            assert_eq!(guess(&payload, Encoding::Utf16Le), Some(Guess::String { text, encoding, rest: 5 }));
        }
    }

    #[test]
    fn text_without_a_length_is_recognised() {
        assert_eq!(guess(b"Hello", Encoding::Utf16Le), Some(Guess::Text("Hello".into())));
        assert_eq!(guess("grün".as_bytes(), Encoding::Utf16Le), Some(Guess::Text("grün".into())));
    }

    #[test]
    fn numbers_are_not_taken_for_text() {
        let numbers: [&[u8]; 10] = [
            &[],
            &[65],
            &[0, 0, 0, 0],
            &[0, 0, 0, 4, 0, 0, 0, 1],
            &[0, 0, 0, 2, 0, 0],
            &[0x3f, 0x80, 0, 0],
            &[255, 254, 253, 252],
            &[0, 0, 0, 5, 72, 105],
            &[0, 0, 0, 2, 0x3f, 0x80, 0, 0, 0x3f, 0x80, 0, 0],
            &[0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4],
        ];
        for payload in numbers {
            assert_eq!(guess(payload, Encoding::Utf16Le), None, "{payload:?}");
        }
    }
}
