//! The clock that parent and child share.

use nix::time::{ClockId, clock_gettime};

/// What the clock is called in the protocol: the one that Python's `time.monotonic_ns()` reads.
pub const CLOCK_NAME: &str = if cfg!(target_os = "macos") { "CLOCK_UPTIME_RAW" } else { "CLOCK_MONOTONIC" };

#[cfg(target_os = "macos")]
const CLOCK: ClockId = ClockId::from_raw(nix::libc::CLOCK_UPTIME_RAW);
#[cfg(not(target_os = "macos"))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

/// A reading of the clock, in nanoseconds. (`std::time::Instant` reads the same one, but does not show its value.)
pub fn monotonic_ns() -> u64 {
    let time = clock_gettime(CLOCK).expect("every system has its monotonic clock");
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}
