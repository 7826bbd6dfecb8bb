//! The program, running.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails: no test waits for this where all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Lines that may wait to be looked at.
const WAITING: usize = 1 << 16;

/// The running program; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Option<Receiver<String>>,
    errors: Option<JoinHandle<String>>,
}

/// What it came to.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code.
    pub(crate) code: i32,
    /// The lines on standard output that were not looked at before.
    pub(crate) lines: Vec<String>,
    /// What is on standard error.
    pub(crate) errors: String,
}

impl Program {
    /// Starts it with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_darkrift"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut errors = child.stderr.take().expect("it is piped");
        let (sender, lines) = sync_channel(WAITING);
        thread::spawn(move || {
            // Where nobody looks at them any more, the pipe is closed.
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).expect("errors are text");
            text
        });
        Self { child, input, lines: Some(lines), errors: Some(errors) }
    }

    /// Starts it, and waits for its end without giving it any input.
    pub(crate) fn run(arguments: &[&str]) -> Finished {
        Self::start(arguments).finish()
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        self.lines.as_ref().expect("they are read").recv_timeout(PATIENCE).expect("another line")
    }

    /// The next line with this in it.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").expect("the program reads");
    }

    /// Ends its input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Closes the pipe that it prints into.
    pub(crate) fn close_output(&mut self) {
        self.lines = None;
    }

    /// Interrupts it, as Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Ends its input and waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        self.end_input();
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Finished {
        let lines = self.lines.take().map_or_else(Vec::new, |lines| {
            std::iter::from_fn(|| match lines.recv_timeout(PATIENCE) {
                Ok(line) => Some(line),
                Err(error) => {
                    assert_eq!(error, std::sync::mpsc::RecvTimeoutError::Disconnected, "it does not end");
                    None
                }
            })
            .collect()
        });
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let errors = self.errors.take().expect("only once").join().expect("errors are read");
        Finished { code: status.code().expect("no signal ended it"), lines, errors }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// The line with this in it; there must be one.
    pub(crate) fn line_with(&self, text: &str) -> &str {
        self.lines
            .iter()
            .find(|line| line.contains(text))
            .unwrap_or_else(|| panic!("no line has `{text}`: {self:#?}"))
    }
}

/// `darkrift listen` on a free port.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The program.
    pub(crate) program: Program,
    /// Where it listens.
    pub(crate) address: String,
}

impl Listening {
    /// Starts it with these arguments besides.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut program = Program::start(&[&["listen", "127.0.0.1:0"], arguments].concat());
        let line = program.line();
        let (_, rest) = line.split_once(" listening on TCP ").unwrap_or_else(|| panic!("{line}"));
        let address = rest.split_once(' ').expect("more follows").0.to_owned();
        Self { program, address }
    }
}
