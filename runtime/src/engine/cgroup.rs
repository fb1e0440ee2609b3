//! Control groups for process boxes, in the kernel's version 1 and version 2 layout.
//!
//! # Invariant
//!
//! A box's groups lie under `domo/<short>`, outside of the daemon's own, so that stopping the
//! daemon does not stop its agents.
//!
//! # Why
//!
//! Written directly and not through a library: three files for each version. Where none of it is
//! writable, init watches memory itself and says so in the engine's description.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::BoxLimits;
use super::freezer::V1_STATE;
use crate::clock::wall;

/// The period that a share of processor time is counted in.
const CPU_PERIOD_US: u64 = 100_000;
/// How old a group without processes is when it is swept: another daemon may just be making it.
const SWEPT_AFTER: Duration = Duration::from_mins(10);
/// The folder above all boxes' groups.
const TOP: &str = "domo";

/// Where the controllers are, when all three that are needed can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cgroups {
    /// One hierarchy for each controller.
    V1 {
        memory: PathBuf,
        pids: PathBuf,
        cpu: PathBuf,
        /// Where boxes are frozen, when that can be written.
        freezer: Option<PathBuf>,
    },
    /// One for all.
    V2 { root: PathBuf },
}

/// A box's groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BoxGroups {
    /// The `cgroup.procs` files to join.
    pub(super) procs: Vec<PathBuf>,
    /// The folder with the memory controller's files.
    pub(super) memory: PathBuf,
}

impl Cgroups {
    /// Looks for them below `mount`, usually `/sys/fs/cgroup`.
    pub(super) fn find(mount: &Path) -> Option<Cgroups> {
        let v1 = Cgroups::V1 {
            memory: mount.join("memory"),
            pids: mount.join("pids"),
            cpu: mount.join("cpu"),
            freezer: Some(mount.join("freezer")).filter(|root| make(&root.join(TOP)).is_ok()),
        };
        let v2 = Cgroups::V2 {
            root: mount.to_owned(),
        };
        let controllers = fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
        let has = |name| controllers.split_whitespace().any(|known| known == name);
        let is_v2 = has("memory") && has("pids") && has("cpu");
        let found = if is_v2 { v2 } else { v1 };
        found.prepare().ok().map(|()| found)
    }

    /// Makes the folder above all boxes' groups.
    fn prepare(&self) -> io::Result<()> {
        for root in self.roots() {
            if !root.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            if let Cgroups::V2 { root } = self {
                fs::write(root.join("cgroup.subtree_control"), "+memory +pids +cpu")?;
            }
            make(&root.join(TOP))?;
            if let Cgroups::V2 { root } = self {
                fs::write(
                    root.join(TOP).join("cgroup.subtree_control"),
                    "+memory +pids +cpu",
                )?;
            }
        }
        Ok(())
    }

    /// Makes the groups of a box and sets its limits.
    pub(super) fn make(&self, short: &str, limits: &BoxLimits) -> io::Result<BoxGroups> {
        let folders: Vec<PathBuf> = self
            .roots()
            .into_iter()
            .map(|root| root.join(TOP).join(short))
            .collect();
        for folder in &folders {
            make(folder)?;
        }
        let processes = (limits.processes + limits.own_processes()).to_string();
        let quota_us = limits.cpu_millis.saturating_mul(CPU_PERIOD_US) / 1_000;
        let memory = limits.memory_bytes.to_string();
        match self {
            Cgroups::V1 { .. } => {
                // The limit with swap may never be below the one without: first up, then down.
                let with_swap = folders[0].join("memory.memsw.limit_in_bytes");
                let _ = fs::write(&with_swap, "-1");
                fs::write(folders[0].join("memory.limit_in_bytes"), &memory)?;
                // Absent where the kernel does not account for swap.
                let _ = fs::write(&with_swap, &memory);
                fs::write(folders[1].join("pids.max"), processes)?;
                fs::write(
                    folders[2].join("cpu.cfs_period_us"),
                    CPU_PERIOD_US.to_string(),
                )?;
                fs::write(folders[2].join("cpu.cfs_quota_us"), quota_us.to_string())?;
                if let Some(freezer) = folders.get(3) {
                    // Whoever was killed in it may have left it frozen.
                    fs::write(freezer.join(V1_STATE), "THAWED")?;
                }
            }
            Cgroups::V2 { .. } => {
                fs::write(folders[0].join("memory.max"), &memory)?;
                let _ = fs::write(folders[0].join("memory.swap.max"), "0");
                fs::write(folders[0].join("pids.max"), processes)?;
                fs::write(
                    folders[0].join("cpu.max"),
                    format!("{quota_us} {CPU_PERIOD_US}"),
                )?;
            }
        }
        let procs = folders
            .iter()
            .map(|folder| folder.join("cgroup.procs"))
            .collect();
        Ok(BoxGroups {
            procs,
            memory: folders[0].clone(),
        })
    }

    /// Removes the groups of a box, and kills what is still in them. False while it is not gone.
    ///
    /// What is frozen in version 1 dies only once it is thawed, and does nothing else then. It may be
    /// left so by whoever killed it: a box is frozen again and again while its node is isolated.
    pub(super) fn remove(&self, short: &str) -> bool {
        let folders = self
            .roots()
            .into_iter()
            .map(|root| root.join(TOP).join(short));
        let mut are_gone = true;
        for folder in folders {
            match fs::remove_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    are_gone = false;
                    let procs = fs::read_to_string(folder.join("cgroup.procs"));
                    procs.unwrap_or_default().lines().for_each(kill);
                }
                Ok(()) | Err(_) => {}
            }
        }
        if let Cgroups::V1 {
            freezer: Some(root),
            ..
        } = self
            && !are_gone
        {
            // A group that is gone meanwhile holds nobody.
            let _ = fs::write(root.join(TOP).join(short).join(V1_STATE), "THAWED");
        }
        are_gone
    }

    /// Removes old groups in which nothing runs, of boxes whose folders were thrown away.
    ///
    /// A box that only sleeps loses nothing: its groups are made again when it wakes.
    pub(super) fn sweep(&self) {
        let now_s = wall().0 / 1_000;
        for root in self.roots() {
            for entry in fs::read_dir(root.join(TOP)).into_iter().flatten().flatten() {
                let made_s = entry
                    .metadata()
                    .map_or(now_s, |seen| seen.mtime().unsigned_abs());
                if now_s.saturating_sub(made_s) > SWEPT_AFTER.as_secs() {
                    // One that is in use, or a file, says no.
                    let _ = fs::remove_dir(entry.path());
                }
            }
        }
    }

    /// The folder with the memory controller's files of a box.
    pub(super) fn memory_of(&self, short: &str) -> PathBuf {
        let (Cgroups::V1 { memory: root, .. } | Cgroups::V2 { root }) = self;
        root.join(TOP).join(short)
    }

    fn roots(&self) -> Vec<PathBuf> {
        match self {
            Cgroups::V1 {
                memory,
                pids,
                cpu,
                freezer,
            } => [memory, pids, cpu]
                .into_iter()
                .chain(freezer)
                .cloned()
                .collect(),
            Cgroups::V2 { root } => vec![root.clone()],
        }
    }
}

/// Kills a member of a group that is being removed; its number is the kernel's, read just now.
fn kill(pid: &str) {
    if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw)
        && let Ok(held) = pidfd_open(pid, PidfdFlags::empty())
    {
        // Gone by itself is gone.
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_two_gets_its_limits_in_one_group() {
        let mount = tempfile::tempdir().unwrap();
        fs::write(
            mount.path().join("cgroup.controllers"),
            "cpuset cpu io memory pids\n",
        )
        .unwrap();
        let cgroups = Cgroups::find(mount.path()).unwrap();
        let limits = BoxLimits {
            cpu_millis: 500,
            ..BoxLimits::default()
        };
        let groups = cgroups.make("abc", &limits).unwrap();
        let read = |name: &str| fs::read_to_string(groups.memory.join(name)).unwrap();
        assert_eq!(read("memory.max"), (1_u64 << 30).to_string());
        assert_eq!(read("memory.swap.max"), "0");
        assert_eq!(read("cpu.max"), "50000 100000");
        assert_eq!(read("pids.max"), "264");
        assert_eq!(groups.procs, [mount.path().join("domo/abc/cgroup.procs")]);
    }

    #[test]
    fn only_old_groups_are_swept() {
        let mount = tempfile::tempdir().unwrap();
        fs::write(mount.path().join("cgroup.controllers"), "cpu memory pids\n").unwrap();
        let cgroups = Cgroups::find(mount.path()).unwrap();
        let (old, new) = (mount.path().join("domo/old"), mount.path().join("domo/new"));
        fs::create_dir(&old).unwrap();
        fs::create_dir(&new).unwrap();
        let long_ago = nix::sys::time::TimeSpec::new(1_000, 0);
        let follow = nix::sys::stat::UtimensatFlags::FollowSymlink;
        let here = nix::fcntl::AT_FDCWD;
        nix::sys::stat::utimensat(here, &old, &long_ago, &long_ago, follow).unwrap();
        cgroups.sweep();
        assert!(!old.exists() && new.exists());
    }

    #[test]
    fn a_missing_controller_means_no_groups_at_all() {
        let mount = tempfile::tempdir().unwrap();
        assert_eq!(Cgroups::find(mount.path()), None);
        fs::create_dir(mount.path().join("memory")).unwrap();
        assert_eq!(Cgroups::find(mount.path()), None);
    }
}
