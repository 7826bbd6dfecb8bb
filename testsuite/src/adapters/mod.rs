//! The adapters that the scenarios are run for.

mod async_std;
mod smol;
mod std;
mod tokio;

pub use self::async_std::AsyncStd;
pub use self::smol::Smol;
pub use self::std::Std;
pub use self::tokio::Tokio;
