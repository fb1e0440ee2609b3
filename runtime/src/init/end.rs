//! Killing everything in the box but init, so that nothing of an attempt outlives it.
//!
//! # Invariant
//!
//! Init never signals a process that is not of its box: "all that I may signal" is used only by
//! the first process of a process namespace and by a user that only a box has.

use std::collections::HashMap;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, geteuid};

use super::signals::Signals;
use super::{BOX_UIDS, BOX_UIDS_FROM, Reap};
use crate::clock::Deadline;

/// How long init waits for killed processes to be gone: one in the middle of a disk call may take.
const GONE_LIMIT: Duration = Duration::from_secs(10);
/// How long killed processes have before what is left is killed again.
const ROUND: Duration = Duration::from_millis(10);
/// Walks in a row that must find no stray before there is none.
const EMPTY_WALKS: u32 = 2;

/// Kills and reaps everything but this process. Answers how many it had to kill.
pub(super) fn kill_the_rest(reap: Reap, signals: &mut Signals) -> u32 {
    let deadline = Deadline::after(GONE_LIMIT);
    let mut killed = 0;
    while !deadline.is_over() {
        strike(reap);
        let round = Deadline::after(ROUND);
        loop {
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)) => killed += 1,
                Ok(WaitStatus::StillAlive) if round.is_over() => break,
                Ok(WaitStatus::StillAlive) => signals.wait(round.left()),
                // No child is left, and as the reaper of all descendants that means none at all.
                Err(Errno::ECHILD) => return killed,
                Ok(_) | Err(_) => {}
            }
        }
    }
    killed
}

fn strike(reap: Reap) {
    let all = Pid::from_raw(-1);
    let may_kill_all = match reap {
        Reap::Namespace => std::process::id() == 1,
        Reap::Uid => is_box_user(),
        Reap::Descendants => false,
    };
    if may_kill_all {
        // In the kernel one walk under the lock that every fork needs: nothing slips through.
        let _ = kill(all, Signal::SIGKILL);
        return;
    }
    strike_each(&descendants());
}

fn strike_each(found: &[i32]) {
    // First all stand still, so that none makes another one.
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        for pid in found {
            // It may have ended by itself; until it is reaped here its number is not reused.
            let _ = kill(Pid::from_raw(*pid), signal);
        }
    }
}

fn is_box_user() -> bool {
    (BOX_UIDS_FROM..=BOX_UIDS_FROM + (BOX_UIDS - 1)).contains(&geteuid().as_raw())
}

/// Kills every process of this process's user, when that is a box's.
pub(super) fn sweep_own_user() -> Result<ExitCode, String> {
    if !is_box_user() {
        return Err("only a box's own user is swept".to_owned());
    }
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(format!("the user's processes cannot be killed: {error}")),
    }
}

/// All processes that descend from this one, as far as one walk sees.
pub(super) fn descendants() -> Vec<i32> {
    descendants_of(i32::try_from(std::process::id()).unwrap_or(0))
}

/// All processes that descend from `root`, as far as one walk sees.
pub(crate) fn descendants_of(root: i32) -> Vec<i32> {
    descendants_but(root, &[])
}

/// The same without those of `spared`, and without what descends from them.
fn descendants_but(root: i32, spared: &[Pid]) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for pid in super::memory::all_pids() {
        if let Some(parent) = parent_of(pid)
            && !spared.contains(&Pid::from_raw(pid))
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(parent) = waiting.pop() {
        let born = children.remove(&parent).unwrap_or_default();
        found.extend(&born);
        waiting.extend(born);
    }
    found
}

/// The parent of a process that runs; one that only waits to be reaped has none here.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may have spaces and brackets in it: count from its last bracket.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let is_zombie = words.next()? == "Z";
    let parent = words.next()?.parse().ok()?;
    // A process whose first thread has ended looks like one, and runs.
    let threads: u32 = words.nth(15)?.parse().ok()?;
    (!is_zombie || threads > 1).then_some(parent)
}

/// Kills what descends from this process but not from the attendants in `spared`, and reaps
/// nothing. False when it came up against the limit: then the whole box was killed, where it may be.
pub(super) fn kill_strays(reap: Reap, spared: &[Pid], signals: &mut Signals) -> bool {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let deadline = Deadline::after(GONE_LIMIT);
    let mut empty_walks = 0;
    while !deadline.is_over() {
        let found = descendants_but(own, spared);
        // What forks as fast as it ends can slip through one walk.
        empty_walks = if found.is_empty() { empty_walks + 1 } else { 0 };
        if empty_walks == EMPTY_WALKS {
            return true;
        }
        strike_each(&found);
        if !found.is_empty() {
            signals.wait(ROUND);
        }
    }
    strike(reap);
    false
}
