//! Taking out what an attempt came to: its result, as the kernel reads it, and its artifacts.

use rules::attempt::{Artifact, Body, StageResult};
use rules::limits::{MAX_ARTIFACTS, MAX_INLINE_BYTES, MAX_SUMMARY_BYTES};

use super::{Boxes, blocking, unread};
use crate::kernel::{AttemptOutcome, FailKind, Kernel};
use crate::spool::{AttemptName, Collected, Exit, Spool};
use crate::workshop::{Ended, WorkshopError};

impl Boxes {
    /// Reads what an ended attempt came to, and keeps what it left.
    pub(super) async fn read(
        &self,
        kernel: &dyn Kernel,
        spool: &Spool,
        name: &AttemptName,
        exit: Exit,
    ) -> Result<Ended, WorkshopError> {
        let (from, of) = (spool.clone(), name.clone());
        let out = blocking(move || from.collect(&of)).await?;
        match kernel.read(&exit, &out) {
            AttemptOutcome::Failed { reason } if reason.kind == FailKind::Lost => {
                Ok(Ended::Lost(reason.text))
            }
            // Its box was stopped under it, by nobody who spoke for its case.
            AttemptOutcome::Failed { reason } if reason.kind == FailKind::Cancelled => {
                Ok(Ended::Lost(reason.text))
            }
            AttemptOutcome::Failed { reason } => Ok(Ended::Failed(reason.text)),
            AttemptOutcome::Succeeded { result } => {
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
