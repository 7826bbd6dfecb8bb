//! The bench starts itself anew for what needs a process of its own, and talks with it: a line asked is a line answered.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::measure::SETUP_TIME;

/// The first argument of a child.
pub(crate) const CHILD: &str = "--child";

/// What a line begins with that tells of a failure.
const FAILED: &str = "failed: ";

/// How long a child may take for an answer: longer than a setup, so that it tells of its own.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(SETUP_TIME.as_secs() + 10);

/// A child's side of the conversation.
pub(crate) fn converse(greeting: &str, mut answer: impl FnMut(&str) -> io::Result<String>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{greeting}")?;
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(answer) => writeln!(output, "{answer}")?,
            Err(error) => writeln!(output, "{FAILED}{error}")?,
        }
    }
    Ok(())
}

/// The parent's side of a child. Dropping it ends the child.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    questions: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Child {
    pub(crate) fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let (sender, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let questions = process.stdin.take();
        Ok(Self { process, questions, answers })
    }

    /// The next line of the child.
    pub(crate) fn answer(&self, patience: Duration) -> io::Result<String> {
        match self.answers.recv_timeout(patience) {
            Ok(line) => match line.strip_prefix(FAILED) {
                Some(failure) => Err(io::Error::other(failure.to_owned())),
                None => Ok(line),
            },
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "a child process hangs"))
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("a child process ended early")),
        }
    }

    pub(crate) fn ask(&mut self, question: &str, patience: Duration) -> io::Result<String> {
        let questions = self.questions.as_mut().expect("it is there until the child is dropped");
        writeln!(questions, "{question}")?;
        self.answer(patience)
    }

    pub(crate) fn ask_number(&mut self, question: &str) -> io::Result<u64> {
        self.ask(question, ANSWER_TIME)?.parse().map_err(io::Error::other)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.questions = None;
        // Ending the process closes its sockets at once; what it could still say is of no use.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
