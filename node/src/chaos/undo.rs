//! What must be taken off, each of it as often as anybody likes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::fault::{cut, daemon};
use super::orders::Orders;
use super::shelf::{Process, Shelf};

/// Something that must be taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// A process that was stopped goes on.
    Wake(Process),
    /// The daemon that was killed is started again, where none answers.
    Start,
    /// Packets pass again.
    Join,
    /// A file goes.
    Remove(PathBuf),
}

impl Undo {
    /// Takes it off.
    pub(super) async fn do_it(&self, orders: &Orders) -> Result<(), String> {
        match self {
            Self::Wake(process) => process
                .signal(Signal::SIGCONT)
                .map_err(|error| format!("process {} does not go on: {error}", process.pid)),
            Self::Start => start(orders),
            Self::Join => cut::join(orders).await,
            Self::Remove(path) => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(format!("{} does not go: {error}", path.display()))
                }
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }
}

/// Starts the daemon anew; one that runs already has the data folder, and the new one ends.
fn start(orders: &Orders) -> Result<(), String> {
    let Some(again) = &orders.again else {
        return Ok(());
    };
    if daemon(orders).is_some() {
        return Ok(());
    }
    let mut command = Command::new(&again.program);
    command
        .args(&again.arguments)
        .current_dir(&again.folder)
        .stdin(Stdio::null())
        .process_group(0);
    let started = command.spawn();
    started
        .map(drop)
        .map_err(|error| format!("the daemon does not start again: {error}"))
}

/// Takes off what a warden that was killed has left; whoever calls it is the daemon, so that one runs.
pub async fn mend(data: &Path) {
    let shelf = Shelf::below(data);
    if shelf.warden().is_some() {
        return;
    }
    let Some(orders) = shelf.orders() else {
        return;
    };
    let mut left = shelf.undo();
    if left.is_empty() {
        return;
    }
    tracing::warn!(?left, "a chaos run left this on; it is taken off");
    let mut still = Vec::new();
    for undo in left.drain(..).rev() {
        if undo == Undo::Start {
            continue;
        }
        if let Err(why) = undo.do_it(&orders).await {
            tracing::error!(why, "a fault of a chaos run stays");
            still.push(undo);
        }
    }
    if let Err(error) = shelf.set_undo(&still) {
        tracing::warn!(%error, "it is not written down that faults are off");
    }
}
