//! Each adapter's client with each other adapter's server.

use darkrift_testsuite::adapters::{AsyncStd, Smol, Std, Tokio};
use darkrift_testsuite::scenarios::crossing::a_client_of_one_and_a_server_of_another;

macro_rules! crossings {
    ($($name:ident: $client:ty, $server:ty;)*) => {
        $(
            #[test]
            fn $name() {
                a_client_of_one_and_a_server_of_another::<$client, $server>();
            }
        )*
    };
}

crossings! {
    a_tokio_client_with_a_smol_server: Tokio, Smol;
    a_tokio_client_with_an_async_std_server: Tokio, AsyncStd;
    a_tokio_client_with_a_game_loop_s_server: Tokio, Std;
    a_smol_client_with_a_tokio_server: Smol, Tokio;
    a_smol_client_with_an_async_std_server: Smol, AsyncStd;
    a_smol_client_with_a_game_loop_s_server: Smol, Std;
    an_async_std_client_with_a_tokio_server: AsyncStd, Tokio;
    an_async_std_client_with_a_smol_server: AsyncStd, Smol;
    an_async_std_client_with_a_game_loop_s_server: AsyncStd, Std;
    a_game_loop_s_client_with_a_tokio_server: Std, Tokio;
    a_game_loop_s_client_with_a_smol_server: Std, Smol;
    a_game_loop_s_client_with_an_async_std_server: Std, AsyncStd;
}
