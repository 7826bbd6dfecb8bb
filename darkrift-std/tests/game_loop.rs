//! What a game loop may rely on.

use std::time::{Duration, Instant};

use darkrift_std::proto::{ClientId, CloseKind, Message, MessageKind, SendError, SendMode};
use darkrift_std::{Behind, Client, ConnectError, Connection, Event, Server, ServerBuilder, ServerEvent};

fn there_and_back() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    let mut client = Client::begin(server.local_addr()).expect("there are sockets");
    let message = Message::encode(5, "Hello World").expect("a short message");
    loop {
        server.update();
        while let Some(event) = server.next_event() {
            if let ServerEvent::Message(from, received) = event {
                from.send(SendMode::Reliable, received.message()).expect("it is open");
            }
        }
        client.wait(Duration::from_millis(1));
        match client.next_event() {
            Some(Event::Connected(_)) => client.send(SendMode::Reliable, &message).expect("it is open"),
            Some(Event::Message(received)) => return assert_eq!(received.message(), &message),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
}

#[test]
fn a_message_goes_there_and_back() {
    there_and_back();
}

/// As the README has it: it begins to speak when it hears that it is connected.
fn play(mut client: Client) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        client.update();
        while let Some(event) = client.next_event() {
            match event {
                Event::Connected(id) => {
                    client.send(SendMode::Reliable, &Message::encode(5, &format!("I am {id}"))?)?
                }
                Event::Message(received) => assert_eq!(received.decode::<String>()?, "and I am the server"),
                Event::Closed(_) => return Ok(()),
                other => panic!("{other:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_loop_hears_that_it_is_connected_whichever_way_it_has_connected() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr();
    for connect in [Client::connect, Client::begin] {
        let player = std::thread::spawn(move || {
            play(connect(address).expect("there is a server")).expect("everything can be sent")
        });
        let mut said = 0;
        loop {
            server.wait(Duration::from_secs(20));
            match server.next_event().expect("the player speaks") {
                ServerEvent::Connected(_) => {}
                ServerEvent::Message(from, received) => {
                    let expected = format!("I am {}", from.id());
                    assert_eq!(received.decode::<String>(), Ok(expected));
                    let answer = Message::encode(5, "and I am the server").expect("a short message");
                    from.send(SendMode::Reliable, &answer).expect("it is open");
                    from.close();
                    said += 1;
                }
                ServerEvent::Disconnected(..) => break,
                other => panic!("{other:?}"),
            }
        }
        player.join().expect("it has heard everything that it expects");
        assert_eq!(said, 1);
    }
}

#[test]
fn a_connect_that_fails_says_so_and_leaves_no_client() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    assert!(matches!(Client::connect(nobody), Err(ConnectError::Tcp { .. })));
}

#[test]
fn a_client_that_is_given_a_host_name_connects_in_the_course_of_the_frames() {
    let mut server = Server::bind("127.0.0.1:0").expect("a free port");
    let mut client = Client::begin(("localhost", server.local_addr().port())).expect("there are sockets");
    while !client.is_connected() {
        server.update();
        client.update();
        if let Some(Event::Failed(error)) = client.next_event() {
            panic!("{error}");
        }
    }
}

#[tokio::test]
async fn it_does_so_in_a_task_of_a_runtime_of_the_program_s_own() {
    there_and_back();
}

#[test]
fn what_another_thread_sends_and_closes_leaves_while_this_one_waits() {
    // No time limit of the server's shall end a wait meanwhile.
    let settings = Server::builder().handshake_timeout(Duration::from_secs(3600));
    let mut server = Server::bind_with(settings, "127.0.0.1:0").expect("a free port");
    let address = server.local_addr();
    let (give, connections) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        loop {
            server.wait(Duration::MAX);
            match server.next_event() {
                Some(ServerEvent::Connected(connection)) => give.send(connection).expect("it is awaited"),
                Some(ServerEvent::Disconnected(..)) => return,
                other => panic!("{other:?}"),
            }
        }
    });
    let mut client = Client::connect(address).expect("there is a server");
    assert!(matches!(client.next_event(), Some(Event::Connected(_))));
    let connection = connections.recv().expect("it came");

    // More than the socket takes, so that the thread that waits has to notice when it takes more.
    let message = Message::encode(5, &vec![7_u8; 64 << 10]).expect("a short message");
    let (mut sent, mut left) = (0, true);
    while left {
        let before = connection.statistics().stream_bytes_sent;
        connection.send(SendMode::Reliable, &message).expect("there is room for one");
        sent += 1;
        left = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            connection.statistics().stream_bytes_sent > before + (64 << 10)
        });
    }
    for _ in 0..sent {
        client.wait(Duration::from_secs(20));
        assert!(matches!(client.next_event(), Some(Event::Message(_))));
    }
    connection.close();
    client.wait(Duration::from_secs(20));
    assert!(matches!(client.next_event(), Some(Event::Closed(_))));
    waiting.join().expect("it has not panicked");
}

/// A server, and clients of it that are connected, each with the id that it has.
fn server_with(settings: ServerBuilder, clients: usize) -> (Server, Vec<(ClientId, Client)>) {
    let mut server = Server::bind_with(settings, "127.0.0.1:0").expect("a free port");
    let connected = (0..clients).map(|_| {
        let mut client = Client::begin(server.local_addr()).expect("there are sockets");
        loop {
            server.update();
            client.update();
            match client.next_event() {
                Some(Event::Connected(id)) => return (id, client),
                None => {}
                other => panic!("{other:?}"),
            }
        }
    });
    let connected = connected.collect();
    for _ in 0..clients {
        server.wait(Duration::from_secs(20));
        assert!(matches!(server.next_event(), Some(ServerEvent::Connected(_))));
    }
    (server, connected)
}

/// The tags of what has come to a client, up to this one.
fn tags_until(server: &mut Server, client: &mut Client, last: u16) -> Vec<u16> {
    let mut tags = Vec::new();
    while tags.last() != Some(&last) {
        server.update();
        client.wait(Duration::from_millis(1));
        match client.next_event() {
            Some(Event::Message(received)) => tags.push(received.tag()),
            None => {}
            other => panic!("{other:?}"),
        }
    }
    tags
}

#[test]
fn a_broadcast_goes_to_those_whom_it_is_for_and_to_nobody_else() {
    const END: u16 = 99;
    let (mut server, mut clients) = server_with(Server::builder(), 4);
    let ids: Vec<_> = clients.iter().map(|(id, _)| *id).collect();
    let gone = ClientId::new(777);
    let mode = SendMode::Reliable;
    let say = Message::empty;
    let sent = [
        server.broadcast(mode, &say(1)),
        server.broadcast_except(ids[1], mode, &say(2)),
        server.broadcast_except(gone, mode, &say(3)),
        server.broadcast_to([ids[0], ids[3]], mode, &say(4)),
        server.broadcast_to(&ids[1..2], mode, &say(5)),
        server.broadcast_to([gone, ids[2]], mode, &say(6)),
        server.broadcast_to([] as [ClientId; 0], mode, &say(7)),
        server.broadcast(mode, &say(END)),
    ];
    let counts: Vec<_> = sent.into_iter().map(|sent| sent.expect("a short message")).collect();
    assert!(counts.iter().all(|sent| sent.behind.is_empty()), "{counts:?}");
    assert_eq!(counts.iter().map(|sent| sent.sent).collect::<Vec<_>>(), [4, 3, 4, 2, 1, 1, 0, 4]);

    let expected: [&[u16]; 4] = [&[1, 2, 3, 4], &[1, 3, 5], &[1, 2, 3, 6], &[1, 2, 3, 4]];
    for ((id, client), expected) in clients.iter_mut().zip(expected) {
        let tags = tags_until(&mut server, client, END);
        assert_eq!(tags[..tags.len() - 1], *expected, "client {id}");
    }
}

#[test]
fn a_client_pings_and_knows_its_id_once_it_is_connected() {
    let ping = Message::empty(5);
    let mut early = Client::begin("127.0.0.1:9").expect("there are sockets");
    assert_eq!((early.id(), early.round_trip()), (None, None));
    assert_eq!(early.ping(SendMode::Reliable, &ping), Err(SendError::NotConnected));

    let (mut server, mut clients) = server_with(Server::builder(), 1);
    let (id, client) = &mut clients[0];
    assert_eq!(client.id(), Some(*id));
    let code = client.ping(SendMode::Reliable, &ping).expect("it is open");
    let answer = loop {
        server.update();
        client.wait(Duration::from_millis(1));
        match client.next_event() {
            Some(Event::Message(received)) => break received,
            None => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(answer.kind(), MessageKind::Acknowledgement(code));
    assert_eq!(client.round_trip(), client.connection().expect("it is up").round_trip());
    assert!(client.round_trip().is_some());
}

/// Broadcasts to two clients, of which one does not read, until that one is behind; gives it and the other, and how many
/// messages there were.
fn broadcast_until_one_is_behind(behind: Behind) -> (Server, (ClientId, Client), (ClientId, Client), u64) {
    let settings = Server::builder().behind(behind).limits(|limits| limits.reliable_queue = 100_000);
    let (mut server, mut clients) = server_with(settings, 2);
    let (mut reads, sleeps) = (clients.remove(1), clients.remove(0));
    let message = Message::new(1, vec![0; 50_000]);
    let mut broadcasts = 0;
    loop {
        let report = server.broadcast(SendMode::Reliable, &message).expect("a short message");
        broadcasts += 1;
        // The one that reads has it all before the next.
        while reads.1.connection().expect("it is up").statistics().reliable_received < broadcasts {
            server.update();
            reads.1.update();
            while reads.1.next_event().is_some() {}
        }
        if report.behind.is_empty() {
            assert_eq!(report.sent, 2);
        } else {
            assert_eq!((report.sent, report.behind), (1, vec![sleeps.0]));
            return (server, sleeps, reads, broadcasts);
        }
    }
}

#[test]
fn one_that_is_behind_is_disconnected_where_the_server_is_set_so_and_the_others_stay() {
    let (mut server, (slow, _sleeps), (fast, mut reads), broadcasts) =
        broadcast_until_one_is_behind(Behind::Disconnect);
    server.wait(Duration::from_secs(20));
    match server.next_event() {
        Some(ServerEvent::Disconnected(connection, reason)) => {
            assert_eq!(connection.id(), slow);
            assert!(matches!(reason.kind, CloseKind::Behind { .. }), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((server.len(), server.get(slow).is_none()), (1, true));
    assert_eq!(server.statistics().behind, 1);
    let report = server.broadcast(SendMode::Reliable, &Message::empty(2)).expect("a short message");
    assert_eq!((report.sent, report.behind), (1, vec![]));
    assert_eq!(tags_until(&mut server, &mut reads, 2), [2]);
    assert_eq!(reads.connection().expect("it is up").id(), fast);
    assert_eq!(reads.connection().expect("it is up").statistics().reliable_received, broadcasts + 1);
}

#[test]
fn one_that_is_behind_stays_where_the_server_is_not_set_so() {
    let (mut server, (slow, mut sleeps), _reads, _) = broadcast_until_one_is_behind(Behind::Report);
    assert!(server.get(slow).is_some_and(|connection| connection.is_connected()));
    // Once it reads there is room again, behind the gap.
    loop {
        server.update();
        sleeps.update();
        while sleeps.next_event().is_some() {}
        let report = server.broadcast(SendMode::Reliable, &Message::empty(2)).expect("a short message");
        if report.behind.is_empty() {
            break;
        }
    }
    assert_eq!(tags_until(&mut server, &mut sleeps, 2).last(), Some(&2));
}

#[test]
fn what_a_loop_does_not_take_is_not_taken_off_the_socket_without_end() {
    const LONG: usize = 60_000;
    /// What may wait in the connection and in the loop, with what one read brings and the longest message each may be over.
    const MOST: u64 = (1 << 20) + (512 << 10) + (512 << 10);
    for client_takes in [true, false] {
        let (mut server, mut clients) = server_with(Server::builder(), 1);
        let (id, client) = &mut clients[0];
        let served = server.get(*id).expect("it is up");
        let own = client.connection().expect("it is up").clone();
        let (sender, receiver) = if client_takes { (served, own) } else { (own, served) };
        let message = Message::new(1, vec![0; LONG]);
        // Until nothing has moved for a while, and longer than the connection's own task waits for the application.
        let (mut last, mut since) = (0, Instant::now());
        while since.elapsed() < Duration::from_millis(200) {
            while sender.send(SendMode::Reliable, &message).is_ok() {}
            server.update();
            client.update();
            let received = receiver.statistics().stream_bytes_received;
            assert!(received < MOST, "{received} bytes");
            if received != last {
                (last, since) = (received, Instant::now());
            }
        }
        // Nothing of it is lost: it comes as it is taken.
        let all = sender.statistics().reliable_sent;
        for _ in 0..all {
            server.update();
            client.update();
            loop {
                let is_message = if client_takes {
                    matches!(client.next_event(), Some(Event::Message(_)))
                } else {
                    matches!(server.next_event(), Some(ServerEvent::Message(..)))
                };
                if is_message {
                    break;
                }
                server.update();
                client.update();
            }
        }
    }
}

#[test]
fn a_quiet_client_waits_behind_a_few_messages_of_each_busy_one() {
    const BUSY: usize = 4;
    let (mut server, mut clients) = server_with(Server::builder(), BUSY + 1);
    let busy = Message::empty(1);
    // The busy ones have sent more than the loop holds before the quiet one says a word.
    for _ in 0..50 {
        for (_, client) in &mut clients[1..] {
            (0..200).for_each(|_| drop(client.send(SendMode::Reliable, &busy)));
            client.update();
        }
        server.update();
    }
    let (id, quiet) = &mut clients[0];
    quiet.send(SendMode::Reliable, &Message::empty(2)).expect("there is room");
    quiet.flush();
    let served = server.get(*id).expect("it is up");
    while served.statistics().reliable_received == 0 {
        server.update();
    }
    // And another frame in which it may be handed over.
    server.update();
    let tags = std::iter::from_fn(|| match server.next_event() {
        Some(ServerEvent::Message(_, received)) => Some(received.tag()),
        other => panic!("{other:?}"),
    });
    let before = tags.take_while(|&tag| tag != 2).count();
    assert!(before <= BUSY * 16, "{before}");
    let mut left = 0;
    while server.next_event().is_some() {
        left += 1;
    }
    assert!(left > 1000, "they were busy: {left}");
}

/// Closes with more queued than the sockets hold, takes the last event and finishes; the peer gets all of it.
#[test]
fn a_finish_after_the_last_event_sends_what_is_still_queued() {
    const LENGTH: usize = 1 << 20;
    const COUNT: usize = 16;
    fn queue_much(connection: &Connection) {
        let message = Message::new(1, vec![0; LENGTH]);
        for _ in 0..COUNT {
            connection.send(SendMode::Reliable, &message).expect("there is room");
        }
        connection.close();
    }
    for client_closes in [true, false] {
        let settings = Server::builder().max_frame(2 * LENGTH).limits(|limits| {
            limits.reliable_queue = usize::MAX;
            limits.linger = Duration::from_secs(60);
        });
        let (mut server, _) = server_with(settings, 0);
        let settings = Client::builder().limits(|limits| {
            limits.reliable_queue = usize::MAX;
            limits.linger = Duration::from_secs(60);
        });
        let mut client = Client::begin_with(settings, server.local_addr()).expect("there are sockets");
        let connection = loop {
            server.update();
            client.update();
            assert!(matches!(client.next_event(), None | Some(Event::Connected(_))));
            if let (Some(ServerEvent::Connected(connection)), true) =
                (server.next_event(), client.is_connected())
            {
                break connection;
            }
        };
        let mut got = 0;
        if client_closes {
            queue_much(client.connection().expect("it is up"));
            while !matches!(client.next_event(), Some(Event::Closed(_))) {
                client.update();
            }
            let sent = client.connection().expect("it was up").statistics().stream_bytes_sent;
            assert!(sent < (COUNT * LENGTH) as u64, "all of it has left already");
            let finishing = std::thread::spawn(move || client.finish());
            loop {
                server.wait(Duration::from_secs(60));
                match server.next_event() {
                    Some(ServerEvent::Message(..)) => got += 1,
                    Some(ServerEvent::Disconnected(..)) => break,
                    other => panic!("{other:?}"),
                }
            }
            finishing.join().expect("it has not panicked");
        } else {
            queue_much(&connection);
            while !matches!(server.next_event(), Some(ServerEvent::Disconnected(..))) {
                server.update();
            }
            assert!(connection.statistics().stream_bytes_sent < (COUNT * LENGTH) as u64);
            let finishing = std::thread::spawn(move || server.finish());
            loop {
                client.wait(Duration::from_secs(60));
                match client.next_event() {
                    Some(Event::Message(_)) => got += 1,
                    Some(Event::Closed(_)) => break,
                    Some(Event::Connected(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
            finishing.join().expect("it has not panicked");
        }
        assert_eq!(got, COUNT);
    }
}
