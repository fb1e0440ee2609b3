//! The daemon is killed with nothing flushed, and started again as it was.

use nix::sys::signal::Signal;

use super::{daemon, may_signal};
use crate::chaos::orders::Orders;

pub(super) fn check(orders: &Orders) -> Result<(), String> {
    may_signal(daemon(orders).ok_or("its daemon does not answer")?)
}

pub(super) fn make(orders: &Orders) -> Result<(), String> {
    let daemon = daemon(orders).ok_or("its daemon was gone already")?;
    daemon
        .signal(Signal::SIGKILL)
        .map_err(|error| error.to_string())
}
