//! The child does not outlive its parent.

use std::io;

/// Have the kernel kill this process when the thread that started it ends, even inside a call that never returns.
///
/// Linux only: prctl(2), `PR_SET_PDEATHSIG`. A parent that died before this call, and other systems, are left to
/// the end of standard input, which the channel watches.
pub fn die_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    Ok(())
}
