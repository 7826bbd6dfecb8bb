//! Text of others as it is shown: escaped, so that it can do nothing to a terminal, and of much the beginning.

use std::fmt;

/// The most characters that are shown.
const SHOWN: usize = 200;

/// Text in quotes. What is no printable character is escaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => {
                let (shown, rest) = self.0.split_at(end);
                write!(f, "{shown:?} ... ({} more)", rest.chars().count())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_a_terminal_that_it_would_obey() {
        let hostile = "\u{1b}[2J\u{7}\r\n\u{9b}31m\u{202e}\u{200b}\u{2028}\u{7f}\"";
        let shown = Quoted(hostile).to_string();
        assert!(shown.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{shown}");
        assert_eq!(Quoted("Ünï \"x\"").to_string(), r#""Ünï \"x\"""#);
    }

    #[test]
    fn of_a_long_text_the_beginning_is_shown() {
        let shown = Quoted(&"é".repeat(250)).to_string();
        assert_eq!(shown, format!("\"{}\" ... (50 more)", "é".repeat(200)));
    }
}
