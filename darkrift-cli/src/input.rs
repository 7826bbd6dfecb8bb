//! Standard input, read on a thread beside the runtime: a read from a terminal cannot be taken back.

use std::io::{self, BufRead, Read, stdin};
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// How many lines may wait to be carried out; the input is not read on meanwhile.
const WAITING: usize = 16;

/// A line that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It is too long; it was passed over.
    #[error("a line of more than {LONGEST_LINE} bytes")]
    TooLong,
    /// It is not UTF-8; it was passed over.
    #[error("a line that is not UTF-8")]
    NotText,
    /// The input cannot be read on.
    #[error("the input cannot be read: {0}")]
    Read(io::Error),
}

/// The lines of standard input, until it ends.
pub(crate) fn lines() -> mpsc::Receiver<Result<String, InputError>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut input = stdin().lock();
        while let Some(line) = next_line(&mut input) {
            let is_last = matches!(line, Err(InputError::Read(_)));
            if sender.blocking_send(line).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

/// The next line without its end; `None` at the end of the input.
fn next_line(input: &mut impl BufRead) -> Option<Result<String, InputError>> {
    let mut line = Vec::new();
    match input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line) {
        Ok(0) => return None,
        Ok(_) => {}
        Err(error) => return Some(Err(InputError::Read(error))),
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 > LONGEST_LINE {
        return Some(input.skip_until(b'\n').map_err(InputError::Read).and(Err(InputError::TooLong)));
    }
    Some(String::from_utf8(line).map_err(|_| InputError::NotText))
}

/// Waits for the end of standard input, if that is a pipe or a file. A terminal is left alone, since a program in the
/// background that reads from one is stopped; and so is what has no input at all, as a service.
pub(crate) async fn end() {
    if !ends() {
        return std::future::pending().await;
    }
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut stdin().lock(), &mut io::sink());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

/// Whether standard input is one whose end means something.
#[cfg(unix)]
fn ends() -> bool {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let file = stdin().as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| !metadata.file_type().is_char_device())
}

/// Whether standard input is one whose end means something.
#[cfg(not(unix))]
fn ends() -> bool {
    !io::IsTerminal::is_terminal(&stdin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_cannot_be_used_are_passed_over() {
        let long = vec![b'x'; LONGEST_LINE as usize + 1];
        let bytes = [b"one\n", &long[..], b"\n\xff\n\nlast"].concat();
        let mut input = &bytes[..];
        let mut next = || next_line(&mut input);
        assert_eq!(next().unwrap().unwrap(), "one");
        assert!(matches!(next(), Some(Err(InputError::TooLong))));
        assert!(matches!(next(), Some(Err(InputError::NotText))));
        assert_eq!(next().unwrap().unwrap(), "");
        assert_eq!(next().unwrap().unwrap(), "last");
        assert!(next().is_none());
    }

    #[test]
    fn the_longest_line_is_read() {
        let mut bytes = vec![b'x'; LONGEST_LINE as usize];
        bytes.push(b'\n');
        assert_eq!(next_line(&mut &bytes[..]).unwrap().unwrap().len() as u64, LONGEST_LINE);
    }
}
