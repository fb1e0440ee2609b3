//! Talking with an agent that runs: messages beside its input, and what it says in its output.

use rules::id::AttemptId;

use super::{Boxes, blocking, spool_name};
use crate::workshop::{Bench, Said, Told, WorkshopError};

/// Lays messages where the agent can read them.
pub(super) async fn tell(
    boxes: &Boxes,
    bench: &Bench,
    attempt: AttemptId,
    told: &[Told],
) -> Result<(), WorkshopError> {
    let name = spool_name(attempt)?;
    let later = || WorkshopError::Later(format!("attempt {attempt} cannot read yet"));
    let spool = boxes.spool_of(bench).await?.ok_or_else(later)?;
    let told = told.to_vec();
    let is_there = blocking(move || {
        let mut is_there = true;
        for one in &told {
            is_there &= spool.tell(&name, one.number, &one.text)?;
        }
        Ok(is_there)
    });
    if is_there.await? {
        Ok(())
    } else {
        Err(later())
    }
}

/// Reads on in what the agent says.
pub(super) async fn said(
    boxes: &Boxes,
    bench: &Bench,
    attempt: AttemptId,
    from: u64,
) -> Result<Said, WorkshopError> {
    let name = spool_name(attempt)?;
    let Some(spool) = boxes.spool_of(bench).await? else {
        return Ok(Said {
            lines: Vec::new(),
            next: from,
        });
    };
    let read = blocking(move || Ok(spool.said(&name, from))).await?;
    Ok(Said {
        lines: read.lines,
        next: read.next,
    })
}
