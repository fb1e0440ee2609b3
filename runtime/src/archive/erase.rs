//! Taking the texts out of a closed case that stays on its lists.

use rules::case::Case;
use rules::id::CaseId;

use super::{Archive, ArchiveError, CaseSummary, locked, record};
use crate::codec::CodecError;
use crate::store::Batch;

impl Archive {
    /// Takes the texts out of a case; says whether it held any. Durable when this returns. Blocks.
    pub(crate) fn erase(&self, id: CaseId) -> Result<bool, ArchiveError> {
        let mut kept = self.settled()?;
        // What is in memory is what the case was.
        locked(&self.recent).forget(|case| case == id);
        let Some(mut case) = record::case(&self.store, id)? else {
            return Ok(false);
        };
        if case.is_erased() {
            // A copy from another node may have put an erased case over pieces of what it was.
            let left = record::leftovers(&self.store, id)?;
            let is_there = left.is_some();
            left.map_or(Ok(()), |batch| self.store.submit(batch, |_| ()))?;
            drop(kept);
            self.flush()?;
            return Ok(is_there);
        }
        let Some(listed) = CaseSummary::of(&case) else {
            return Ok(false);
        };
        case.erase();
        let mut batch = bare(case)?;
        let mut standing = *kept;
        standing.holdings.remove(&listed)?;
        standing.holdings.add(&batch);
        record::put_standing(&mut batch, &standing).map_err(|error| bad(id, &error))?;
        self.store.submit(batch, |_| ())?;
        *kept = standing;
        drop(kept);
        self.flush()?;
        Ok(true)
    }
}

/// The batch that puts a case in the place of what it was: all of it at once, or a death between two
/// batches would leave half of each.
fn bare(mut case: Case) -> Result<Batch, ArchiveError> {
    let id = case.id;
    let batch = record::replace(&case).map_err(|error| bad(id, &error))?;
    if let Some(batch) = batch {
        return Ok(batch);
    }
    // Its attempts and history alone are more than one batch holds: what came of it is enough.
    case.history.events.clear();
    case.attempts.clear();
    let batch = record::replace(&case).map_err(|error| bad(id, &error))?;
    batch.ok_or_else(|| record::damaged(id, "it is too large to be erased".to_owned()))
}

fn bad(id: CaseId, error: &CodecError) -> ArchiveError {
    record::damaged(id, error.to_string())
}
