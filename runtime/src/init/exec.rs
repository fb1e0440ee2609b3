//! The last step before the agent: bounds itself, then becomes the program that was ordered.
//!
//! # Why
//!
//! A program of its own between init and agent: process limits, session and kill preference can be
//! set on oneself without `unsafe`, but on a child only from inside its fork.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;

use super::{BoxSettings, tried};
use crate::spool::{AttemptName, Order};

/// Where this step says why the agent could not be started; init reads it.
pub(super) const START_ERROR: &str = "start-error.txt";
/// Longest such message.
pub(super) const START_ERROR_LIMIT_BYTES: usize = 2_000;
/// The exit code of this step when the agent could not be started, as shells have it.
pub(super) const NOT_STARTED_CODE: u8 = 127;
/// How much rather the kernel kills an agent for memory than its init: half of the scale.
const OOM_SCORE: &[u8] = b"500";

/// Becomes the agent of `attempt`; returns only when that failed.
pub(super) fn become_agent(folder: &Path, attempt: &str) -> Result<ExitCode, String> {
    let attempt = AttemptName::new(attempt).map_err(|bad| bad.to_string())?;
    let Err(why) = bounded(folder, &attempt);
    let why: String = why.chars().take(START_ERROR_LIMIT_BYTES / 4).collect();
    let path = folder.join("run").join(attempt.as_str()).join(START_ERROR);
    // Without the file init says "could not be started" without the reason.
    let _ = File::create_new(path).and_then(|mut file| file.write_all(why.as_bytes()));
    Ok(ExitCode::from(NOT_STARTED_CODE))
}

fn bounded(folder: &Path, attempt: &AttemptName) -> Result<std::convert::Infallible, String> {
    let input = folder.join("in");
    let settings: BoxSettings = read(&input.join("box.json"))?;
    let order: Order = read(&input.join(attempt.as_str()).join("order.json"))?;
    // Init blocks what it reads as messages, and a child inherits that.
    SigSet::empty()
        .thread_set_mask()
        .map_err(tried("signals cannot be let through"))?;
    nix::unistd::setsid().map_err(tried("no session of its own"))?;
    limit(Resource::RLIMIT_CORE, 0)?;
    limit(Resource::RLIMIT_NOFILE, settings.open_files)?;
    // One byte more, so that a file which the kernel cut is seen to be over the limit.
    let file_bytes = settings.file_bytes.saturating_add(1);
    limit(Resource::RLIMIT_FSIZE, file_bytes)?;
    if let Some(processes) = settings.processes {
        limit(Resource::RLIMIT_NPROC, processes)?;
    }
    if let Some(bytes) = settings.memory_watch_bytes {
        // A fuse beyond what init watches for: one process cannot outrun the watch by far.
        limit(Resource::RLIMIT_DATA, bytes.saturating_mul(2))?;
    }
    nix::sys::prctl::set_no_new_privs().map_err(tried("no-new-privileges"))?;
    // Where /proc is not to be had the kernel chooses without this hint.
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let (program, arguments) = order
        .argv
        .split_first()
        .ok_or("the command line is empty")?;
    let error = Command::new(program).args(arguments).exec();
    Err(format!("`{program}` cannot be started: {error}"))
}

fn limit(what: Resource, to: u64) -> Result<(), String> {
    let (_, hard) = getrlimit(what).map_err(tried("limits cannot be read"))?;
    let to = to.min(hard);
    setrlimit(what, to, to).map_err(tried(format_args!("limit {what:?} cannot be set to {to}")))
}

pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes = fs::read(path).map_err(tried(path.display()))?;
    serde_json::from_slice(&bytes).map_err(tried(path.display()))
}
