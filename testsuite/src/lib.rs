//! The behaviours that every adapter must show, written once over the [`Adapter`] trait.
//!
//! A scenario is an async function of an adapter; [`every_scenario!`] makes each of them a test. Where a scenario needs
//! a peer that breaks the rules, or the original's own, it is played over plain sockets ([`raw`]).
//!
//! The names begin with the scenario's id: C connecting, M messages, S limits, F faults that games have met.
#![forbid(unsafe_code)]

mod adapter;
pub mod adapters;
pub mod counted;
mod driver;
pub mod harness;
pub mod raw;
pub mod scenarios;

pub use adapter::{Adapter, Client, ClientSettings, Executor, Server, ServerSettings};

/// Makes a test of each scenario, for one [`Adapter`].
#[macro_export]
macro_rules! every_scenario {
    ($adapter:ty) => {
        $crate::tests_of!($adapter, connecting:
            c1_one_client_connects,
            c2_five_clients_connect_with_distinct_ids,
            c3_a_client_that_disconnects_is_counted_no_more,
            c4_ids_begin_at_0_and_go_up,
            c5_a_server_starts_again_at_once_on_the_same_port,
            c6_tcp_and_udp_may_have_different_ports,
            c7_a_server_listens_on_ipv6,
            c7_a_scope_that_means_nothing_is_no_matter,
            c7_the_address_that_means_any_is_this_machine,
            c8_a_port_that_nobody_listens_on_is_an_error_at_once,
        );
        $crate::tests_of!($adapter, messages:
            m1_a_client_sends_to_the_server,
            m2_a_server_sends_to_the_client,
            m3_a_client_pings_the_server,
            m4_a_server_pings_the_client,
            m5_5_clients_send_100_messages_each,
            m5_5_clients_send_1_000_messages_each,
            m5_5_clients_send_10_000_messages_each,
            m5_50_clients_send_100_messages_each,
            m5_50_clients_send_1_000_messages_each,
            m5_50_clients_send_10_000_messages_each,
            m6_5_000_messages_arrive_whole,
            m7_frames_may_come_in_pieces,
            m8_what_a_client_sends_at_once_waits_for_the_server,
            m9_100_000_messages_arrive_in_order_each_way,
            s1_a_message_past_the_limit_ends_the_connection,
        );
        $crate::tests_of!($adapter, handshakes:
            f1_a_lost_acknowledgement_loses_nothing,
            f2_a_lost_token_is_sent_again,
            f3_blocked_udp_is_an_error_that_says_so,
            f4_messages_before_configure_are_delivered_in_order,
            f5_a_hello_may_come_a_byte_at_a_time,
            f8_a_client_that_vanished_comes_back_from_the_same_udp_port,
            f13_a_token_after_the_handshake_is_no_message,
        );
        $crate::tests_of!($adapter, faults:
            f6_malformed_input_costs_what_the_protocol_says_and_only_its_sender,
            f6_nonsense_datagrams_cost_a_client_nothing,
            f9_three_clients_send_datagrams_in_every_order,
            f11_a_closed_udp_port_ends_no_connection,
            f12_a_datagram_too_long_is_refused,
            f16_50_megabytes_are_refused_and_16_mebibytes_arrive,
        );
        $crate::tests_of!($adapter, servers:
            f7_a_peer_that_never_reads_fills_its_queue_and_no_more_and_delays_nobody,
            f10_2_000_connections_leave_nothing_behind,
            f14_a_server_that_stops_tells_its_clients_and_frees_its_ports,
            f14_a_server_that_stops_sends_a_slow_reader_all_that_is_queued,
            f17_a_full_server_refuses_until_somebody_leaves,
        );
    };
}

/// Makes a test of each scenario named, for one [`Adapter`].
#[macro_export]
macro_rules! tests_of {
    ($adapter:ty, $module:ident: $($scenario:ident,)*) => {
        $(
            #[test]
            fn $scenario() {
                $crate::harness::run::<$adapter>($crate::scenarios::$module::$scenario::<$adapter>());
            }
        )*
    };
}
