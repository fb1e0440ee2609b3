//! A process is stopped where it is: the daemon, or the engine.

use nix::sys::signal::Signal;

use super::{daemon, may_signal};
use crate::chaos::orders::Orders;
use crate::chaos::undo::Undo;

pub(super) fn check(orders: &Orders) -> Result<(), String> {
    may_signal(daemon(orders).ok_or("its daemon does not answer")?)
}

/// Stops those that will be woken.
pub(super) fn make(undo: &[Undo]) -> Result<(), String> {
    for undo in undo {
        if let Undo::Wake(process) = undo {
            let stopped = process.signal(Signal::SIGSTOP);
            stopped.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
