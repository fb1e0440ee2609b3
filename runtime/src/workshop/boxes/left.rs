//! What ended attempts have left in the folders of their boxes: found, counted, thrown away.
//!
//! # Invariant
//! Nothing of an attempt is thrown away before its exit stands in its spool.

use std::sync::atomic::Ordering;

use rules::id::AttemptId;

use super::{Bench, Boxes, Left, WorkshopError, attempt_id, bench, blocking, passing, spool_name};
use crate::spool::{AttemptObserved, Spool, SpoolError};

/// Ended attempts of a box that keep their folders, for their logs.
const KEPT_ATTEMPTS: usize = 20;

/// Discards the folders of ended attempts beyond those that are kept for their logs.
pub(super) fn discard_oldest(spool: &Spool) -> Result<(), SpoolError> {
    let mut ended = Vec::new();
    for name in spool.attempts()? {
        if matches!(spool.observe(&name)?, AttemptObserved::Exited(_))
            && let Some(id) = attempt_id(&name)
        {
            ended.push((id, name));
        }
    }
    ended.sort();
    let surplus = ended.len().saturating_sub(KEPT_ATTEMPTS);
    ended
        .iter()
        .take(surplus)
        .try_for_each(|(_, name)| spool.discard(name))
}

/// Everything that ended attempts have left in all boxes.
pub(super) async fn left(boxes: &Boxes) -> Result<Vec<Left>, WorkshopError> {
    let found = boxes.engine.list().await;
    let mut all = Vec::new();
    for found in found.map_err(|error| passing(&error))? {
        let Some(bench) = bench(&found.id) else {
            continue;
        };
        all.extend(blocking(move || in_box(&bench, &found.spool)).await?);
    }
    let bytes = all.iter().map(|left| left.bytes).sum();
    boxes.left_bytes.store(bytes, Ordering::Relaxed);
    Ok(all)
}

fn in_box(bench: &Bench, spool: &Spool) -> Result<Vec<Left>, SpoolError> {
    let mut all = Vec::new();
    for name in spool.attempts()? {
        let (Some(attempt), Some(ordered)) = (attempt_id(&name), spool.ordered(&name)) else {
            continue;
        };
        if matches!(spool.observe(&name)?, AttemptObserved::Exited(_)) {
            all.push(Left {
                bench: bench.clone(),
                attempt,
                bytes: spool.size(&name)?,
                ordered,
            });
        }
    }
    Ok(all)
}

/// Throws away what an ended attempt has left.
pub(super) async fn discard(
    boxes: &Boxes,
    bench: &Bench,
    attempt: AttemptId,
) -> Result<(), WorkshopError> {
    let name = spool_name(attempt)?;
    let Some(spool) = boxes.spool_of(bench).await? else {
        return Ok(());
    };
    blocking(move || match spool.observe(&name)? {
        AttemptObserved::Exited(_) => spool.discard(&name),
        AttemptObserved::NotStarted { .. } | AttemptObserved::Running => Ok(()),
    })
    .await
}
