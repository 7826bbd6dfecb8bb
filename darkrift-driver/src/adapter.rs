//! The names that every adapter has, so that a game changes its runtime by changing a crate's name.

/// The public names of an adapter, with `$runtime` filled in: `Client`, `ClientBuilder`, `Server`, `ServerBuilder`, and
/// what goes with them.
///
/// ```
/// # mod stand_in { #[derive(Debug)] pub struct Runtime; }
/// // In the adapter's lib.rs:
/// darkrift_driver::adapter!(stand_in::Runtime, "the runtime's name");
/// ```
#[macro_export]
macro_rules! adapter {
    ($runtime:ty, $name:literal) => {
        pub use $crate::{
            Address, Behind, BindError, Broadcast, ConnectError, Ending, Joining, Messages,
            ServerStatistics, Undecodable, proto,
        };

        #[doc = concat!("A client's connection to a server, or a server's to one of its clients: [`darkrift_driver::Client`] on ", $name, ".")]
        pub type Client = $crate::Client<$runtime>;

        #[doc = concat!("Settings of a connect: [`darkrift_driver::ClientBuilder`] on ", $name, ".")]
        pub type ClientBuilder = $crate::ClientBuilder<$runtime>;

        #[doc = concat!("A server: [`darkrift_driver::Server`] on ", $name, ".")]
        pub type Server = $crate::Server<$runtime>;

        #[doc = concat!("Settings of a server: [`darkrift_driver::ServerBuilder`] on ", $name, ".")]
        pub type ServerBuilder = $crate::ServerBuilder<$runtime>;
    };
}
