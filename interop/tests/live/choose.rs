//! The choose programs, each of ours with the other's counterpart.

use crate::program::Program;

#[tokio::test]
async fn its_choose_client_gets_ten_choices_from_our_choose_server() {
    let mut server = Program::example("choose_server", &["--listen", "127.0.0.1:0"]).await;
    let line = server.line().await;
    let port = line.strip_prefix("listening on 127.0.0.1:").expect("it says where it listens");

    let client = Program::python("choose_client.py", &[port]);

    assert_eq!(client.finish().await, ["10 choices"]);
    assert!(server.line().await.starts_with("server: client 0 connected from 127.0.0.1:"));
    assert_eq!(server.line().await, "server: client 0 asks to choose from 20 items");
}

#[tokio::test]
async fn our_choose_client_gets_ten_choices_from_its_choose_server() {
    let (mut server, port) = Program::python_server("choose_server.py", &[]).await;

    let client = Program::example("choose_client", &[&format!("127.0.0.1:{port}")]).await;

    let lines = client.finish().await;
    assert_eq!(lines.iter().filter(|line| line.starts_with("client: choice ")).count(), 10);
    assert_eq!(server.line().await, "asked to choose from 20");
    assert_eq!(server.line().await, "the client left");
}
