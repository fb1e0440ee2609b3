//! Holding the processes of a box still, at the kernel: by its control group, else by signals.
//!
//! # Invariant
//! No group is touched that the daemon itself is in, and none that is not a box's own: the one of
//! the box's first process, which is never the root.
//!
//! # Why
//! The engine is not asked, since one that hangs is a reason to freeze. A group freezes all its
//! processes in one step. Where there is none, processes are stopped one by one until a look finds
//! all of them stopped; an agent could start its stopped children again, were it not stopped too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::init::descendants_of;

/// Where the kernel's freezer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Freezer {
    /// A hierarchy of its own, in version 1.
    V1(PathBuf),
    /// Part of every group, in version 2.
    V2(PathBuf),
    /// Nowhere.
    None,
}

/// How the processes of one box are held still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// By their group.
    Group {
        /// Its folder.
        folder: PathBuf,
        /// Whether it is of version 2.
        is_v2: bool,
    },
    /// By signals to the first process and all that descend from it.
    Signals {
        /// The first process.
        init: i32,
    },
}

impl Freezer {
    /// Looks for it below `mount`, usually `/sys/fs/cgroup`.
    pub(super) fn find(mount: &Path) -> Freezer {
        let v1 = mount.join("freezer");
        if v1.join("cgroup.procs").exists() {
            Freezer::V1(v1)
        } else if mount.join("cgroup.controllers").exists() {
            Freezer::V2(mount.to_owned())
        } else {
            Freezer::None
        }
    }

    /// How the box with this first process is held still.
    pub(super) fn hold_of(&self, init: i32) -> Hold {
        let groups = |pid: &str| fs::read_to_string(format!("/proc/{pid}/cgroup"));
        let its = groups(&init.to_string()).unwrap_or_default();
        let own = groups("self").unwrap_or_default();
        self.group(&its, &own)
            .filter(Hold::is_there)
            .unwrap_or(Hold::Signals { init })
    }

    /// The group of a process that has these groups, as seen from one that has those.
    fn group(&self, its: &str, own: &str) -> Option<Hold> {
        let path = self.path_in(its)?;
        let is_ours = Path::new(self.path_in(own)?).starts_with(path);
        let below = path.strip_prefix('/')?;
        if is_ours || below.is_empty() || below.split('/').any(|part| part == "..") {
            return None;
        }
        let (root, is_v2) = match self {
            Freezer::V1(root) => (root, false),
            Freezer::V2(root) => (root, true),
            Freezer::None => return None,
        };
        let folder = root.join(below);
        Some(Hold::Group { folder, is_v2 })
    }

    fn path_in<'a>(&self, groups: &'a str) -> Option<&'a str> {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let is_it = match self {
                Freezer::V1(_) => controllers.split(',').any(|name| name == "freezer"),
                Freezer::V2(_) => controllers.is_empty(),
                Freezer::None => false,
            };
            is_it.then_some(path)
        })
    }
}

impl Hold {
    /// Begins to hold still; once more is harmless, and needed until [`Hold::is_still`].
    pub(super) fn begin(&self) -> io::Result<()> {
        match self {
            Hold::Group {
                folder,
                is_v2: false,
            } => fs::write(folder.join(V1_STATE), "FROZEN"),
            Hold::Group {
                folder,
                is_v2: true,
            } => fs::write(folder.join(V2_SWITCH), "1"),
            Hold::Signals { init } => {
                strike(*init, Signal::STOP);
                Ok(())
            }
        }
    }

    /// Was it begun, and not ended?
    pub(super) fn is_begun(&self) -> bool {
        match self {
            Hold::Group {
                folder,
                is_v2: false,
            } => read(&folder.join(V1_STATE)).is_some_and(|state| state.trim() != "THAWED"),
            Hold::Group {
                folder,
                is_v2: true,
            } => read(&folder.join(V2_SWITCH)).is_some_and(|switch| switch.trim() == "1"),
            Hold::Signals { init } => is_stopped(*init),
        }
    }

    /// Does every process stand still?
    pub(super) fn is_still(&self) -> bool {
        match self {
            Hold::Group {
                folder,
                is_v2: false,
            } => read(&folder.join(V1_STATE)).is_some_and(|state| state.trim() == "FROZEN"),
            Hold::Group {
                folder,
                is_v2: true,
            } => read(&folder.join("cgroup.events"))
                .is_some_and(|events| events.lines().any(|event| event == "frozen 1")),
            Hold::Signals { init } => members(*init).into_iter().all(is_stopped),
        }
    }

    /// Lets all go on.
    pub(super) fn end(&self) -> io::Result<()> {
        match self {
            Hold::Group {
                folder,
                is_v2: false,
            } => fs::write(folder.join(V1_STATE), "THAWED"),
            Hold::Group {
                folder,
                is_v2: true,
            } => fs::write(folder.join(V2_SWITCH), "0"),
            Hold::Signals { init } => {
                strike(*init, Signal::CONT);
                Ok(())
            }
        }
    }

    /// Kills all where they stand: none runs another instruction of its program.
    pub(super) fn kill(&self) -> io::Result<()> {
        match self {
            Hold::Group { folder, .. } => {
                // Nobody forks while frozen, so one walk finds all.
                let procs = fs::read_to_string(folder.join("cgroup.procs"))?;
                procs
                    .lines()
                    .filter_map(|pid| pid.parse().ok())
                    .for_each(kill);
                // In version 1 they die only now: the signal comes before anything else.
                self.end()
            }
            Hold::Signals { init } => {
                strike(*init, Signal::KILL);
                Ok(())
            }
        }
    }

    /// Kills an attempt that runs beside others, with all that its attendant answers for; in a
    /// frozen group it dies before anything else happens.
    pub(super) fn kill_attempt(&self, attempt: &str) {
        let all = match self {
            Hold::Group { folder, .. } => {
                let procs = read(&folder.join("cgroup.procs")).unwrap_or_default();
                procs.lines().filter_map(|pid| pid.parse().ok()).collect()
            }
            Hold::Signals { init } => members(*init),
        };
        for attendant in all.into_iter().filter(|pid| attends(*pid, attempt)) {
            strike(attendant, Signal::KILL);
        }
    }

    fn is_there(&self) -> bool {
        match self {
            Hold::Group { folder, is_v2 } => {
                let file = if *is_v2 { V2_SWITCH } else { V1_STATE };
                // A group that cannot be written is none; its state stays as it is.
                fs::OpenOptions::new()
                    .write(true)
                    .open(folder.join(file))
                    .is_ok()
            }
            Hold::Signals { .. } => true,
        }
    }
}

/// The state of a group, in version 1.
pub(super) const V1_STATE: &str = "freezer.state";
/// What freezes a group, in version 2.
const V2_SWITCH: &str = "cgroup.freeze";

fn read(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

/// Whether a process is the attendant of that attempt, by its command line.
fn attends(pid: i32, attempt: &str) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    matches!(words.as_slice(), [_, b"init", b"--attend", _, of, ..] if *of == attempt.as_bytes())
}

fn members(init: i32) -> Vec<i32> {
    let mut all = descendants_of(init);
    all.insert(0, init);
    all
}

/// Signals the first process and its descendants; a number that was reused meanwhile is nobody's.
fn strike(init: i32, signal: Signal) {
    let held: Vec<_> = members(init)
        .into_iter()
        .filter_map(|pid| Some((pid, hold(pid)?)))
        .collect();
    let still = members(init);
    for (pid, held) in held {
        if still.contains(&pid) {
            let _ = pidfd_send_signal(held, signal);
        }
    }
}

/// Kills a process; gone by itself is gone.
pub(super) fn kill(pid: i32) {
    if let Some(held) = hold(pid) {
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

fn hold(pid: i32) -> Option<std::os::fd::OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// Stopped, or not there any more.
fn is_stopped(pid: i32) -> bool {
    let Some(stat) = read(Path::new(&format!("/proc/{pid}/stat"))) else {
        return true;
    };
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't' | 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_is_the_boxs_own_is_frozen() {
        let v1 = Freezer::V1("/cg/freezer".into());
        let own = "6:freezer:/system/domo\n4:memory:/\n";
        let group = |path: &str| v1.group(&format!("7:cpu:/x\n6:devices,freezer:{path}\n"), own);
        let folder = |path: &str| {
            let folder = Path::new("/cg/freezer").join(path);
            Some(Hold::Group {
                folder,
                is_v2: false,
            })
        };
        assert_eq!(group("/docker/abc"), folder("docker/abc"));
        assert_eq!(group("/system/domo/abc"), folder("system/domo/abc"));
        for not_its_own in ["/", "/system", "/system/domo", "/../else"] {
            assert_eq!(group(not_its_own), None, "{not_its_own}");
        }
        let v2 = Freezer::V2("/cg".into());
        let found = v2.group("0::/docker/abc\n", "0::/me\n");
        let folder = "/cg/docker/abc".into();
        assert_eq!(
            found,
            Some(Hold::Group {
                folder,
                is_v2: true
            })
        );
        assert_eq!(Freezer::None.group("0::/docker/abc\n", "0::/me\n"), None);
    }

    #[test]
    fn version_two_is_frozen_and_thawed_by_one_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(V2_SWITCH), "0\n").unwrap();
        fs::write(
            folder.path().join("cgroup.events"),
            "populated 1\nfrozen 0\n",
        )
        .unwrap();
        let hold = Hold::Group {
            folder: folder.path().to_owned(),
            is_v2: true,
        };
        assert!(!hold.is_begun());
        hold.begin().unwrap();
        assert!(
            hold.is_begun() && !hold.is_still(),
            "the kernel has not said so"
        );
        fs::write(
            folder.path().join("cgroup.events"),
            "populated 1\nfrozen 1\n",
        )
        .unwrap();
        assert!(hold.is_still());
        hold.end().unwrap();
        assert!(!hold.is_begun());
    }

    #[test]
    fn without_a_group_a_process_is_stopped_and_goes_on() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let hold = Hold::Signals {
            init: i32::try_from(child.id()).unwrap(),
        };
        let until = |wanted: bool| {
            let deadline = crate::clock::Deadline::after(std::time::Duration::from_secs(10));
            while hold.is_still() != wanted {
                assert!(!deadline.is_over(), "it is not as it was told");
                std::thread::yield_now();
            }
        };
        hold.begin().unwrap();
        until(true);
        assert!(hold.is_begun());
        hold.end().unwrap();
        until(false);
        hold.kill().unwrap();
        child.wait().unwrap();
    }
}
