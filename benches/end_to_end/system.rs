//! What the operating system knows of this process.

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor time that all threads of this process have used.
pub(crate) fn cpu_time() -> io::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).map_err(io::Error::other)?;
    let nanoseconds = u32::try_from(time.tv_nsec).map_err(io::Error::other)?;
    Ok(Duration::new(seconds, nanoseconds))
}

/// The resident memory of this process, in bytes.
///
/// # Errors
/// On a system that has no `/proc` as Linux has it.
pub(crate) fn resident() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .ok_or_else(|| io::Error::other("/proc/self/status says nothing of resident memory"))?;
    Ok(kibibytes * 1024)
}

/// How many tasks have wanted a processor over the last minute, on average: what else the machine does, when nothing is
/// measured yet. `None` on a system that has no `/proc` as Linux has it.
pub(crate) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
