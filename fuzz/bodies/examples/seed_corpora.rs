//! Writes the first inputs of every corpus, from the vectors and the recorded sessions:
//! `cargo run -p darkrift-fuzz-bodies --example seed_corpora`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

const SESSIONS: [&str; 3] = ["session-darkrift2-v0", "session-darkrift2-v1", "session-darkriftpy-0.1.0"];
const VALUES: [&str; 2] = ["values-darkrift2", "values-darkriftpy-0.1.0"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn data(name: &str) -> String {
    let path = root().join(format!("darkrift-proto/tests/data/{name}.json"));
    fs::read_to_string(path).expect("the data is there")
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect()
}

fn write(target: &str, name: &str, contents: &[u8]) {
    let directory = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&directory).expect("a directory can be made");
    fs::write(directory.join(name), contents).expect("a file can be written");
}

/// Bytes with their length before them, as the bodies read them.
fn counted(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat()
}

fn main() {
    for name in SESSIONS {
        session(name, &serde_json::from_str(&data(name)).expect("a session is JSON"));
    }
    for name in VALUES {
        values(name, &data(name));
    }
    // Two clients, their tokens, a message of each, the first again, and one that leaves.
    write(
        "listener",
        "two-clients",
        &[0, 1, 0, 5, 3, 1, 0, 1, 3, 5, 1, 1, 6, 1, 0, 3, 0, 0, 7, 3, 1, 0, 1, 2, 0, 6, 1, 0, 3, 0, 0, 7],
    );
    // A client that is refused, another from its port, a flood of that one's token, and the same in the next second.
    write(
        "listener",
        "refused-and-flooded",
        &[0, 1, 3, 1, 0, 1, 8, 0, 3, 1, 0, 1, 0, 1, 3, 1, 1, 1, 10, 1, 40, 9, 50, 10, 1, 9, 9, 50, 10, 1, 40],
    );
    write("listener", "from-the-same-port", &[0, 1, 0, 1, 3, 1, 0, 1, 3, 1, 1, 1, 2, 0, 6, 1, 0, 3, 0, 0, 7]);
}

fn session(name: &str, session: &Value) {
    for (role, other) in [(0, "server"), (1, "client")] {
        let mut operations = vec![role];
        let mut stream = Vec::new();
        for (number, step) in session["steps"].as_array().expect("steps").iter().enumerate() {
            let contents = bytes(step["hex"].as_str().expect("hexadecimal text"));
            if step["from"] != other {
                continue;
            }
            write("messages", &format!("{name}-{number}"), &contents[4.min(contents.len())..]);
            if step["channel"] == "tcp" {
                operations.push(0);
                operations.extend(counted(&contents));
                stream.extend_from_slice(&contents);
            } else {
                operations.push(1);
                operations.extend(counted(&contents));
                // The server's side is told of the token by its listener, and its application takes the client.
                if role == 1 && contents.len() == 9 {
                    operations.extend([2, 3, 0, 0]);
                }
            }
            operations.push(4);
        }
        write("connection", &format!("{name}-{other}"), &operations);
        write("chunks", &format!("{name}-{other}"), &[&[role][..], &counted(&[0, 3, 20]), &stream].concat());
        write(
            "frames",
            &format!("{name}-{other}"),
            &[&[3][..], &stream[9 * usize::from(role == 0)..]].concat(),
        );
    }
}

/// A vector stands on one line. What its value is does not matter here, and JSON cannot say all of them.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{name}\": \""))?;
    rest.split('"').next()
}

fn values(name: &str, vectors: &str) {
    let (mut texts, mut others) = (0, 0);
    for line in vectors.lines() {
        let Some(contents) = field(line, "hex").map(bytes) else { continue };
        if field(line, "type") == Some("string") && texts < 12 {
            texts += 1;
            write("text", &format!("{name}-{texts}"), &contents[4.min(contents.len())..]);
        } else if others < 24 && contents.len() < 200 {
            others += 1;
            let every: Vec<u8> = (0..24).flat_map(|operation| [operation, 0]).collect();
            write("reader", &format!("{name}-{others}"), &[counted(&every), contents.clone()].concat());
            write(
                "derived",
                &format!("{name}-{others}"),
                &[&[1 + others % 2][..], &[0, 7], &contents].concat(),
            );
            write("values", &format!("{name}-{others}"), &[counted(&contents), counted(&contents)].concat());
        }
    }
    // Whole messages of the derived types.
    write("derived", "joined", &[1, 0, 7, 0, 0, 0, 2, b'a', 0, 0, 0, 0, 1, 0, 0, 0, 2, b'b', 0, 1, 1]);
    let deed = [1, 0, 0, 0, 0, 63, 128, 0, 0, 0, 0, 0, 0];
    let rest =
        [0, 0, 0, 3, 0xa0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 0, 2, b'x', 0, 0, 0, 0, 2];
    let numbers = [0, 0, 0, 1, 0, 0, 0, 2];
    write("derived", "acted", &[&[2, 0, 0, 0, 1][..], &deed, &rest, &numbers].concat());
}
