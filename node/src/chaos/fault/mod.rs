//! The faults: each knows whether it can be made here, how it is made, and what takes it off.

pub(super) mod crash;
pub(super) mod cut;
mod fill;
mod freeze;
mod hang;
mod kill;

use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rules::chaos::{Fault, Plan};

use super::orders::Orders;
use super::shelf::{Process, Shelf};
use super::undo::Undo;

/// Why some fault of a plan cannot be made here; none where each of them can.
pub async fn obstacle(plan: &Plan, orders: &Orders) -> Option<String> {
    let mut seen = Vec::new();
    for step in &plan.steps {
        if seen.contains(&step.fault) {
            continue;
        }
        seen.push(step.fault);
        if let Err(why) = check(step.fault, orders).await {
            return Some(format!("it cannot {}: {why}", told(step.fault)));
        }
    }
    None
}

/// What a fault does, after "it cannot".
pub fn told(fault: Fault) -> &'static str {
    match fault {
        Fault::Crash => "crash a persona",
        Fault::Kill => "kill its daemon",
        Fault::Freeze => "freeze its daemon",
        Fault::Cut => "be cut off",
        Fault::Hang => "hang its engine",
        Fault::Fill { .. } => "fill its disk",
    }
}

/// Whether a fault can be made here.
pub async fn check(fault: Fault, orders: &Orders) -> Result<(), String> {
    match fault {
        Fault::Crash => Ok(()),
        Fault::Kill => kill::check(orders),
        Fault::Freeze => freeze::check(orders),
        Fault::Cut => cut::check(orders).await,
        Fault::Hang => hang::check(orders),
        Fault::Fill { left_bytes } => fill::check(orders, left_bytes),
    }
}

/// What will take a fault off: to be written down before it is made.
pub(super) fn undo(fault: Fault, orders: &Orders, shelf: &Shelf) -> Result<Vec<Undo>, String> {
    let gone = || "its daemon does not answer".to_owned();
    Ok(match fault {
        Fault::Crash => Vec::new(),
        Fault::Kill => vec![Undo::Start],
        Fault::Freeze => vec![Undo::Wake(daemon(orders).ok_or_else(gone)?)],
        Fault::Cut => vec![Undo::Join],
        Fault::Hang => vec![Undo::Wake(hang::engine(orders)?)],
        Fault::Fill { .. } => vec![Undo::Remove(shelf.filler())],
    })
}

/// Makes a fault other than a crash.
pub(super) async fn make(
    fault: Fault,
    undo: &[Undo],
    orders: &Orders,
    shelf: &Shelf,
) -> Result<(), String> {
    match fault {
        Fault::Crash => Ok(()),
        Fault::Kill => kill::make(orders),
        Fault::Freeze | Fault::Hang => freeze::make(undo),
        Fault::Cut => cut::make(orders).await,
        Fault::Fill { left_bytes } => fill::make(&shelf.filler(), left_bytes),
    }
}

/// The node's daemon, as the one who listens on its socket; none where nobody does.
pub(super) fn daemon(orders: &Orders) -> Option<Process> {
    listener(&orders.socket)
}

/// The process that listens on a socket.
pub fn listener(socket: &Path) -> Option<Process> {
    let stream = UnixStream::connect(socket).ok()?;
    let peer = getsockopt(&stream, PeerCredentials).ok()?;
    Process::of(peer.pid())
}

/// What is wrong with stopping or killing a process.
fn may_signal(process: Process) -> Result<(), String> {
    use nix::errno::Errno;
    use nix::sys::signal::kill;
    use nix::unistd::Pid;
    match kill(Pid::from_raw(process.pid), None) {
        Ok(()) if process.pid > 1 => Ok(()),
        Ok(()) => Err("it is the first process of its host or container".to_owned()),
        Err(Errno::EPERM) => Err("it runs as another user; that takes root".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
