//! Attempts on this node whose folders a stream reads on in.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::select_all;
use rules::id::{AttemptId, NodeId, StageName};
use runtime::spool::{AttemptName, AttemptWatch, LogChunk, LogName, Progress, Spool};
use runtime::workshop::Bench;

use super::desk::Desk;
use super::here::folder;
use super::limits;
use super::wire::{LogLine, LogStream};

/// Where an attempt ran, as the ledger knows it.
#[derive(Clone, Debug)]
pub(super) struct Whereabouts {
    pub(super) attempt: AttemptId,
    pub(super) stage: StageName,
    pub(super) bench: Bench,
    pub(super) node: NodeId,
    pub(super) is_live: bool,
    pub(super) is_running: bool,
}

impl Whereabouts {
    pub(super) fn of(
        case: rules::id::CaseId,
        number: u32,
        attempt: &rules::attempt::Attempt,
    ) -> Self {
        Self {
            attempt: AttemptId { case, number },
            stage: attempt.stage.clone(),
            bench: Bench {
                worker: attempt.worker.clone(),
                epoch: attempt.epoch,
            },
            node: attempt.node,
            is_live: attempt.status.is_live(),
            is_running: attempt.status == rules::attempt::AttemptStatus::Running,
        }
    }
}

/// An attempt that is being read.
pub(super) struct Attended {
    pub(super) attempt: Option<String>,
    pub(super) stage: Option<String>,
    spool: Arc<Spool>,
    name: AttemptName,
    watch: AttemptWatch,
    progress: u64,
    stdout: u64,
    stderr: u64,
}

impl Attended {
    /// Finds the folders of an attempt; none when there are none here.
    pub(super) async fn find(desk: &Desk, at: &Whereabouts) -> Option<Self> {
        let spool = Arc::new(desk.here.spool(&at.bench).await?);
        let name = folder(at.attempt)?;
        let found = Self::of(
            desk,
            spool,
            name,
            Some(at.attempt.to_string()),
            Some(at.stage.to_string()),
        );
        found.is_there().await.then_some(found)
    }

    /// The folders of that name.
    pub(super) fn of(
        desk: &Desk,
        spool: Arc<Spool>,
        name: AttemptName,
        attempt: Option<String>,
        stage: Option<String>,
    ) -> Self {
        let watch = desk.here.watch(&spool, &name);
        Self {
            attempt,
            stage,
            spool,
            name,
            watch,
            progress: 0,
            stdout: 0,
            stderr: 0,
        }
    }

    async fn is_there(&self) -> bool {
        let (spool, name) = (Arc::clone(&self.spool), self.name.clone());
        let found = tokio::task::spawn_blocking(move || spool.run_folder(&name).is_dir());
        found.await.unwrap_or(false)
    }

    /// Lines that the agent has said since the last call.
    pub(super) async fn progress(&mut self) -> Vec<String> {
        let (spool, name, from) = (Arc::clone(&self.spool), self.name.clone(), self.progress);
        let read = tokio::task::spawn_blocking(move || spool.progress(&name, from));
        let Progress { lines, next } = read.await.unwrap_or(Progress {
            lines: Vec::new(),
            next: from,
        });
        self.progress = next;
        lines
    }

    /// What the agent has written since the last call. Of an attempt that is over, the rest is
    /// taken even where it ends in the middle of a character.
    pub(super) async fn output(&mut self, is_over: bool) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for (log, stream) in [
            (LogName::Stdout, LogStream::Stdout),
            (LogName::Stderr, LogStream::Stderr),
        ] {
            let from = if stream == LogStream::Stdout {
                self.stdout
            } else {
                self.stderr
            };
            let (spool, name) = (Arc::clone(&self.spool), self.name.clone());
            let read = tokio::task::spawn_blocking(move || spool.log(&name, log, from));
            let Ok(LogChunk { bytes, next }) = read.await else {
                continue;
            };
            let taken = whole_characters(&bytes, is_over);
            if taken == 0 {
                continue;
            }
            let next = next - (bytes.len() - taken) as u64;
            if stream == LogStream::Stdout {
                self.stdout = next;
            } else {
                self.stderr = next;
            }
            lines.push(LogLine {
                attempt: self.attempt.clone(),
                stage: self.stage.clone(),
                stream,
                text: String::from_utf8_lossy(&bytes[..taken]).into_owned(),
            });
        }
        lines
    }
}

/// Running attempts whose agents say how far they are.
#[derive(Default)]
pub(super) struct Attendance {
    attended: BTreeMap<AttemptId, Attended>,
}

/// A line that an agent said.
pub(super) struct Heard {
    pub(super) attempt: AttemptId,
    pub(super) stage: String,
    pub(super) text: String,
}

impl Attendance {
    /// What was said since the last call. Attempts that have begun here are read from now on; those
    /// that run no more are read for the last time.
    pub(super) async fn hear(&mut self, desk: &Desk, running: &[Whereabouts]) -> Vec<Heard> {
        for at in running {
            let is_new = !self.attended.contains_key(&at.attempt);
            if is_new
                && self.attended.len() < limits::FOLLOWED
                && let Some(found) = Attended::find(desk, at).await
            {
                self.attended.insert(at.attempt, found);
            }
        }
        let mut heard = Vec::new();
        for (attempt, attended) in &mut self.attended {
            for text in attended.progress().await {
                heard.push(Heard {
                    attempt: *attempt,
                    stage: attended.stage.clone().unwrap_or_default(),
                    text,
                });
            }
        }
        self.attended
            .retain(|attempt, _| running.iter().any(|at| at.attempt == *attempt));
        heard
    }

    /// Waits until one of them may have more to say; for ever where there is none.
    pub(super) async fn moved(&self) {
        moved(self.attended.values()).await;
    }
}

/// How many of the bytes can be shown without cutting a character that is still being written.
fn whole_characters(bytes: &[u8], is_over: bool) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && !is_over => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

/// Waits until one of them may have more to say; for ever where there is none.
pub(super) async fn moved<'a>(attended: impl Iterator<Item = &'a Attended> + Send) {
    let each: Vec<_> = attended.map(|one| Box::pin(one.watch.changed())).collect();
    if each.is_empty() {
        std::future::pending::<()>().await;
    } else {
        select_all(each).await;
    }
}

/// A line that says nothing: who is gone is noticed by it.
pub(super) fn quiet() -> LogLine {
    note(None, None, String::new())
}

/// A line of the node's own in a log.
pub(super) fn note(attempt: Option<String>, stage: Option<String>, text: String) -> LogLine {
    LogLine {
        attempt,
        stage,
        stream: LogStream::Note,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_character_that_is_still_being_written_is_waited_for() {
        let text = "aü".as_bytes();
        assert_eq!(whole_characters(text, false), 3);
        assert_eq!(whole_characters(&text[..2], false), 1);
        assert_eq!(whole_characters(&text[..2], true), 2);
        assert_eq!(whole_characters(b"a\xffb", false), 3);
    }
}
