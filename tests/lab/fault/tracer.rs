//! What is between a daemon and its disk: `strace`, which slows or fails its syncs.
//!
//! # Why
//! It comes and goes while the daemon runs, and needs nothing of it. It slows everything a little,
//! so what is measured is measured apart from it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runtime::clock::Deadline;

use crate::wait::rest;

/// It is off all threads within milliseconds.
const LIMIT: Duration = Duration::from_secs(2);
/// Between two looks whether it is on.
const STEP: Duration = Duration::from_millis(10);
/// So often it is looked whether it is on.
const LOOKS: usize = 500;

/// A tracer on a process, until it is dropped.
#[derive(Debug)]
pub(super) struct Tracer(Child);

impl Tracer {
    /// Does this to each sync of a process; none when the process is gone.
    pub fn attach(pid: i32, what: &str) -> Option<Tracer> {
        let inject = format!("inject=fsync,fdatasync:{what}");
        let child = Command::new("strace")
            .args(["--follow-forks", "--quiet=all", "--output=/dev/null"])
            .args([
                "--trace=fsync,fdatasync",
                "-e",
                &inject,
                "-p",
                &pid.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut tracer = Tracer(child.expect("strace is installed"));
        for _ in 0..LOOKS {
            if is_traced(pid) {
                return Some(tracer);
            }
            if !matches!(tracer.0.try_wait(), Ok(None)) {
                return None;
            }
            rest(STEP);
        }
        None
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).expect("a process id fits");
        // It ends by itself with the process that it traces.
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
        let patience = Deadline::after(LIMIT);
        while matches!(self.0.try_wait(), Ok(None)) && !patience.is_over() {
            rest(STEP);
        }
        // One that waits for what is dead does not let go of the rest.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Does anybody trace every thread of the process?
fn is_traced(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let mut threads = threads.into_iter().flatten().flatten().peekable();
    threads.peek().is_some()
        && threads.all(|thread| {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let tracer = status
                .lines()
                .find_map(|line| line.strip_prefix("TracerPid:"));
            tracer.is_some_and(|tracer| tracer.trim() != "0")
        })
}
