//! A line of the conversation.

use std::time::Duration;

use darkrift_tokio::proto::{Encoding, Message, SendMode};

use super::values::{self, ValueError};
use crate::time::{self, TimeError};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send this message.
    Send(SendMode, Message),
    /// Send it as a ping.
    Ping(Message),
    /// Wait before the next line.
    Wait(Duration),
    /// Print what has been counted.
    Statistics,
    /// Leave.
    Quit,
}

/// A line that asks for nothing known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    /// Its first word is no command.
    #[error("there is no {0:?}, but send, unreliable, ping, wait, stats and quit")]
    Unknown(String),
    /// A tag does not follow.
    #[error("{0:?} is no tag: that is a number up to 65535")]
    Tag(String),
    /// The values are none.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The time is none.
    #[error("{0:?} is {1}")]
    Time(String, TimeError),
    /// Something follows where nothing should.
    #[error("{0} stands by itself")]
    Rest(&'static str),
}

/// Reads a line; `None` for one that is empty or a comment (`#`). Text in it is encoded as said.
///
/// # Errors
/// When it cannot be understood.
pub(crate) fn parse(line: &str, encoding: Encoding) -> Result<Option<Command>, CommandError> {
    let (word, rest) = first_word(line);
    let message = |rest| message(rest, encoding);
    let alone = |name, command| if rest.is_empty() { Ok(command) } else { Err(CommandError::Rest(name)) };
    let command = match word {
        "send" => Command::Send(SendMode::Reliable, message(rest)?),
        "unreliable" => Command::Send(SendMode::Unreliable, message(rest)?),
        "ping" => Command::Ping(message(rest)?),
        "wait" => Command::Wait(
            time::parse(rest).map_err(|error| CommandError::Time(rest.chars().take(40).collect(), error))?,
        ),
        "stats" => alone("stats", Command::Statistics)?,
        "quit" => alone("quit", Command::Quit)?,
        _ if word.is_empty() || word.starts_with('#') => return Ok(None),
        _ => return Err(CommandError::Unknown(word.chars().take(40).collect())),
    };
    Ok(Some(command))
}

/// Reads a tag and values, their text to be encoded as said.
///
/// # Errors
/// When the tag is none, or a value.
pub(crate) fn message(text: &str, encoding: Encoding) -> Result<Message, CommandError> {
    let (tag, rest) = first_word(text);
    let tag = tag.parse().map_err(|_| CommandError::Tag(tag.chars().take(40).collect()))?;
    Ok(Message::new(tag, values::encode(rest, encoding)?))
}

/// The first word, and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Command>, CommandError> {
        parse(line, Encoding::Utf16Le)
    }

    #[test]
    fn a_line_is_a_command() {
        let message = Message::encode(5, "Hello").unwrap();
        assert_eq!(read("send 5 \"Hello\""), Ok(Some(Command::Send(SendMode::Reliable, message.clone()))));
        assert_eq!(
            read("  unreliable\t5  \"Hello\"\r"),
            Ok(Some(Command::Send(SendMode::Unreliable, message.clone())))
        );
        assert_eq!(read("ping 5 \"Hello\""), Ok(Some(Command::Ping(message))));
        assert_eq!(read("send 65535"), Ok(Some(Command::Send(SendMode::Reliable, Message::empty(65535)))));
        assert_eq!(read("wait 250ms"), Ok(Some(Command::Wait(Duration::from_millis(250)))));
        assert_eq!(read("stats"), Ok(Some(Command::Statistics)));
        assert_eq!(read("quit "), Ok(Some(Command::Quit)));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("  # a comment"), Ok(None));
    }

    #[test]
    fn a_line_that_is_none_says_why() {
        for (line, error) in [
            ("shout 5", "there is no \"shout\", but send, unreliable, ping, wait, stats and quit"),
            ("send", "\"\" is no tag: that is a number up to 65535"),
            ("send \"Hello\"", "\"\\\"Hello\\\"\" is no tag: that is a number up to 65535"),
            ("ping 65536", "\"65536\" is no tag: that is a number up to 65535"),
            ("wait 5", "\"5\" is not a time with its unit, such as 250ms, 1.5s or 2m"),
            ("quit now", "quit stands by itself"),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn text_is_encoded_as_the_connection_has_it() {
        let message = Message::encode_with(5, "Hi", Encoding::Utf8).unwrap();
        assert_eq!(
            parse("send 5 \"Hi\"", Encoding::Utf8),
            Ok(Some(Command::Send(SendMode::Reliable, message)))
        );
    }
}
