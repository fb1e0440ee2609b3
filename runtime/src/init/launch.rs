//! The first step of a process box: joins its cgroups, shows the sandbox its folders, drops all
//! rights and becomes the sandbox.
//!
//! ```text
//! daemon (maybe root) ─► launch: session, cgroups, record ─► staged mounts ─► user ─► bwrap │ init
//! ```
//!
//! # Why
//!
//! Between the daemon and the sandbox, because each of these is done to oneself. Where the daemon
//! is root, the box is a user of its own already outside of the sandbox, so that a way out of it
//! leads nowhere; that user may not enter the daemon's folders, so they are bound to a place where
//! he may, in a mount namespace that only this box has.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, setgid, setgroups, setsid, setuid};
use serde::{Deserialize, Serialize};

use super::{exec, tried};
use crate::spool::{Owner, to_json, write_whole};

/// Stands in the command line for the descriptor that the sandbox describes itself to.
pub(crate) const INFO_FD: &str = "{info-fd}";
/// Stands in the command line for the descriptor of the compiled system call filter.
pub(crate) const SECCOMP_FD: &str = "{seccomp-fd}";
/// Where staged mounts are shown: a folder that every Linux has and no agent needs.
const STAGE: &str = "/run";

/// What the daemon wants launched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// The box's folder, for the record of the launch.
    pub folder: PathBuf,
    /// `cgroup.procs` files to join.
    pub cgroups: Vec<PathBuf>,
    /// The user to become, where the daemon may choose one.
    pub user: Option<Owner>,
    /// Host paths to show under [`STAGE`] by these names.
    pub staged: Vec<StagedMount>,
    /// What to become.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
}

/// A host path that is shown to the sandbox's maker at another place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedMount {
    /// On the host.
    pub from: PathBuf,
    /// Its name in the stage.
    pub name: String,
}

impl StagedMount {
    /// Where the sandbox's maker finds it.
    pub(crate) fn shown_at(&self) -> PathBuf {
        Path::new(STAGE).join(&self.name)
    }
}

/// `launched.json`: which process the launch was, for a daemon that comes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launched {
    /// Its process id.
    pub pid: i32,
    /// When it was started, in the kernel's ticks since boot.
    pub start_ticks: u64,
    /// Which boot.
    pub boot_id: String,
}

impl Launched {
    /// The record of the process with this id.
    pub(crate) fn of(pid: i32) -> Option<Launched> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Field 22; counted from the bracket that closes the name, which may hold anything.
        let ticks = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?;
        Some(Launched {
            pid,
            start_ticks: ticks.parse().ok()?,
            boot_id: boot_id()?,
        })
    }
}

/// Names this boot of this machine.
pub(crate) fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Becomes what `file` says; returns only when that failed.
pub(super) fn launch(file: &Path) -> Result<ExitCode, String> {
    let launch: Launch = exec::read(file)?;
    setsid().map_err(tried("no session of its own"))?;
    for procs in &launch.cgroups {
        fs::write(procs, "0").map_err(tried(procs.display()))?;
    }
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let record = Launched::of(own).ok_or("/proc cannot be read")?;
    write_whole(&launch.folder, "launched.json", &to_json(&record), 0o600)
        .map_err(tried("the launch cannot be recorded"))?;
    let info = File::create(launch.folder.join("info.json")).map_err(tried("info.json"))?;
    let seccomp = File::open(launch.folder.join("seccomp.bpf"));
    if !launch.staged.is_empty() {
        stage(&launch.staged)?;
    }
    if let Some(user) = launch.user {
        become_user(user)?;
    }
    let info = passed_on(&info)?;
    let seccomp = seccomp
        .ok()
        .map(|file| passed_on(&file).map(|fd| (file, fd)))
        .transpose()?;
    let filled = |word: &String| match (word.as_str(), &seccomp) {
        (INFO_FD, _) => info.clone(),
        (SECCOMP_FD, Some((_, fd))) => fd.clone(),
        (other, _) => other.to_owned(),
    };
    let argv: Vec<String> = launch.argv.iter().map(filled).collect();
    let (program, arguments) = argv.split_first().ok_or("nothing to launch")?;
    let mut command = Command::new(program);
    let error = command
        .args(arguments)
        .env_clear()
        .envs(launch.env)
        .current_dir("/")
        .exec();
    Err(format!("`{program}` cannot be started: {error}"))
}

/// Lets a descriptor live on in what this process becomes, and names it.
fn passed_on(file: &File) -> Result<String, String> {
    fcntl(file, FcntlArg::F_SETFD(FdFlag::empty())).map_err(tried("a descriptor"))?;
    Ok(file.as_raw_fd().to_string())
}

fn become_user(user: Owner) -> Result<(), String> {
    setgroups(&[]).map_err(tried("groups cannot be given up"))?;
    setgid(Gid::from_raw(user.gid)).map_err(tried(format_args!("group {}", user.gid)))?;
    setuid(Uid::from_raw(user.uid)).map_err(tried(format_args!("user {}", user.uid)))
}

/// Shows `mounts` under [`STAGE`], in a mount namespace of this process alone.
fn stage(mounts: &[StagedMount]) -> Result<(), String> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).map_err(tried("no mount namespace of its own"))?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(tried("mounts cannot be made private"))?;
    // All are opened before the stage hides anything.
    let opened: Vec<(OwnedFd, &StagedMount)> = mounts
        .iter()
        .map(|staged| {
            let fd = open(
                &staged.from,
                OFlag::O_PATH | OFlag::O_CLOEXEC,
                Mode::empty(),
            );
            Ok((fd.map_err(tried(staged.from.display()))?, staged))
        })
        .collect::<Result<_, String>>()?;
    mount(
        Some("tmpfs"),
        STAGE,
        Some("tmpfs"),
        MsFlags::MS_NOSUID,
        Some("mode=755,size=64k"),
    )
    .map_err(tried("no stage can be mounted"))?;
    for (fd, staged) in &opened {
        let at = staged.shown_at();
        let from = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let made = if fs::metadata(&from).is_ok_and(|seen| seen.is_dir()) {
            fs::create_dir(&at)
        } else {
            File::create(&at).map(drop)
        };
        made.map_err(tried(at.display()))?;
        mount(
            Some(&from),
            &at,
            none,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            none,
        )
        .map_err(tried(staged.from.display()))?;
    }
    Ok(())
}
