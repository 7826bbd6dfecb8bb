//! What remains when handles and futures are dropped, on every runtime. It counts what the whole process has open, so it
//! has one of its own.
#![cfg(target_os = "linux")] // What lists the open sockets is.

use darkrift_testsuite::adapters::{AsyncStd, Smol, Tokio};
use darkrift_testsuite::counted::Counting;
use darkrift_testsuite::tests_of;

macro_rules! remains {
    ($($name:ident: $adapter:ty;)*) => {
        $(
            mod $name {
                use super::*;

                tests_of!(Counting<$adapter>, remains:
                    dropping_every_handle_ends_every_task_and_closes_every_socket,
                    a_server_with_clients_that_nobody_accepted_leaves_nothing,
                    a_failed_connect_leaves_nothing,
                    a_storm_of_connections_leaves_nothing,
                );
                tests_of!(Counting<$adapter>, cancelling:
                    a_connect_that_is_dropped_leaves_nothing,
                    a_bind_that_is_dropped_frees_its_port,
                    an_accept_that_is_dropped_loses_no_client,
                    a_recv_that_is_dropped_loses_no_message,
                    a_next_of_a_typed_stream_that_is_dropped_loses_no_message,
                    a_recv_that_is_dropped_keeps_nothing_from_another,
                    a_send_that_is_dropped_was_not_sent,
                    what_waits_for_an_end_can_be_dropped_and_asked_again,
                );
            }
        )*
    };
}

remains! {
    on_tokio: Tokio;
    on_smol: Smol;
    on_async_std: AsyncStd;
}
