//! The signals that init and attendants listen to, taken as messages: a child has ended, the box is
//! to stop, there may be something to look at, the box is out of memory.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::tried;

/// Tells an attendant to look at its orders: it looks at each message, so this one says no more.
pub(super) const LOOK: Signal = Signal::SIGHUP;
/// Tells an attendant that its attempt is the one that outgrew the box's memory.
pub(super) const MEMORY: Signal = Signal::SIGUSR1;

/// All of them, blocked for this process and read here. Children inherit the block and undo it.
pub(super) struct Signals {
    fd: SignalFd,
    /// Has init been told to stop, ever?
    pub(super) is_told_to_stop: bool,
    /// Has an attendant been told that its attempt outgrew the box's memory, ever?
    pub(super) is_told_of_memory: bool,
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Signals {
    pub(super) fn listen() -> Result<Signals, String> {
        let mut heard = SigSet::empty();
        heard.add(Signal::SIGCHLD);
        heard.add(Signal::SIGTERM);
        heard.add(Signal::SIGINT);
        heard.add(LOOK);
        heard.add(MEMORY);
        heard
            .thread_block()
            .map_err(tried("signals cannot be blocked"))?;
        let fd = SignalFd::with_flags(&heard, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map_err(tried("signals cannot be read"))?;
        Ok(Signals {
            fd,
            is_told_to_stop: false,
            is_told_of_memory: false,
        })
    }

    /// Takes all signals that have come.
    pub(super) fn take(&mut self) {
        let is = |signo: u32, signal: Signal| i32::try_from(signo) == Ok(signal as i32);
        while let Ok(Some(signal)) = self.fd.read_signal() {
            let signo = signal.ssi_signo;
            self.is_told_of_memory |= is(signo, MEMORY);
            self.is_told_to_stop |= is(signo, Signal::SIGTERM) || is(signo, Signal::SIGINT);
        }
    }

    /// Waits until one comes, at most this long, and takes it.
    pub(super) fn wait(&mut self, most: Duration) {
        wait_for(&mut [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)], most);
        self.take();
    }
}

/// Waits until one of `fds` is ready, at most this long. An interrupted wait is over.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], most: Duration) {
    // Rounded up, or a deadline half a millisecond away would be waited for by spinning.
    let most_ms = most.as_millis().saturating_add(1);
    let timeout = PollTimeout::try_from(most_ms).unwrap_or(PollTimeout::MAX);
    let _ = poll(fds, timeout);
}
