//! The original's programs at the other end, which do what they are told line by line, and tell what happens.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::{PATIENCE, protocol};

/// A running program; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it has told and nobody has asked for yet.
    told: Vec<String>,
}

/// Where a server of the original listens.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) tcp: u16,
    pub(crate) udp: u16,
}

impl Program {
    /// A program with clients of the original.
    pub(crate) fn clients() -> Self {
        Self::start("ClientProgram.exe", &[])
    }

    /// A server of the original, and where it listens.
    pub(crate) async fn server(address: &str) -> (Self, Ports) {
        let mut program = Self::start("ServerProgram.exe", &[address, &protocol().to_string()]);
        let ports = program.told("listening").await;
        let (tcp, udp) = ports.split_once(' ').expect("it tells two ports");
        let ports = Ports { tcp: tcp.parse().expect("a port"), udp: udp.parse().expect("a port") };
        (program, ports)
    }

    fn start(name: &str, arguments: &[&str]) -> Self {
        let variable = |name| {
            std::env::var(name)
                .unwrap_or_else(|_| panic!("{name} is not set; run these tests with interop/csharp/run"))
        };
        let runtime = variable("DARKRIFT_INTEROP_RUNTIME");
        let mut words = runtime.split_whitespace();
        let mut command = Command::new(words.next().expect("the runtime has a name"));
        command.args(words).arg(format!("{}/{name}", variable("DARKRIFT_INTEROP_PROGRAMS"))).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let commands = child.stdin.take().expect("it is piped");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, commands, lines, told: Vec::new() }
    }

    /// Has it do something.
    pub(crate) async fn order(&mut self, command: &str) {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.expect("it reads its orders");
    }

    /// What it tells behind these words, now or later.
    pub(crate) async fn told(&mut self, words: &str) -> String {
        let begins = |line: &String| {
            line.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        loop {
            if let Some(place) = self.told.iter().position(begins) {
                return self.told.remove(place)[words.len()..].trim_start().to_owned();
            }
            match timeout(PATIENCE, self.lines.next_line()).await {
                Ok(line) => match line.expect("it tells text") {
                    Some(line) => self.told.push(line),
                    None => panic!("it ended before it told `{words}`: {:#?}", self.told),
                },
                Err(_) => panic!("it did not tell `{words}` in time, but {:#?}", self.told),
            }
        }
    }

    /// How many seconds its connect took.
    pub(crate) async fn waited(&mut self, name: &str) -> u32 {
        let told = self.told(&format!("{name} waited")).await;
        told.strip_suffix(" s").and_then(|seconds| seconds.parse().ok()).expect("it tells seconds")
    }

    /// Waits until it knows the round trip of this connection, which it writes down behind the game's handler.
    pub(crate) async fn has_measured(&mut self, name: &str) {
        for _ in 0..100 {
            self.order(&format!("round-trip {name}")).await;
            if self.told(&format!("{name} round-trip")).await == "measured" {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("it has measured no round trip");
    }

    /// Ends its input, and waits for its end; what it has told and nobody asked for.
    pub(crate) async fn end(mut self) -> Vec<String> {
        drop(self.commands);
        while let Some(line) = timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("the program ends in time")
            .expect("it tells text")
        {
            self.told.push(line);
        }
        let status =
            timeout(PATIENCE, self.child.wait()).await.expect("it has ended").expect("it was started here");
        assert!(status.success(), "{status}: {:#?}", self.told);
        self.told
    }
}
