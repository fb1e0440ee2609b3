//! Boxes that stand still: all while the node is isolated, until it is known what of them is wanted.
//!
//! # Invariant
//! The container engine is asked for nothing before what is not wanted is dead.

use std::collections::BTreeSet;
use std::time::Duration;

use rules::id::AttemptId;

use super::{Bench, Boxes, Frozen, WorkshopError, attempt_id, bench, blocking, passing};
use crate::clock::Deadline;
use crate::spool::{AttemptName, AttemptObserved, CONTRACT_VERSION, Cancel, Spool, SpoolError};

/// Has all boxes stand still.
pub(super) async fn freeze(boxes: &Boxes, until: Deadline) -> Result<Frozen, WorkshopError> {
    let frozen = boxes.engine.freeze_all(until).await;
    let frozen = frozen.map_err(|error| passing(&error))?;
    let going_on = frozen.going_on.iter();
    Ok(Frozen {
        halted: frozen.halted.len(),
        going_on: going_on.map(|(id, why)| format!("{id}: {why}")).collect(),
    })
}

/// Whose boxes stand still.
pub(super) async fn frozen(boxes: &Boxes) -> Result<Vec<Bench>, WorkshopError> {
    let frozen = boxes.engine.frozen().await;
    let frozen = frozen.map_err(|error| passing(&error))?;
    Ok(frozen.iter().filter_map(|found| bench(&found.id)).collect())
}

/// Lets a box go on, or kills what is in it when that is not wanted.
pub(super) async fn thaw(
    boxes: &Boxes,
    bench: &Bench,
    wanted: &BTreeSet<AttemptId>,
) -> Result<(), WorkshopError> {
    let id = boxes.box_id(bench);
    let frozen = boxes.engine.frozen().await;
    let frozen = frozen.map_err(|error| passing(&error))?;
    let Some(found) = frozen.into_iter().find(|found| found.id == id) else {
        return Ok(());
    };
    let (spool, wanted) = (found.spool, wanted.clone());
    let (unwanted, has_wanted) = blocking(move || cancel_unwanted(&spool, &wanted)).await?;
    if !unwanted.is_empty() {
        let worker = &bench.worker;
        tracing::info!(%worker, ?unwanted, "what was superseded is killed, not thawed");
    }
    let done = if unwanted.is_empty() || has_wanted {
        boxes.engine.thaw(&id, &unwanted).await
    } else {
        boxes.engine.stop(&id, Duration::ZERO).await
    };
    done.map_err(|error| passing(&error))
}

/// Cancels what runs, or is about to, and is not wanted; names it, and says whether anything else
/// runs.
fn cancel_unwanted(
    spool: &Spool,
    wanted: &BTreeSet<AttemptId>,
) -> Result<(Vec<AttemptName>, bool), SpoolError> {
    let cancel = Cancel {
        version: CONTRACT_VERSION,
        reason: "it was superseded while its node was isolated".to_owned(),
        grace_ms: Some(0),
    };
    let is_wanted = |name: &AttemptName| attempt_id(name).is_some_and(|id| wanted.contains(&id));
    let (mut unwanted, mut has_wanted) = (Vec::new(), false);
    for name in spool.attempts()? {
        match spool.observe(&name)? {
            AttemptObserved::Running | AttemptObserved::NotStarted { is_ordered: true } => {
                if is_wanted(&name) {
                    has_wanted = true;
                } else {
                    spool.cancel(&name, &cancel)?;
                    unwanted.push(name);
                }
            }
            AttemptObserved::NotStarted { is_ordered: false } | AttemptObserved::Exited(_) => {}
        }
    }
    Ok((unwanted, has_wanted))
}
