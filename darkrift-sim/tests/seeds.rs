//! Random histories, and what must hold of each. `DARKRIFT_SEEDS` says how many.

use darkrift_sim::proof;

const SEEDS: u64 = 200;

fn seeds() -> u64 {
    std::env::var("DARKRIFT_SEEDS").map_or(SEEDS, |count| count.parse().expect("DARKRIFT_SEEDS is a number"))
}

#[test]
fn every_property_holds_in_the_history_of_each_seed() {
    for seed in 0..seeds() {
        if let Err(violation) = proof::check(seed) {
            panic!("{violation}\n{}", proof::explain(seed));
        }
    }
}

#[test]
fn a_seed_is_one_history_and_another_seed_another() {
    let first = proof::check(3).unwrap();
    assert_eq!(proof::check(3).unwrap(), first);
    assert_ne!(proof::check(4).unwrap().hash, first.hash);
}

#[test]
fn a_token_so_late_that_it_is_taken_for_a_message_is_the_same_whoever_else_is_there() {
    proof::check(800_945).unwrap();
}

#[test]
fn what_comes_on_udp_behind_a_fault_that_the_application_has_not_heard_of_does_not_count() {
    proof::check(6_404).unwrap();
}
