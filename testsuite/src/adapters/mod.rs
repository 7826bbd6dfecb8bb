//! The adapters that the scenarios are run for.

mod runtimes;
mod std;

pub use self::runtimes::{AsyncStd, OnRuntime, Smol, Tokio};
pub use self::std::Std;
