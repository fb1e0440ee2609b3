//! What the static `domo` does as a box's first process: starts, bounds and ends attempts.
//!
//! ```text
//! domo init --launch FILE          joins cgroups, drops rights, becomes the sandbox   (process engine)
//!   └─ domo init FOLDER            is the box's init, starts what is ordered          (serve)
//!        ├─ domo init --become FOLDER ATTEMPT   sets its limits, becomes the agent    (exec)
//!        └─ domo init --attend FOLDER ATTEMPT   the same beside others                (attend)
//!             └─ domo init --become …
//! domo init --carry SOCKET         carries an attempt's loopback port to the gateway          (port)
//! domo init --sweep                kills every process of its own user
//! ```
//!
//! # Invariant
//!
//! An order is started at most once, ever: the mark is on the disk before the agent is. When an
//! attempt's exit is written, no process of it is left. An attempt runs beside others only where
//! all of them were ordered so.
//!
//! # Why
//!
//! A worker that does one thing at a time has its box's only attempt, and the end of that may be
//! "kill everything here but me", which the kernel does in one step that no fork can outrun. Beside
//! others an attempt has an attendant, whose descendants are found by walking through `/proc`; what
//! outruns that for long costs the whole box. Memory and processes are limited for the box.
//!
//! Init is its agent's own user: no box gives it another one, since in a container that would take
//! capabilities, and in a sandbox a second user that nobody but root can map. So an agent can forge
//! its own exit, and is taken at its word: it ends at once, and what it left is read as ever. It can
//! as well end or spoil what runs beside it in its box, which are attempts of the same agent.
//!
//! The steps between are programs of their own because limits and rights can be set without
//! `unsafe` only on oneself. It is single-threaded: it lives in every box.

mod attend;
mod beside;
mod capture;
mod end;
mod exec;
mod launch;
mod measure;
mod memory;
mod port;
mod running;
mod serve;
mod signals;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

pub(crate) use beside::ALONGSIDE_LIMIT;
pub(crate) use end::descendants_of;
pub(crate) use launch::{INFO_FD, Launch, Launched, SECCOMP_FD, StagedMount, boot_id};
pub(crate) use memory::oom_kills_in;
pub(crate) use serve::{READY, WORD_FILE, Word};

/// Lowest user id of a box that is a user of its own: above all ranges that are handed out.
///
/// Init may kill every process of its user only when the user is one of these.
pub(crate) const BOX_UIDS_FROM: u32 = 0x7000_0000;
/// How many such user ids there are.
pub(crate) const BOX_UIDS: u32 = 0x1000_0000;

/// `in/box.json`: what init is told about its box, read-only for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoxSettings {
    /// How everything in the box is killed.
    pub reap: Reap,
    /// The folder with the memory controller's files, as seen in the box, when not the usual one.
    pub cgroup: Option<PathBuf>,
    /// Limits of each process of an attempt.
    pub open_files: u64,
    pub file_bytes: u64,
    /// Processes of the box's user; only where the box has a user for itself.
    pub processes: Option<u64>,
    /// Memory that init itself watches over, where no cgroup does.
    pub memory_watch_bytes: Option<u64>,
}

/// How everything in the box but init is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reap {
    /// Init is the first process of a process namespace: what it can signal is the box.
    Namespace,
    /// Init has a user for itself: what it may signal is the box.
    Uid,
    /// Init has neither: what descends from it, found by walking, is the box.
    Descendants,
}

/// Runs one of the hidden `domo init …` commands; `arguments` are those after `init`.
pub fn run(arguments: &[OsString]) -> ExitCode {
    close_inherited();
    let words: Vec<&Path> = arguments.iter().map(Path::new).collect();
    let ran = match words.as_slice() {
        [flag] if *flag == Path::new("--sweep") => end::sweep_own_user(),
        [flag, file] if *flag == Path::new("--launch") => launch::launch(file),
        [flag, folder, attempt] if *flag == Path::new("--become") => {
            exec::become_agent(folder, &attempt.to_string_lossy())
        }
        [flag, folder, attempt] if *flag == Path::new("--attend") => {
            attend::attend(folder, &attempt.to_string_lossy())
        }
        [flag, socket] if *flag == Path::new("--carry") => port::carry(socket),
        [folder, ..] if !folder.to_string_lossy().starts_with('-') => {
            let served = serve::serve(folder);
            if let Err(why) = &served {
                serve::leave_word(folder, &Word::Failed(why.clone()));
            }
            served
        }
        _ => Err("usage: domo init FOLDER".to_owned()),
    };
    match ran {
        Ok(code) => code,
        Err(why) => {
            // Nobody reads further when this fails too.
            let _ = writeln!(std::io::stderr(), "domo init: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Lets go of every descriptor that this program was started with, but the three usual ones.
///
/// Whatever the daemon, or who started it, had open and did not mean to hand on ends here.
fn close_inherited() {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let names = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // First all are listed, so that the listing's own descriptor is gone when it is closed.
    let open: Vec<i32> = names.collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        let _ = nix::unistd::close(fd);
    }
}

/// Says what was tried when something failed.
fn tried<E: std::fmt::Display>(what: impl std::fmt::Display) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
