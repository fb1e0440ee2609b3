//! Attending one attempt that runs while others of its box do: what init is to a box, this is to it.
//!
//! ```text
//! domo init FOLDER ─► domo init --attend FOLDER ATTEMPT ─► domo init --become … ─► agent
//!        SIGHUP: look at your orders     SIGTERM: the box stops     SIGUSR1: out of memory
//! ```
//!
//! # Invariant
//!
//! All that descends from the agent descends from its attendant, however often it forks and
//! whatever session it makes for itself. The attendant writes the exit when nothing of that is left.
//!
//! # Why
//!
//! Only a living ancestor that adopts orphans can tell the processes of one attempt from those of
//! the next. It finds them by walking through `/proc`, all standing still before any is killed. An
//! agent is its attendant's own user and may kill it: then init kills what became an orphan by
//! that. Against its own worker's other attempts nothing guards an attempt: they are one agent.

use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::running::Running;
use super::serve::{has_exit, read_if_there};
use super::signals::{Signals, wait_for};
use super::{BoxSettings, Reap, exec, tried};
use crate::spool::{AttemptName, Cancel, Ending, Exit, Order, Stopped, to_json, write_whole};

/// How long an exit that found no room on the disk waits before it is tried again.
const ROOM_PAUSE: Duration = Duration::from_secs(1);

/// Runs the attempt from its start to its exit.
pub(super) fn attend(folder: &Path, attempt: &str) -> Result<ExitCode, String> {
    let name = AttemptName::new(attempt).map_err(|bad| bad.to_string())?;
    let mut settings: BoxSettings = exec::read(&folder.join("in/box.json"))?;
    // The box as a whole is init's: it watches its memory, and kills what is no attempt's.
    settings.reap = Reap::Descendants;
    settings.memory_watch_bytes = None;
    let _ = nix::sys::prctl::set_dumpable(false);
    nix::sys::prctl::set_child_subreaper(true).map_err(tried("orphans cannot be adopted"))?;
    let signals = Signals::listen()?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM).map_err(tried("an init's end is not heard"))?;
    let input = folder.join("in").join(name.as_str());
    let order: Order = exec::read(&input.join("order.json"))?;
    let mut attendant = Attendant {
        input,
        run: folder.join("run").join(name.as_str()),
        settings,
        signals,
    };
    let exit = match Running::start(folder, &name, order, &attendant.settings) {
        Ok(running) => attendant.see_through(running),
        Err(why) => {
            super::end::kill_the_rest(attendant.settings.reap, &mut attendant.signals);
            Exit::bare(Ending::NotStarted(why))
        }
    };
    attendant.write(&exit);
    Ok(ExitCode::SUCCESS)
}

struct Attendant {
    input: PathBuf,
    run: PathBuf,
    settings: BoxSettings,
    signals: Signals,
}

impl Attendant {
    fn see_through(&mut self, mut running: Running) -> Exit {
        loop {
            let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            fds.extend(
                running
                    .pipes()
                    .map(|pipe| PollFd::new(pipe, PollFlags::POLLIN)),
            );
            wait_for(&mut fds, running.due(&self.settings));
            self.signals.take();
            while let Some(status) = reaped() {
                running.reaped(status);
            }
            self.look(&mut running);
            if running.turn(&self.settings) {
                return running.finish(&self.settings, &mut self.signals);
            }
        }
    }

    /// Does what the folders and the signals ask for.
    fn look(&self, running: &mut Running) {
        if self.signals.is_told_to_stop {
            running.stop(Stopped::BoxStopped, None);
        }
        if self.signals.is_told_of_memory {
            running.outgrow_memory();
        }
        let cancel: Option<Cancel> = read_if_there(&self.input.join("cancel.json"));
        if let Some(cancel) = cancel {
            let grace = cancel.grace_ms.map(Duration::from_millis);
            running.stop(Stopped::Cancelled, grace);
        } else if !self.input.exists() || has_exit(&self.run) {
            // Thrown away by the daemon, or said to be over by the agent, who is taken at its word.
            running.stop(Stopped::Cancelled, Some(Duration::ZERO));
        }
    }

    /// Writes the exit as soon as there is room for it. One that is there may have been read.
    fn write(&mut self, exit: &Exit) {
        while !has_exit(&self.run) && self.run.is_dir() {
            let Err(why) = write_whole(&self.run, "exit.json", &to_json(exit), 0o644) else {
                return;
            };
            let _ = writeln!(
                std::io::stderr(),
                "domo init: {}: {why}",
                self.run.display()
            );
            if self.signals.is_told_to_stop || fs::metadata(&self.input).is_err() {
                return;
            }
            self.signals.wait(ROOM_PAUSE);
        }
    }
}

/// A child that has ended.
pub(super) fn reaped() -> Option<WaitStatus> {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            Ok(status) => return Some(status),
            Err(_) => {}
        }
    }
}
