//! Talk with a running attempt's agent: what it says, and messages that are laid beside its input.

use super::whole::{make_folder, write_by_rename};
use super::{AttemptName, AttemptObserved, Progress, Spool, SpoolError, tail};

impl Spool {
    /// New whole lines of what the agent says, its `say.log`.
    pub fn said(&self, attempt: &AttemptName, from: u64) -> Progress {
        let lines = tail::LinesOf::Said;
        tail::progress(&self.out_folder(attempt), self.owner.uid, lines, from)
    }

    /// Lays a message to a running attempt's agent beside its input; once more is harmless. Says
    /// whether the attempt is there to read it.
    ///
    /// # Errors
    /// [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn tell(&self, attempt: &AttemptName, number: u64, text: &str) -> Result<bool, SpoolError> {
        match self.observe(attempt)? {
            AttemptObserved::NotStarted { is_ordered: true } | AttemptObserved::Running => {}
            AttemptObserved::NotStarted { is_ordered: false } | AttemptObserved::Exited(_) => {
                return Ok(false);
            }
        }
        let folder = self.in_folder(attempt).join("messages");
        make_folder(&folder, 0o755)?;
        let name = format!("{number}.md");
        if !folder.join(&name).exists() {
            write_by_rename(&folder, &name, text.as_bytes(), 0o644)?;
        }
        Ok(true)
    }
}
