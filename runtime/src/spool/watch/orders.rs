//! Waking a box's init when something changes in `in/`.
//!
//! # Why
//!
//! Its user may have no inotify instance left, because all containers' agents are one user for the
//! kernel; then init looks more often, and is a little slower for it.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use inotify::{Inotify, WatchMask};

use super::AttemptName;
use crate::clock::Deadline;

/// How long init trusts that no news is no news.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// The same where the kernel gives it no inotify instance.
const LOOK_WITHOUT_HINTS: Duration = Duration::from_millis(100);
/// Most attempts' folders that are watched at once; more are found by looking again.
const WATCHED_LIMIT: usize = 512;

/// Hints that something in `in/` has changed.
pub(crate) struct OrderHints {
    inotify: Option<Inotify>,
    watched: Vec<(AttemptName, inotify::WatchDescriptor)>,
    look_at: Deadline,
}

impl OrderHints {
    /// Asks for hints about new attempts below `input`.
    pub(crate) fn new(input: &Path) -> OrderHints {
        let inotify = Inotify::init().ok().filter(|inotify| {
            inotify
                .watches()
                .add(input, WatchMask::CREATE | WatchMask::MOVED_TO)
                .is_ok()
        });
        OrderHints {
            inotify,
            watched: Vec::new(),
            look_at: Deadline::after(Duration::ZERO),
        }
    }

    /// What to poll for a hint.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// How long until it is time to look without one.
    pub(crate) fn due(&self) -> Duration {
        self.look_at.left()
    }

    /// Takes note that everything was looked at just now.
    pub(crate) fn looked(&mut self) {
        let every = if self.inotify.is_some() {
            LOOK_AGAIN
        } else {
            LOOK_WITHOUT_HINTS
        };
        self.look_at = Deadline::after(every);
    }

    /// Takes all hints; true when there was one, or when it is time again.
    pub(crate) fn is_time_to_look(&mut self) -> bool {
        let mut is_hinted = false;
        let mut buffer = [0; 4_096];
        if let Some(inotify) = &mut self.inotify {
            while inotify
                .read_events(&mut buffer)
                .is_ok_and(|mut events| events.next().is_some())
            {
                is_hinted = true;
            }
        }
        is_hinted || self.look_at.is_over()
    }

    /// Asks for hints about an attempt's orders.
    pub(crate) fn watch(&mut self, attempt: &AttemptName, input: &Path) {
        let Some(inotify) = &self.inotify else { return };
        let is_watched = self.watched.iter().any(|(known, _)| known == attempt);
        if is_watched || self.watched.len() >= WATCHED_LIMIT {
            return;
        }
        if let Ok(watch) = inotify.watches().add(input, WatchMask::MOVED_TO) {
            self.watched.push((attempt.clone(), watch));
        }
    }

    /// Forgets the attempts that are not among `there`: their watches went with their folders.
    pub(crate) fn keep(&mut self, there: &BTreeSet<AttemptName>) {
        self.watched.retain(|(attempt, _)| there.contains(attempt));
    }

    /// Asks for no more of them.
    pub(crate) fn forget(&mut self, attempt: &AttemptName) {
        let Some(at) = self.watched.iter().position(|(known, _)| known == attempt) else {
            return;
        };
        let (_, watch) = self.watched.swap_remove(at);
        if let Some(inotify) = &self.inotify {
            // The folder may be gone, and its watch with it.
            let _ = inotify.watches().remove(watch);
        }
    }
}
