//! Finding the init of a process box again, and holding on to it.
//!
//! # Invariant
//!
//! A process id is never trusted by itself: the process is first held by a descriptor, then looked
//! at, and only signalled through that descriptor. A reused number is therefore never ours.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;
use tokio::io::unix::AsyncFd;

use super::Confinement;
use super::home::read_json;
use crate::init::{Launched, boot_id, descendants_of};

/// A box's init, held.
#[derive(Debug)]
pub(super) struct Found {
    held: AsyncFd<OwnedFd>,
    pid: i32,
}

/// What bubblewrap writes about the sandbox that it made.
#[derive(Deserialize)]
struct SandboxNote {
    #[serde(rename = "child-pid")]
    child_pid: i32,
}

/// Looks for the running init of the box called `name` in `folder`.
pub(super) fn find(folder: &Path, name: &str, confinement: Confinement) -> Option<Found> {
    let launched: Launched = read_json(&folder.join("launched.json"))?;
    if Some(&launched.boot_id) != boot_id().as_ref() {
        return None;
    }
    if confinement != Confinement::Bubblewrap {
        let found = hold(launched.pid)?;
        return (Launched::of(launched.pid)? == launched && is_alive(launched.pid))
            .then_some(found);
    }
    let note: SandboxNote = read_json(&folder.join("info.json"))?;
    let found = hold(note.child_pid)?;
    let is_later = Launched::of(note.child_pid)?.start_ticks >= launched.start_ticks;
    let is_ours = is_later
        && is_first_of_a_namespace(note.child_pid)
        && last_argument(note.child_pid)? == name
        && is_alive(note.child_pid);
    is_ours.then_some(found)
}

impl Found {
    /// Its number on this host.
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal. To a process that has ended, nothing.
    pub(super) fn signal(&self, signal: Signal) {
        // Gone is what the caller wants anyway, and another refusal shows in the wait after it.
        let _ = pidfd_send_signal(self.held.get_ref(), signal);
    }

    /// Kills it, and what descends from it where no namespace does so.
    pub(super) fn kill(&self, confinement: Confinement) {
        if confinement == Confinement::Nothing {
            self.signal(Signal::STOP);
            for pid in descendants_of(self.pid) {
                if let Some(descendant) = hold(pid) {
                    descendant.signal(Signal::KILL);
                }
            }
        }
        self.signal(Signal::KILL);
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) {
        // An error would mean that the runtime is shutting down.
        let _ = self.held.readable().await;
    }

    /// Waits at most this long; true when it has ended.
    pub(super) async fn ended_within(&self, most: Duration) -> bool {
        tokio::time::timeout(most, self.ended()).await.is_ok()
    }
}

fn hold(pid: i32) -> Option<Found> {
    let held = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::NONBLOCK).ok()?;
    #[expect(
        deprecated,
        reason = "an owned descriptor is what the new name asks to promise"
    )]
    let held = AsyncFd::new(held).ok()?;
    Some(Found { held, pid })
}

fn is_alive(pid: i32) -> bool {
    let state = status(pid, "State:");
    state.is_some_and(|state| !state.starts_with('Z') && !state.starts_with('X'))
}

pub(super) fn is_first_of_a_namespace(pid: i32) -> bool {
    status(pid, "NSpid:").is_some_and(|pids| pids.split_whitespace().last() == Some("1"))
}

/// The parent of a process.
pub(super) fn parent_of(pid: i32) -> Option<i32> {
    status(pid, "PPid:")?.parse().ok()
}

fn status(pid: i32, key: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines()
        .find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()))
}

fn last_argument(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let last = line.strip_suffix(b"\0")?.rsplit(|byte| *byte == 0).next()?;
    String::from_utf8(last.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::to_json;

    fn write(folder: &Path, launched: &Launched, child: i32) {
        fs::write(folder.join("launched.json"), to_json(launched)).unwrap();
        fs::write(
            folder.join("info.json"),
            format!("{{\"child-pid\":{child}}}"),
        )
        .unwrap();
    }

    fn own() -> Launched {
        Launched::of(i32::try_from(std::process::id()).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_number_that_another_process_has_now_is_not_ours() {
        let home = tempfile::tempdir().unwrap();
        let here = || find(home.path(), "name", Confinement::OwnUid).is_some();
        assert!(!here(), "nothing was launched");
        write(home.path(), &own(), 1);
        assert!(here());
        write(
            home.path(),
            &Launched {
                start_ticks: own().start_ticks - 1,
                ..own()
            },
            1,
        );
        assert!(!here(), "the number was reused");
        write(
            home.path(),
            &Launched {
                boot_id: "another".into(),
                ..own()
            },
            1,
        );
        assert!(!here(), "the machine was started again");
    }

    #[tokio::test]
    async fn of_a_sandbox_only_the_first_of_its_namespace_with_its_name_is_ours() {
        let home = tempfile::tempdir().unwrap();
        let pid = own().pid;
        let name = last_argument(pid).unwrap();
        write(home.path(), &own(), pid);
        // Right in all but that it is not the first of a process namespace.
        assert!(find(home.path(), &name, Confinement::Bubblewrap).is_none());
        write(home.path(), &own(), i32::MAX);
        assert!(find(home.path(), &name, Confinement::Bubblewrap).is_none());
    }

    #[tokio::test]
    async fn the_end_of_a_held_process_is_noticed() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let found = hold(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(!found.ended_within(Duration::from_millis(1)).await);
        found.kill(Confinement::OwnUid);
        found.ended().await;
        child.wait().unwrap();
    }
}
