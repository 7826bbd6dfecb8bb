//! Thousands of clients at once, and once as many as there are ids.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use darkrift_sim::proto::{ClientConfig, ClientId, Event, Message, SendMode, ServerConfig};
use darkrift_sim::{Occurrence, Path, Place, World};

/// Connects clients in waves that the listener's limits let in.
fn crowd(world: &mut World, count: usize, prepare: impl Fn(&mut Path)) {
    let mut config = ClientConfig::default();
    // Twenty tries, so that of thousands of clients none loses them all.
    config.token_interval = Duration::from_millis(250);
    let config = Arc::new(config);
    for number in 0..count {
        let [_, a, b, c] = (number as u32).to_be_bytes();
        let mut path = Path::new(SocketAddr::from(([10, a, b, c], 4000)), number as u64);
        prepare(&mut path);
        world.connect(config.clone(), &path);
        if number % 1000 == 999 {
            world.advance_by(Duration::from_secs(4));
        }
    }
    world.advance_by(Duration::from_secs(10));
}

fn events(world: &mut World) -> impl Iterator<Item = (Place, Event)> {
    std::iter::from_fn(|| world.poll()).filter_map(|(_, occurrence)| match occurrence {
        Occurrence::Event(place, event) => Some((place, event)),
        _ => None,
    })
}

#[test]
fn three_thousand_clients_on_bad_links_all_get_what_they_were_sent() {
    const CLIENTS: usize = 3000;
    const MESSAGES: usize = 20;
    let mut world = World::new(1, ServerConfig::default());
    crowd(&mut world, CLIENTS, |path| {
        path.datagrams_up.loss = 0.2;
        path.datagrams_down.loss = 0.2;
        path.datagrams_down.latency = Duration::from_millis(50);
        path.stream_down.latency = Duration::from_millis(50);
        path.stream_down.longest_read = 5;
    });
    assert_eq!(
        events(&mut world).filter(|(_, event)| matches!(event, Event::Connected(_))).count(),
        2 * CLIENTS
    );
    for number in 0..MESSAGES {
        for pair in 0..CLIENTS {
            world.send(Place::server(pair), SendMode::Reliable, &Message::empty(number as u16)).unwrap();
        }
        world.advance_by(Duration::from_millis(30));
    }
    world.advance_by(Duration::from_secs(1));
    let mut next = vec![0; CLIENTS];
    for (place, event) in events(&mut world) {
        let Event::Message(received) = event else { panic!("{place:?}: {event:?}") };
        assert_eq!(received.tag(), next[place.pair]);
        next[place.pair] += 1;
    }
    assert!(next.iter().all(|&count| usize::from(count) == MESSAGES));
}

#[test]
fn every_id_is_taken_once_the_next_client_is_refused_and_whoever_leaves_makes_room() {
    const IDS: usize = 1 << 16;
    let mut world = World::new(1, ServerConfig::default());
    crowd(&mut world, IDS, |_| {});
    let mut ids = vec![false; IDS];
    for (place, event) in events(&mut world).filter(|(place, _)| *place == Place::client(place.pair)) {
        let Event::Connected(id) = event else { panic!("{place:?}: {event:?}") };
        assert!(!std::mem::replace(&mut ids[usize::from(id.get())], true), "{id} was given twice");
    }
    assert!(ids.iter().all(|&given| given));
    assert!(world.ids().is_full());

    let late = |number| Path::new(SocketAddr::from(([172, 16, 0, number], 4000)), u64::from(number));
    let refused = world.connect(Arc::new(ClientConfig::default()), &late(1));
    assert!(world.connection(Place::server(refused)).is_none());
    world.close(Place::client(777));
    world.advance_by(Duration::from_secs(3));
    let pair = world.connect(Arc::new(ClientConfig::default()), &late(2));
    world.advance_by(Duration::from_secs(1));
    assert_eq!(world.connection(Place::client(pair)).unwrap().id(), Some(ClientId::new(777)));
}
