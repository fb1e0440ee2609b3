//! Taking out what an attempt came to: its result, as the kernel reads it, and its artifacts.

use rules::attempt::{Artifact, Body, StageResult};
use rules::limits::{MAX_ARTIFACTS, MAX_INLINE_BYTES, MAX_SUMMARY_BYTES};
use rules::team::AgentLimits;

use super::{Boxes, blocking, unread};
use crate::kernel::{AttemptOutcome, FailKind, Kernel};
use crate::spool::{AttemptName, Collected, Ending, Exit, Spool};
use crate::workshop::{Ended, WorkshopError};

impl Boxes {
    /// Reads what an ended attempt came to, and keeps what it left.
    pub(super) async fn read(
        &self,
        kernel: &dyn Kernel,
        spool: &Spool,
        name: &AttemptName,
        exit: &Exit,
    ) -> Result<Ended, WorkshopError> {
        let (from, of) = (spool.clone(), name.clone());
        let out = blocking(move || from.collect(&of)).await?;
        match kernel.read(exit, &out) {
            AttemptOutcome::Failed { reason } if reason.kind == FailKind::Lost => {
                Ok(Ended::Lost(reason.text))
            }
            // Its box was stopped under it, by nobody who spoke for its case.
            AttemptOutcome::Failed { reason } if reason.kind == FailKind::Cancelled => {
                Ok(Ended::Lost(reason.text))
            }
            AttemptOutcome::Failed { reason } => Ok(Ended::Failed(reason.text)),
            AttemptOutcome::Succeeded { result } => {
                let result = result.redacted();
                let artifacts = self.keep_artifacts(out).await?;
                let document = serde_json::to_string(&result)
                    .map_err(|why| WorkshopError::Never(format!("result cannot be kept: {why}")))?;
                let document = if document.len() <= MAX_INLINE_BYTES {
                    Body::Inline(document)
                } else {
                    let kept = self.blobs.put_bytes(document.into_bytes()).await;
                    Body::Blob(kept.map_err(|error| unread(&error))?)
                };
                let summary = cut(&result.summary, MAX_SUMMARY_BYTES);
                Ok(Ended::Succeeded(StageResult {
                    summary,
                    document,
                    artifacts,
                }))
            }
        }
    }

    async fn keep_artifacts(&self, out: Collected) -> Result<Vec<Artifact>, WorkshopError> {
        let mut artifacts = Vec::new();
        for file in &out.files {
            let Some(name) = file.path.strip_prefix("artifacts/") else {
                continue;
            };
            if artifacts.len() == MAX_ARTIFACTS {
                tracing::warn!(
                    limit = MAX_ARTIFACTS,
                    "more artifacts than a result may have"
                );
                break;
            }
            match out.open(&file.path) {
                Ok((open, _)) => {
                    let blob = self
                        .blobs
                        .put_file(open)
                        .await
                        .map_err(|error| unread(&error))?;
                    artifacts.push(Artifact {
                        name: name.to_owned(),
                        blob,
                    });
                }
                Err(why) => tracing::warn!(%why, "an artifact is left out"),
            }
        }
        Ok(artifacts)
    }
}

fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// What an attempt came to, with the limit where memory was the cause. An attempt that went with its
/// box is a failure then, and not lost: the next one would take the box with it again.
pub(super) fn told(
    ended: Ended,
    exit: &Exit,
    was_box_out_of_memory: bool,
    takes: &AgentLimits,
) -> Ended {
    let said = format!("out of memory, limit {} MiB", takes.memory_bytes >> 20);
    match ended {
        Ended::Lost(_) if was_box_out_of_memory && exit.ending == Ending::Lost => {
            Ended::Failed(format!("{said}: the kernel ended its whole box"))
        }
        Ended::Failed(why) if exit.oom => match why.strip_prefix("out of memory") {
            Some(rest) => Ended::Failed(format!("{said}{rest}")),
            None => Ended::Failed(why),
        },
        Ended::Succeeded(_) | Ended::Failed(_) | Ended::Lost(_) => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_as_the_cause_is_told_with_its_limit_and_is_a_failure() {
        let takes = AgentLimits {
            cpu_milli: 100,
            memory_bytes: 64 << 20,
            pids: 8,
            output_bytes: 1 << 20,
            wall_ms: 1000,
        };
        let lost = Exit::bare(Ending::Lost);
        let of = |ended: Ended, exit: &Exit, box_too| told(ended, exit, box_too, &takes);
        let gone = || Ended::Lost("gone".to_owned());
        let failed = |why: &str| Ended::Failed(why.to_owned());
        assert_eq!(of(gone(), &lost, false), gone());
        assert_eq!(
            of(gone(), &lost, true),
            failed("out of memory, limit 64 MiB: the kernel ended its whole box")
        );
        let killed = Exit {
            oom: true,
            ..Exit::bare(Ending::Signal(9))
        };
        assert_eq!(
            of(failed("out of memory: why"), &killed, false),
            failed("out of memory, limit 64 MiB: why")
        );
        assert_eq!(of(failed("else"), &killed, false), failed("else"));
    }
}
