//! A node's part of a chaos run: a process that makes its faults, and takes them off whatever happens.
//!
//! ```text
//! daemon ──orders──► warden (own session) ──► armed? ──► waits for `go` ──► fault on ─► fault off ─► …
//!    ▲                   │                                                    │
//!    └──── what it did ──┴── writes down what must be taken off, before ◄─────┘
//! ```
//!
//! # Invariant
//! What a fault needs to be taken off is on the disk before the fault is made. The warden takes it off
//! at its end, on SIGTERM and SIGINT, and when its time is over; where it is itself killed, the node's
//! daemon does, at its next look or its next start.
//!
//! # Why
//! A daemon that is killed or frozen, and a disk that is full, cannot take off what was done to them,
//! and neither can the command that began the run, which may be on another host. So it is a process of
//! its own that needs neither, and speaks with them through files of the node's data folder.

pub mod fault;
mod orders;
mod shelf;
mod undo;
mod warden;

pub use orders::{Again, Orders};
pub use shelf::{Process, Shelf, Word};
pub use undo::mend;
pub use warden::{Broken, ENDED_EARLY, watch};

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use runtime::clock::Deadline;
use tokio::time::sleep;

/// How long a warden may take to take its fault off.
const DISMISS_LIMIT: Duration = Duration::from_secs(35);
/// Time between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Ends the warden of a node, where there is one, and waits until its fault is off.
pub async fn dismiss(data: &Path) {
    let Some(warden) = Shelf::below(data).warden() else {
        return;
    };
    // One that ends by itself meanwhile needs no word.
    let _ = warden.signal(Signal::SIGTERM);
    let deadline = Deadline::after(DISMISS_LIMIT);
    while warden.is_there() && !deadline.is_over() {
        sleep(LOOK_EVERY).await;
    }
}
