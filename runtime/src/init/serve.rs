//! Being a box's init: starting what the orders in `in/` ask for, one after the other or side by side.
//!
//! # Invariant
//!
//! What to do is read off the folders at each look, never remembered: an init that was killed and
//! started again goes on from there. An attempt that was running then is lost, and said to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags};
use serde::{Deserialize, Serialize};

use super::attend::reaped;
use super::beside::Beside;
use super::running::Running;
use super::signals::{Signals, wait_for};
use super::{BoxSettings, Reap, end, exec, tried};
use crate::spool::{
    AttemptName, CONTRACT_VERSION, Cancel, Ending, Exit, Order, OrderHints, Stopped,
    WIRE_FILE_LIMIT_BYTES, to_json, write_whole,
};

/// Where init leaves its [`Word`].
pub(crate) const WORD_FILE: &str = "run/init.json";

/// How far init has come, for an engine that has no pipe to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// It serves orders.
    Ready,
    /// It cannot, for this reason.
    Failed(String),
}

/// What init says on its standard output once it serves.
pub(crate) const READY: &[u8] = b"ready\n";

/// Serves orders until it is told to stop.
pub(super) fn serve(folder: &Path) -> Result<ExitCode, String> {
    let settings: BoxSettings = exec::read(&folder.join("in/box.json"))?;
    if settings.reap == Reap::Namespace && std::process::id() != 1 {
        return Err("this box's init must be the first process of its namespace".to_owned());
    }
    // The agent is the same user: it must not look into this process or take it over.
    let _ = nix::sys::prctl::set_dumpable(false);
    nix::sys::prctl::set_child_subreaper(true).map_err(tried("orphans cannot be adopted"))?;
    let mut signals = Signals::listen()?;
    if settings.reap == Reap::Uid {
        // What an init before this one has left.
        end::kill_the_rest(settings.reap, &mut signals);
    }
    let mut server = Server {
        folder: folder.to_owned(),
        settings,
        signals,
        hints: OrderHints::new(&folder.join("in")),
        running: None,
        beside: Beside::new(folder),
        unwritten: BTreeMap::new(),
    };
    say_ready(folder);
    server.look();
    loop {
        server.wait();
        if server.turn() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Tells whoever started this box, who may be gone, and lets the pipe go.
fn say_ready(folder: &Path) {
    leave_word(folder, &Word::Ready);
    let mut out = std::io::stdout();
    let _ = out.write_all(READY).and_then(|()| out.flush());
    if let Ok(null) = fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(null);
    }
}

/// Leaves a word in the place that an engine without pipes has made for it; others make none.
pub(super) fn leave_word(folder: &Path, word: &Word) {
    let place = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(folder.join(WORD_FILE));
    let _ = place.and_then(|mut file| file.write_all(&to_json(word)));
}

struct Server {
    folder: PathBuf,
    settings: BoxSettings,
    signals: Signals,
    hints: OrderHints,
    /// The attempt that has the box for itself.
    running: Option<Running>,
    /// Or those that share it.
    beside: Beside,
    /// Exits for which there was no room on the disk: written as soon as there is.
    unwritten: BTreeMap<AttemptName, Exit>,
}

impl Server {
    /// Waits for a signal, a hint, output, or the next thing that is due.
    fn wait(&mut self) {
        let mut due = self.hints.due();
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.hints.fd().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        if let Some(running) = &self.running {
            due = due.min(running.due(&self.settings));
            fds.extend(
                running
                    .pipes()
                    .map(|pipe| PollFd::new(pipe, PollFlags::POLLIN)),
            );
        }
        due = self
            .beside
            .due(&self.settings)
            .map_or(due, |at| due.min(at));
        wait_for(&mut fds, due);
    }

    /// Moves everything on. True when init is to end.
    fn turn(&mut self) -> bool {
        self.signals.take();
        self.reap();
        if self.hints.is_time_to_look() {
            self.look();
        }
        self.beside.watch_memory(&self.settings);
        self.take_over();
        let is_over = match &mut self.running {
            None if self.signals.is_told_to_stop => {
                self.beside.stop();
                return self.beside.is_empty();
            }
            None => false,
            Some(running) => {
                if self.signals.is_told_to_stop {
                    running.stop(Stopped::BoxStopped, None);
                }
                running.turn(&self.settings)
            }
        };
        if is_over && let Some(running) = self.running.take() {
            let attempt = running.attempt.clone();
            let exit = running.finish(&self.settings, &mut self.signals);
            self.write_exit(&attempt, exit);
            if self.signals.is_told_to_stop {
                return true;
            }
            self.look();
        }
        false
    }

    fn reap(&mut self) {
        while let Some(status) = reaped() {
            self.beside.reaped(status);
            if let Some(running) = &mut self.running {
                running.reaped(status);
            }
        }
    }

    /// Clears up after the attempts whose attendants have ended.
    fn take_over(&mut self) {
        let mut is_any_over = false;
        while let Some((attempt, exit)) = self.beside.take_over(&self.settings, &mut self.signals) {
            self.write_exit(&attempt, exit);
            is_any_over = true;
        }
        if is_any_over && !self.signals.is_told_to_stop {
            self.look();
        }
    }

    /// Reads the folders, and does what they ask for.
    fn look(&mut self) {
        self.hints.looked();
        if !self.folder.join("in/box.json").exists() {
            // The box was thrown away, and whoever did it could not end it.
            self.signals.is_told_to_stop = true;
        }
        let Ok(entries) = fs::read_dir(self.folder.join("in")) else {
            return;
        };
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name();
            AttemptName::new(name.to_str()?).ok()
        });
        let found: BTreeSet<AttemptName> = names.collect();
        self.hints.keep(&found);
        for (attempt, exit) in std::mem::take(&mut self.unwritten) {
            self.write_exit(&attempt, exit);
        }
        if let Some(running) = self
            .running
            .as_mut()
            .filter(|r| !found.contains(&r.attempt))
        {
            // The daemon has thrown the attempt away: it takes it for over.
            running.stop(Stopped::Cancelled, Some(Duration::ZERO));
        }
        for attempt in self.beside.names() {
            if !found.contains(&attempt) {
                self.beside.nudge(&attempt);
            }
        }
        for attempt in found {
            if !self.unwritten.contains_key(&attempt) {
                self.consider(&attempt);
            }
        }
    }

    fn consider(&mut self, attempt: &AttemptName) {
        let input = self.folder.join("in").join(attempt.as_str());
        let run = self.folder.join("run").join(attempt.as_str());
        let cancel: Option<Cancel> = read_if_there(&input.join("cancel.json"));
        if let Some(running) = self.running.as_mut().filter(|r| r.attempt == *attempt) {
            if let Some(cancel) = cancel {
                running.stop(
                    Stopped::Cancelled,
                    cancel.grace_ms.map(Duration::from_millis),
                );
            } else if has_exit(&run) {
                // The agent, who shares init's user, says so itself: taken at its word.
                running.stop(Stopped::Cancelled, Some(Duration::ZERO));
            }
            return;
        }
        if self.beside.has(attempt) {
            if cancel.is_some() || has_exit(&run) {
                self.beside.nudge(attempt);
            }
            return;
        }
        let is_ordered = || input.join("order.json").exists() && run.is_dir();
        if is_ordered() && has_exit(&run) {
            self.hints.forget(attempt);
            return;
        }
        // Before the order is looked for again: one that comes in between is a hint then.
        self.hints.watch(attempt, &input);
        if !is_ordered() {
            // What else lies there by its name was planted; preparing it throws that away.
            return;
        }
        if run.join("started.json").exists() {
            self.write_exit(attempt, Exit::bare(Ending::Lost));
        } else if cancel.is_some() {
            let why = "cancelled before it was started".to_owned();
            let stopped = Some(Stopped::Cancelled);
            let exit = Exit {
                stopped,
                ..Exit::bare(Ending::NotStarted(why))
            };
            self.write_exit(attempt, exit);
        } else if self.running.is_none() && !self.signals.is_told_to_stop {
            self.start(attempt, &input.join("order.json"));
        }
    }

    fn start(&mut self, attempt: &AttemptName, order: &Path) {
        let Some(order) = read_if_there::<Order>(order) else {
            // Half an order, after a power cut: the daemon writes it again.
            return;
        };
        if order.version != CONTRACT_VERSION {
            let why = format!("the order has version {}", order.version);
            self.write_exit(attempt, Exit::bare(Ending::NotStarted(why)));
        } else if order.is_alongside {
            self.start_beside(attempt);
        } else if self.beside.is_empty() {
            match Running::start(&self.folder, attempt, order, &self.settings) {
                Ok(running) => self.running = Some(running),
                Err(why) => {
                    end::kill_the_rest(self.settings.reap, &mut self.signals);
                    self.write_exit(attempt, Exit::bare(Ending::NotStarted(why)));
                }
            }
        }
    }

    fn start_beside(&mut self, attempt: &AttemptName) {
        if !self.beside.has_room() {
            return;
        }
        if let Err(why) = self.beside.start(attempt, &self.settings) {
            if self.beside.is_empty() {
                self.write_exit(attempt, Exit::bare(Ending::NotStarted(why)));
            } else {
                // The others may have all the box's processes: it waits in line for them.
                let _ = writeln!(std::io::stderr(), "domo init: {attempt} waits: {why}");
            }
        }
    }

    fn write_exit(&mut self, attempt: &AttemptName, exit: Exit) {
        let run = self.folder.join("run").join(attempt.as_str());
        // One that is there may have been read: it stands.
        if !has_exit(&run)
            && let Err(why) = write_whole(&run, "exit.json", &to_json(&exit), 0o644)
        {
            let _ = writeln!(std::io::stderr(), "domo init: exit of {attempt}: {why}");
            if run.is_dir() {
                self.unwritten.insert(attempt.clone(), exit);
            }
            return;
        }
        self.hints.forget(attempt);
    }
}

pub(super) fn has_exit(run: &Path) -> bool {
    run.join("exit.json").symlink_metadata().is_ok()
}

pub(super) fn read_if_there<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    let size = fs::metadata(path).ok()?.len();
    if size > u64::try_from(WIRE_FILE_LIMIT_BYTES).unwrap_or(u64::MAX) {
        return None;
    }
    exec::read(path).ok()
}
