//! Conversations at a server's door.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::{HELLO, NOW, Tokens, at};
use darkrift_proto::wire::{Acknowledgement, Hello, Token};
use darkrift_proto::{
    Connection, ConnectionKey, Dialect, Instant, Listener, Refused, Routing, ServerConfig, TokenSource,
};

/// A door that counts its tokens from 1.
struct Door {
    listener: Listener,
    tokens: Tokens,
}

/// A client before the door.
struct Guest {
    key: ConnectionKey,
    connection: Connection,
    version: u8,
    token: Token,
}

impl Guest {
    /// The datagram that carries its token.
    fn hello(&self) -> [u8; 9] {
        Hello::new(1, self.token).to_bytes()
    }

    fn answer(&self) -> bytes::Bytes {
        Acknowledgement::new(Dialect::V1, self.token).to_bytes()
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Door {
    fn new(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::default();
        change(&mut config);
        Self { listener: Listener::new(Arc::new(config)), tokens: Tokens(1) }
    }

    fn accept(&mut self, peer: &str) -> Result<Guest, Refused> {
        let (key, mut connection) = self.listener.accept(NOW, address(peer), &mut self.tokens)?;
        let hello = {
            use bytes::Buf;
            let mut output = connection.stream_output();
            output.copy_to_bytes(output.remaining())
        };
        let hello = Hello::read(&hello).unwrap();
        Ok(Guest { key, connection, version: hello.version(), token: hello.token() })
    }

    fn hears(&mut self, from: &str, datagram: &[u8]) -> Routing {
        self.hears_at(NOW, from, datagram)
    }

    fn hears_at(&mut self, now: Instant, from: &str, datagram: &[u8]) -> Routing {
        self.listener.handle_datagram(now, address(from), datagram)
    }

    fn pending_and_paired(&self) -> (usize, usize) {
        (self.listener.pending(), self.listener.paired())
    }

    /// A client that is through the door, with this UDP address.
    fn paired(&mut self, from: &str) -> Guest {
        let guest = self.accept(from).unwrap();
        let evicted = None;
        let paired = Routing::Paired { key: guest.key, answer: guest.answer(), evicted };
        assert_eq!(self.hears(from, &guest.hello()), paired);
        guest
    }
}

#[test]
fn a_token_pairs_the_address_that_it_came_from() {
    let mut door = Door::new(|_| {});
    let guest = door.accept("192.0.2.1:1000").unwrap();
    assert_eq!(door.pending_and_paired(), (1, 0));
    assert_eq!(door.listener.datagram_address(guest.key), None);
    let answer = guest.answer();
    assert_eq!(
        door.hears("192.0.2.1:2000", &guest.hello()),
        Routing::Paired { key: guest.key, answer, evicted: None }
    );
    assert_eq!(door.pending_and_paired(), (0, 1));
    assert_eq!(door.listener.datagram_address(guest.key), Some(address("192.0.2.1:2000")));
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(guest.key));
    assert_eq!(door.hears("192.0.2.1:2001", &[0, 0, 1]), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.2:2000", &[0, 0, 1]), Routing::Ignored);
    assert_eq!(door.listener.datagrams_ignored(), 2);
}

#[test]
fn each_dialect_has_its_version_and_its_answer() {
    for (dialect, version, length) in [(Dialect::V1, 1, 12), (Dialect::V0, 0, 1), (Dialect::Legacy, 0, 0)] {
        let mut door = Door::new(|config| config.dialect = dialect);
        let guest = door.accept("192.0.2.1:1000").unwrap();
        assert_eq!((guest.connection.dialect(), guest.version), (Some(dialect), version));
        // The version byte that comes back does not matter.
        for version in [version, 99] {
            match door.hears("192.0.2.1:2000", &Hello::new(version, guest.token).to_bytes()) {
                Routing::Paired { answer, .. } | Routing::Answer { answer } => {
                    assert_eq!(answer.len(), length);
                }
                routing => panic!("{routing:?}"),
            }
        }
    }
}

#[test]
fn an_unknown_token_and_any_other_length_from_an_unknown_address_are_ignored() {
    let mut door = Door::new(|_| {});
    let guest = door.accept("192.0.2.1:1000").unwrap();
    let hello = guest.hello();
    assert_eq!(door.hears("192.0.2.1:2000", &HELLO), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.1:2000", &hello[..8]), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.1:2000", &[&hello[..], &[0]].concat()), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.1:2000", &[]), Routing::Ignored);
    assert!(matches!(door.hears("192.0.2.1:2000", &hello), Routing::Paired { .. }));
}

#[test]
fn a_repeated_token_is_answered_again_and_not_delivered() {
    let mut door = Door::new(|_| {});
    let guest = door.paired("192.0.2.1:2000");
    for _ in 0..3 {
        assert_eq!(door.hears("192.0.2.1:2000", &guest.hello()), Routing::Answer { answer: guest.answer() });
    }
    assert_eq!(door.hears("192.0.2.1:2001", &guest.hello()), Routing::Ignored, "it is paired already");
}

#[test]
fn a_token_repeated_without_end_is_answered_32_times_a_second() {
    let mut door = Door::new(|_| {});
    let [first, second] = [door.paired("192.0.2.1:2000"), door.paired("192.0.2.2:2000")];
    let mut answers_at = |millis, from, guest: &Guest| {
        let routings = (0..1000).map(|_| door.hears_at(at(millis), from, &guest.hello()));
        routings.filter(|routing| matches!(routing, Routing::Answer { .. })).count()
    };
    for (millis, answers) in [(0, 32), (1, 0), (999, 0), (1000, 32), (1999, 0), (60_000, 32), (1, 0)] {
        assert_eq!(answers_at(millis, "192.0.2.1:2000", &first), answers, "at {millis} ms");
    }
    assert_eq!(answers_at(60_000, "192.0.2.2:2000", &second), 32, "each has its own count");
    assert_eq!(door.listener.datagrams_ignored(), 8 * 1000 - 4 * 32);
    assert_eq!(door.hears_at(at(60_000), "192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(first.key));
}

#[test]
fn a_client_that_repeats_its_token_now_and_then_is_answered_each_time() {
    let mut door = Door::new(|_| {});
    let guest = door.paired("192.0.2.1:2000");
    for repeat in 0..1000 {
        let answer = Routing::Answer { answer: guest.answer() };
        assert_eq!(door.hears_at(at(repeat * 50), "192.0.2.1:2000", &guest.hello()), answer);
    }
}

#[test]
fn another_clients_token_from_a_clients_address_is_ignored() {
    let mut door = Door::new(|_| {});
    let first = door.paired("192.0.2.1:2000");
    let second = door.paired("192.0.2.2:2000");
    assert_eq!(door.hears("192.0.2.1:2000", &second.hello()), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.2:2000", &first.hello()), Routing::Ignored);
}

#[test]
fn nine_bytes_that_are_no_token_are_a_message() {
    let mut door = Door::new(|_| {});
    let guest = door.paired("192.0.2.1:2000");
    assert_eq!(door.hears("192.0.2.1:2000", &HELLO), Routing::Deliver(guest.key));
}

#[test]
fn a_client_that_comes_back_from_the_address_of_its_ghost_evicts_it() {
    let mut door = Door::new(|config| config.max_clients = 2);
    let ghost = door.paired("192.0.2.1:2000");
    let back = door.accept("192.0.2.1:1001").unwrap();
    assert_eq!(
        door.hears("192.0.2.1:2000", &back.hello()),
        Routing::Paired { key: back.key, answer: back.answer(), evicted: Some(ghost.key) }
    );
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(back.key));
    door.listener.release(ghost.key);
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(back.key));
    assert_eq!(door.listener.paired(), 1);
    door.listener.release(back.key);
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Ignored);
}

#[test]
fn a_forged_datagram_evicts_nobody() {
    let mut door = Door::new(|_| {});
    let victim = door.paired("192.0.2.1:2000");
    let attacker = door.accept("198.51.100.1:1000").unwrap();
    assert_eq!(door.hears("192.0.2.1:2000", &attacker.hello()), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(victim.key));
    assert_eq!(door.listener.pending(), 1);
}

#[test]
fn an_ipv4_address_and_its_mapping_into_ipv6_are_one() {
    let mut door = Door::new(|config| config.max_pending_per_address = 1);
    let guest = door.accept("[::ffff:192.0.2.1]:1000").unwrap();
    assert!(matches!(door.accept("192.0.2.1:1001"), Err(Refused::TooManyFromAddress(1))));
    assert!(matches!(door.hears("[::ffff:192.0.2.1]:2000", &guest.hello()), Routing::Paired { .. }));
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(guest.key));
    let mapped = Some(address("[::ffff:192.0.2.1]:2000"));
    assert_eq!(door.listener.datagram_address(guest.key), mapped, "answers go out the way it came in");
}

#[test]
fn no_more_may_wait_than_the_limits_say() {
    let mut door = Door::new(|config| (config.max_pending, config.max_pending_per_address) = (3, 2));
    let first = door.accept("192.0.2.1:1").unwrap();
    door.accept("192.0.2.1:2").unwrap();
    assert_eq!(door.accept("192.0.2.1:3").err(), Some(Refused::TooManyFromAddress(2)));
    door.accept("192.0.2.2:1").unwrap();
    assert_eq!(door.accept("192.0.2.3:1").err(), Some(Refused::TooManyPending(3)));
    door.hears("192.0.2.1:2000", &first.hello());
    door.accept("192.0.2.1:3").unwrap();
}

#[test]
fn of_ipv6_a_network_of_64_bits_counts_as_one_address() {
    let mut door = Door::new(|config| config.max_pending_per_address = 2);
    let first = door.accept("[2001:db8:0:1::1]:1").unwrap();
    door.accept("[2001:db8:0:1:ffff:ffff:ffff:ffff]:1").unwrap();
    assert_eq!(door.accept("[2001:db8:0:1::2]:1").err(), Some(Refused::TooManyFromAddress(2)));
    door.accept("[2001:db8:0:2::1]:1").unwrap();
    door.hears("[2001:db8:0:1::1]:2000", &first.hello());
    let other = door.accept("[2001:db8:0:1::3]:1").unwrap();
    assert!(door.accept("[2001:db8:0:1::4]:1").is_err());
    door.listener.release(other.key);
    door.accept("[2001:db8:0:1::4]:1").unwrap();
}

#[test]
fn mapped_ipv4_addresses_count_each_for_itself() {
    let mut door = Door::new(|config| config.max_pending_per_address = 1);
    door.accept("[::ffff:192.0.2.1]:1").unwrap();
    door.accept("[::ffff:192.0.2.2]:1").unwrap();
    door.accept("192.0.2.3:1").unwrap();
    door.accept("[::1]:1").unwrap();
    assert!(door.accept("192.0.2.2:2").is_err());
}

#[test]
fn only_the_same_host_takes_an_address_over_not_its_network() {
    let mut door = Door::new(|_| {});
    let victim = door.paired("[2001:db8:0:1::1]:2000");
    let neighbour = door.accept("[2001:db8:0:1::2]:1").unwrap();
    assert_eq!(door.hears("[2001:db8:0:1::1]:2000", &neighbour.hello()), Routing::Ignored);
    assert_eq!(door.hears("[2001:db8:0:1::1]:2000", &[0, 0, 1]), Routing::Deliver(victim.key));
}

#[test]
fn what_comes_from_port_0_is_ignored_and_counted() {
    let mut door = Door::new(|_| {});
    let guest = door.accept("192.0.2.1:1000").unwrap();
    assert_eq!(door.hears("192.0.2.1:0", &guest.hello()), Routing::Ignored);
    assert_eq!((door.listener.datagrams_ignored(), door.listener.pending()), (1, 1));
    assert!(matches!(door.hears("192.0.2.1:1000", &guest.hello()), Routing::Paired { .. }));
}

#[test]
fn no_more_clients_come_in_than_may() {
    let mut door = Door::new(|config| config.max_clients = 1);
    let waiting = door.accept("192.0.2.9:1").unwrap();
    let guest = door.paired("192.0.2.1:2000");
    assert_eq!(door.accept("192.0.2.2:1").err(), Some(Refused::Full(1)));
    assert_eq!(door.hears("192.0.2.9:1", &waiting.hello()), Routing::Full(waiting.key));
    door.listener.release(guest.key);
    assert!(matches!(door.hears("192.0.2.9:1", &waiting.hello()), Routing::Paired { .. }));
}

#[test]
fn who_is_refused_takes_no_clients_place_and_counts_among_those_who_wait() {
    let mut door = Door::new(|config| {
        (config.max_clients, config.max_pending, config.max_pending_per_address) = (1, 3, 2)
    });
    let refused = door.paired("192.0.2.1:2000");
    door.listener.refuse(refused.key);
    assert_eq!(door.pending_and_paired(), (1, 0));
    let also_refused = door.paired("192.0.2.1:2001");
    door.listener.refuse(also_refused.key);
    assert_eq!(door.accept("192.0.2.1:2").err(), Some(Refused::TooManyFromAddress(2)));
    let client = door.paired("192.0.2.2:2000");
    assert_eq!(door.pending_and_paired(), (2, 1));
    for _ in 0..2 {
        door.listener.release(refused.key);
        door.listener.refuse(refused.key);
        assert_eq!(door.pending_and_paired(), (1, 1));
    }
    door.listener.release(also_refused.key);
    door.listener.release(client.key);
    assert_eq!(door.pending_and_paired(), (0, 0));
}

#[test]
fn who_has_closed_takes_no_clients_place_unless_too_many_have() {
    let mut door = Door::new(|config| (config.max_clients, config.max_pending) = (2, 1));
    let [first, second] = ["192.0.2.1:2000", "192.0.2.2:2000"].map(|from| door.paired(from));
    assert_eq!(door.accept("192.0.2.3:1").err(), Some(Refused::Full(2)));
    for _ in 0..2 {
        door.listener.leave(first.key);
    }
    assert_eq!(door.pending_and_paired(), (0, 2));
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(first.key), "until it is released");
    let third = door.paired("192.0.2.3:2000");
    // As many as may wait are leaving already.
    door.listener.leave(second.key);
    assert_eq!(door.accept("192.0.2.4:1").err(), Some(Refused::Full(3)));
    door.listener.release(first.key);
    assert_eq!(door.accept("192.0.2.4:1").err(), Some(Refused::Full(2)), "it has kept its place");
    door.listener.release(second.key);
    let fourth = door.paired("192.0.2.4:2000");
    for key in [second.key, third.key, fourth.key, first.key] {
        door.listener.release(key);
        door.listener.leave(key);
    }
    assert_eq!(door.pending_and_paired(), (0, 0));
    assert!(door.accept("192.0.2.4:1").is_ok());
}

#[test]
fn of_those_who_have_closed_one_host_has_as_many_without_a_place_as_may_wait_from_it() {
    let mut door = Door::new(|config| (config.max_clients, config.max_pending_per_address) = (2, 1));
    let of_one_host = [2001, 2002].map(|port| door.paired(&format!("192.0.2.1:{port}")));
    for client in &of_one_host {
        door.listener.leave(client.key);
    }
    door.paired("192.0.2.2:2000");
    assert_eq!(door.accept("192.0.2.3:1").err(), Some(Refused::Full(3)), "the second still has its place");
    door.listener.release(of_one_host[1].key);
    assert!(door.accept("192.0.2.3:1").is_ok());
}

#[test]
fn who_takes_the_address_of_one_that_has_closed_needs_a_place() {
    let mut door = Door::new(|config| config.max_clients = 1);
    let ghost = door.paired("192.0.2.1:2000");
    door.listener.leave(ghost.key);
    let back = door.accept("192.0.2.1:1001").unwrap();
    door.paired("192.0.2.2:2000");
    assert_eq!(door.hears("192.0.2.1:2000", &back.hello()), Routing::Full(back.key));
}

#[test]
fn the_token_and_the_address_of_who_is_refused_are_nobodys() {
    let mut door = Door::new(|_| {});
    let refused = door.paired("192.0.2.1:2000");
    // Once it has had its token, and before that.
    let early = door.accept("192.0.2.1:1").unwrap();
    for guest in [&refused, &early] {
        for _ in 0..2 {
            door.listener.refuse(guest.key);
        }
        assert_eq!(door.listener.datagram_address(guest.key), None);
        assert_eq!(door.hears("192.0.2.1:2000", &guest.hello()), Routing::Ignored);
        assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Ignored);
    }
    assert_eq!(door.pending_and_paired(), (2, 0));
    let next = door.paired("192.0.2.9:2000");
    door.listener.release(next.key);
    let next = door.accept("192.0.2.9:1").unwrap();
    let paired = Routing::Paired { key: next.key, answer: next.answer(), evicted: None };
    assert_eq!(door.hears("192.0.2.1:2000", &next.hello()), paired, "whatever host it is");
    door.listener.release(refused.key);
    door.listener.release(early.key);
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(next.key));
    assert_eq!(door.pending_and_paired(), (0, 1));
}

#[test]
fn who_is_refused_after_another_has_its_address_leaves_it_to_that_one() {
    let mut door = Door::new(|_| {});
    let ghost = door.paired("192.0.2.1:2000");
    let back = door.accept("192.0.2.1:1001").unwrap();
    assert!(matches!(door.hears("192.0.2.1:2000", &back.hello()), Routing::Paired { .. }));
    door.listener.refuse(ghost.key);
    assert_eq!(door.hears("192.0.2.1:2000", &[0, 0, 1]), Routing::Deliver(back.key));
    assert_eq!(door.pending_and_paired(), (1, 1));
}

#[test]
fn a_release_gives_everything_back_once() {
    let mut door = Door::new(|_| {});
    let pending = door.accept("192.0.2.1:1").unwrap();
    let paired = door.paired("192.0.2.1:2000");
    for _ in 0..2 {
        door.listener.release(pending.key);
        door.listener.release(paired.key);
        assert_eq!(door.pending_and_paired(), (0, 0));
    }
    assert_eq!(door.hears("192.0.2.1:2000", &paired.hello()), Routing::Ignored);
    assert_eq!(door.hears("192.0.2.1:2000", &pending.hello()), Routing::Ignored);
    let next = door.accept("192.0.2.1:3").unwrap();
    assert!(next.key.index() < 2, "indexes are dense");
    assert!(next.key != pending.key && next.key != paired.key, "keys are not used twice");
    assert_eq!(door.listener.datagram_address(paired.key), None);
    door.listener.release(paired.key);
    assert_eq!(door.listener.pending(), 1, "an old key releases nobody else");
}

#[test]
fn tokens_begin_without_the_bits_of_commands_and_pings() {
    let mut door = Door::new(|_| {});
    door.tokens = Tokens(u64::MAX);
    let guest = door.accept("192.0.2.1:1").unwrap();
    assert_eq!(guest.token, Token::new([0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
}

#[test]
fn a_source_that_says_one_token_only_hangs_nobody() {
    struct Broken(u8);
    impl TokenSource for Broken {
        fn token(&mut self) -> Token {
            Token::new([self.0; 8])
        }
    }
    for byte in [0, 0xff] {
        let mut listener = Listener::new(Arc::new(ServerConfig::default()));
        for _ in 0..200 {
            listener.accept(NOW, address("192.0.2.1:1"), &mut Broken(byte)).unwrap();
        }
        assert_eq!(listener.pending(), 200);
    }
}
