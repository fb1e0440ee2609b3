//! The attempts of a box that run side by side, each with an attendant: started, told, and cleared
//! up after.
//!
//! # Invariant
//!
//! An attempt is over when its attendant is and nothing is left that no other attendant answers
//! for; only then its exit is written, where the attendant did not live to do so.
//!
//! # Why
//!
//! Memory and processes are the box's. So it is init that watches memory where no cgroup does, and
//! tells the attendant of the largest attempt, as the kernel would choose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use super::running::MEMORY_EVERY;
use super::signals::{LOOK, MEMORY, Signals};
use super::{BoxSettings, end, memory, tried};
use crate::clock::Deadline;
use crate::spool::{AttemptName, Ending, Exit};

/// Most attempts at once in one box; more wait in line. Each has a process of ours beside its own,
/// and a box's processes are limited.
pub(crate) const ALONGSIDE_LIMIT: usize = 256;

/// The attempts that run side by side.
pub(super) struct Beside {
    folder: PathBuf,
    attendants: BTreeMap<AttemptName, Attendant>,
    memory_at: Deadline,
}

struct Attendant {
    pid: Pid,
    ended: Option<WaitStatus>,
    oom_kills_before: Option<u64>,
}

impl Beside {
    pub(super) fn new(folder: &Path) -> Beside {
        Beside {
            folder: folder.to_owned(),
            attendants: BTreeMap::new(),
            memory_at: Deadline::after(MEMORY_EVERY),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attendants.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.attendants.len() < ALONGSIDE_LIMIT
    }

    /// Is it one of these?
    pub(super) fn has(&self, attempt: &AttemptName) -> bool {
        self.attendants.contains_key(attempt)
    }

    pub(super) fn names(&self) -> Vec<AttemptName> {
        self.attendants.keys().cloned().collect()
    }

    /// Starts the attendant of an attempt. An error may be one of the moment.
    pub(super) fn start(
        &mut self,
        attempt: &AttemptName,
        settings: &BoxSettings,
    ) -> Result<(), String> {
        let own = std::env::current_exe().map_err(tried("the own program is unknown"))?;
        let oom_kills_before = memory::oom_kills(settings);
        let mut command = Command::new(own);
        command
            .args(["init", "--attend"])
            .arg(&self.folder)
            .arg(attempt.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command
            .spawn()
            .map_err(tried("no process can be started"))?;
        let attendant = Attendant {
            pid: Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)),
            ended: None,
            oom_kills_before,
        };
        self.attendants.insert(attempt.clone(), attendant);
        Ok(())
    }

    /// Has an attendant look at its orders.
    pub(super) fn nudge(&self, attempt: &AttemptName) {
        if let Some(attendant) = self.attendants.get(attempt) {
            attendant.tell(LOOK);
        }
    }

    /// Tells all that the box stops.
    pub(super) fn stop(&self) {
        for attendant in self.attendants.values() {
            attendant.tell(Signal::SIGTERM);
        }
    }

    /// Takes note of a reaped process.
    pub(super) fn reaped(&mut self, status: WaitStatus) {
        let attendant = self
            .attendants
            .values_mut()
            .find(|attendant| status.pid() == Some(attendant.pid));
        if let Some(attendant) = attendant
            && matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..))
        {
            attendant.ended = Some(status);
        }
    }

    /// When the next look at memory is due.
    pub(super) fn due(&self, settings: &BoxSettings) -> Option<Duration> {
        let watches = settings.memory_watch_bytes.is_some() && !self.is_empty();
        watches.then(|| self.memory_at.left())
    }

    /// Tells the largest attempt when all together have outgrown the box's memory.
    pub(super) fn watch_memory(&mut self, settings: &BoxSettings) {
        let Some(limit) = settings.memory_watch_bytes else {
            return;
        };
        if self.is_empty() || !self.memory_at.is_over() {
            return;
        }
        self.memory_at = Deadline::after(MEMORY_EVERY);
        let of = |attendant: &Attendant| {
            memory::resident_of(&end::descendants_of(attendant.pid.as_raw()))
        };
        let weighed = self
            .attendants
            .values()
            .map(|attendant| (of(attendant), attendant));
        let weighed: Vec<(u64, &Attendant)> = weighed.collect();
        let all: u64 = weighed.iter().map(|(bytes, _)| bytes).sum();
        let largest = weighed.iter().max_by_key(|(bytes, _)| bytes);
        if all > limit
            && let Some((_, attendant)) = largest
        {
            attendant.tell(MEMORY);
        }
    }

    /// Takes an attempt that is over out, after all that is left of it was killed: with its exit,
    /// for the case that there is none yet.
    pub(super) fn take_over(
        &mut self,
        settings: &BoxSettings,
        signals: &mut Signals,
    ) -> Option<(AttemptName, Exit)> {
        let (name, _) = self
            .attendants
            .iter()
            .find(|(_, attendant)| attendant.ended.is_some())?;
        let name = name.clone();
        let gone = self.attendants.remove(&name)?;
        let pids: Vec<Pid> = self.attendants.values().map(|other| other.pid).collect();
        if pids.is_empty() {
            end::kill_the_rest(settings.reap, signals);
        } else if !end::kill_strays(settings.reap, &pids, signals) {
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                b"domo init: what an attempt left could not be ended, the box was cleared\n",
            );
        }
        let oom_kills = memory::oom_kills(settings);
        let ending = match gone.ended {
            Some(WaitStatus::Signaled(_, signal, _)) => Ending::Signal(signal as i32),
            _ => Ending::NotStarted("its attendant could not serve it".to_owned()),
        };
        let exit = Exit {
            oom: oom_kills > gone.oom_kills_before,
            ..Exit::bare(ending)
        };
        Some((name, exit))
    }
}

impl Attendant {
    fn tell(&self, signal: Signal) {
        if self.ended.is_none() {
            // Not reaped yet, so its number is still its own.
            let _ = kill(self.pid, signal);
        }
    }
}
