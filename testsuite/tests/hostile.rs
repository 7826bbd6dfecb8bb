//! Hostile peers, on every adapter.

use darkrift_testsuite::adapters::{AsyncStd, Smol, Std, Tokio};
use darkrift_testsuite::tests_of;

macro_rules! hostile {
    ($($name:ident: $adapter:ty;)*) => {
        $(
            mod $name {
                use super::*;

                tests_of!($adapter, hostile:
                    a_server_survives_every_malformed_thing,
                    a_client_survives_every_malformed_thing,
                );
            }
        )*
    };
}

hostile! {
    on_tokio: Tokio;
    on_smol: Smol;
    on_async_std: AsyncStd;
    in_a_game_loop: Std;
}
