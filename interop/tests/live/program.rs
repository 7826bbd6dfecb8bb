//! The programs at the other end: DarkRiftPy's peers, and our examples.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// A running program; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts one of the scripts in `python/` that are clients.
    pub(crate) fn python(script: &str, arguments: &[&str]) -> Self {
        let python = std::env::var("DARKRIFT_INTEROP_PYTHON").expect(
            "DARKRIFT_INTEROP_PYTHON names a Python that has DarkRiftPy; run these tests with interop/run",
        );
        let path = format!("{}/python/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python);
        // Python writes no cache of bytecode into the source tree.
        command.arg("-B").arg(path).args(arguments);
        Self::start(command)
    }

    /// Starts one of the scripts in `python/` that are servers; gives the port, too.
    pub(crate) async fn python_server(script: &str, arguments: &[&str]) -> (Self, u16) {
        let mut program = Self::python(script, arguments);
        let line = program.line().await;
        let port = line.strip_prefix("listening ").and_then(|port| port.parse().ok());
        (program, port.unwrap_or_else(|| panic!("{script} began with `{line}`")))
    }

    /// Builds one of our examples, however long that takes, and starts it.
    pub(crate) async fn example(name: &str, arguments: &[&str]) -> Self {
        let cargo = |verb| {
            let mut command = Command::new(env!("CARGO"));
            command.args([verb, "--quiet", "-p", "darkrift", "--example", name]);
            command
        };
        let built = cargo("build").status().await.expect("cargo starts");
        assert!(built.success(), "the example {name} does not build");
        let mut run = cargo("run");
        run.arg("--").args(arguments);
        Self::start(run)
    }

    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        match self.next_line().await {
            Some(line) => line,
            None => panic!("the program ended:\n{}", self.errors().await),
        }
    }

    /// Waits for its end, which must be a success; the lines that it printed until then.
    pub(crate) async fn finish(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.next_line().await {
            lines.push(line);
        }
        let errors = self.errors().await;
        let status = self.child.wait().await.expect("it was started here");
        assert!(status.success(), "{status}\n{}\n{errors}", lines.join("\n"));
        lines
    }

    async fn next_line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("the program prints its next line, or ends, in time")
            .expect("it prints text")
    }

    /// What it printed to its standard error, when it has ended.
    async fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(mut output) = self.child.stderr.take() {
            output.read_to_string(&mut errors).await.expect("it prints text");
        }
        errors
    }
}
