//! The archive: closed cases, which have left the state, found by number, team and outcome.
//!
//! ```text
//! apply ─► add ─► recent (in memory) ─► store: pieces, summary, team ─► recent may drop it
//! ```
//!
//! # Invariant
//! A case that a replay closes again is not archived again: with each case the store holds the entry
//! that closed it, in the same batch. The log is cut only behind what is durable here. That batch
//! also says what the archive holds with it: one that lost a case, or has one back, is refused.
//!
//! # Why
//! A closed case is some KiB and may be some MiB; in the state each of them would be written anew
//! with every snapshot, for ever.

mod copy;
mod erase;
mod forget;
mod holdings;
mod posts;
mod recent;
mod record;
mod settled;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rules::case::{Case, CaseOutcome, CaseStatus};
use rules::id::{CaseId, TeamName};
use rules::room::Shelved;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use copy::{Pairs, Part};

use crate::codec::CodecError;
use crate::store::{Batch, Order, Space, Store, StoreError};
use holdings::Holdings;
use recent::Recent;

/// The most that one list gives; ask on with `before`.
pub const MAX_LIST: usize = 1000;
/// Cases that are looked at in one go while a list is filtered.
const PAGE: usize = 256;

/// What a list of closed cases says of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSummary {
    /// Its number.
    pub id: CaseId,
    /// Its team, if it ever had one.
    pub team: Option<TeamName>,
    /// What it was about, in a line.
    pub title: String,
    /// Who opened it.
    pub opened_by: String,
    /// When, for people to read.
    pub opened_wall_ms: u64,
    /// When it was closed, for people to read.
    pub closed_wall_ms: u64,
    /// How it ended.
    pub outcome: CaseOutcome,
}

impl CaseSummary {
    /// What is said of a case; none for one that is not closed.
    pub fn of(case: &Case) -> Option<Self> {
        let CaseStatus::Closed(outcome) = case.status else {
            return None;
        };
        Some(Self {
            id: case.id,
            team: case.team.clone(),
            title: case.title.clone(),
            opened_by: case.opened_by.clone(),
            opened_wall_ms: case.opened_wall_ms,
            closed_wall_ms: case.closed_wall_ms.unwrap_or(case.opened_wall_ms),
            outcome,
        })
    }
}

/// Which closed cases are wanted; all of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this team.
    pub team: Option<TeamName>,
    /// Only those that ended so.
    pub outcome: Option<CaseOutcome>,
    /// Only those with a smaller number: the last one of the page before.
    pub before: Option<CaseId>,
}

impl Filter {
    fn takes(&self, case: &CaseSummary) -> bool {
        let is_of_team = self.team.is_none() || self.team == case.team;
        let is_so_ended = self.outcome.is_none_or(|outcome| outcome == case.outcome);
        is_of_team && is_so_ended && self.before.is_none_or(|before| case.id < before)
    }
}

/// Why the archive did not answer.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// It does not hold the cases that it must: restore the newest backup, or join again.
    #[error("the archive holds {found}, and must hold {expected}")]
    Incomplete {
        /// What is there.
        found: String,
        /// What was written.
        expected: String,
    },
    /// What is kept of a case is damaged: restore it from a backup or another node.
    #[error(
        "the archive's record of case {case} is damaged: {why}; restore it from a backup or another node"
    )]
    Damaged {
        /// The case.
        case: CaseId,
        /// What is wrong with it.
        why: String,
    },
    /// The store did not answer: try again, and look at the disk.
    #[error("cannot read the archive: {why}")]
    Unreadable {
        /// What the store said.
        why: String,
    },
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self::Unreadable {
            why: error.to_string(),
        }
    }
}

/// The closed cases. Its calls block on the disk, for the time of a few reads.
#[derive(Debug)]
pub struct Archive {
    store: Store,
    standing: Mutex<Standing>,
    recent: Arc<Mutex<Recent>>,
    /// Whether cases may be missing that another node has: since the start, or since a snapshot from
    /// elsewhere jumped over the entries that closed them.
    is_in_doubt: AtomicBool,
    /// Whether what comes is only looked at: it is not kept then.
    is_closed: AtomicBool,
    /// Posts that are handed over to the store and may not be durable yet.
    recent_posts: Arc<Mutex<Vec<Shelved>>>,
}

/// How far the archive is; kept in the store with the cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    /// How many cases there are.
    count: u64,
    /// The last entry whose closed cases were all handed over.
    through: u64,
    /// How many cases and posts of the entry behind that one were.
    of_next: u64,
    /// What the summaries and the teams' lists must hold.
    holdings: Holdings,
    /// Whether cases are being copied from another node: then they are counted anew afterwards.
    is_copying: bool,
    /// The last case that came from another node; the entry that closed it may still come too.
    copied_to: u64,
    /// The last post that came from another node, likewise.
    posts_copied_to: u64,
}

impl Archive {
    /// Opens the archive that the store holds; refuses one that lacks a case. Blocks.
    pub(crate) fn open(store: Store) -> Result<Self, ArchiveError> {
        let mut standing = record::standing(&store)?;
        let (count, found) = Holdings::found(&store)?;
        if standing.is_copying {
            (standing.count, standing.holdings) = (count, found);
        }
        if (count, found) != (standing.count, standing.holdings) {
            return Err(found.is_not(count, &standing));
        }
        Ok(Self {
            store,
            standing: Mutex::new(standing),
            recent: Arc::default(),
            is_in_doubt: AtomicBool::new(true),
            is_closed: AtomicBool::new(false),
            recent_posts: Arc::default(),
        })
    }

    /// Whether cases may be missing that another node has.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::Relaxed)
    }

    /// Whether a copy was begun and broke off: what came is whole only once all of it did.
    pub(crate) fn is_copying(&self) -> bool {
        locked(&self.standing).is_copying
    }

    /// Says that cases may be missing, or that all are here which another node has.
    pub(crate) fn doubt(&self, is_in_doubt: bool) {
        self.is_in_doubt.store(is_in_doubt, Ordering::Relaxed);
    }

    /// Keeps nothing of what comes: who only looks at entries may look at some that never count.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// A closed case, whole.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, ArchiveError> {
        if let Some(case) = locked(&self.recent).get(id) {
            return Ok(Some(Case::clone(&case)));
        }
        record::case(&self.store, id)
    }

    /// A closed case that is in memory: those that were closed last are. Reads nothing.
    pub fn recent(&self, id: CaseId) -> Option<Arc<Case>> {
        locked(&self.recent).get(id)
    }

    /// What a list says of a closed case.
    pub fn summary(&self, id: CaseId) -> Result<Option<CaseSummary>, ArchiveError> {
        if let Some(case) = locked(&self.recent).get(id) {
            return Ok(CaseSummary::of(&case));
        }
        record::summary_of(&self.store, id)
    }

    /// The newest closed cases that fit the filter, the newest first, at most `limit` or [`MAX_LIST`].
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<CaseSummary>, ArchiveError> {
        let limit = limit.min(MAX_LIST);
        let recent: Vec<CaseSummary> = {
            let recent = locked(&self.recent);
            let summaries = recent.all().filter_map(CaseSummary::of);
            summaries.filter(|case| filter.takes(case)).collect()
        };
        let mut found = self.list_stored(filter, limit)?;
        found.extend(recent);
        found.sort_by_key(|case| std::cmp::Reverse(case.id));
        found.dedup_by_key(|case| case.id);
        found.truncate(limit);
        Ok(found)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        locked(&self.standing).count
    }

    fn list_stored(&self, filter: &Filter, limit: usize) -> Result<Vec<CaseSummary>, ArchiveError> {
        let mut found = Vec::new();
        let mut before = filter.before.unwrap_or(CaseId(u64::MAX));
        while found.len() < limit {
            let page = match &filter.team {
                Some(team) => record::page_of_team(&self.store, team, before, PAGE)?,
                None => record::page(&self.store, before, PAGE)?,
            };
            let Some(last) = page.last() else { break };
            before = last.id;
            found.extend(page.into_iter().filter(|case| filter.takes(case)));
        }
        Ok(found)
    }

    /// Takes in the cases that an entry closed and the posts that it shelved; those of an entry that
    /// is archived are left.
    pub(crate) fn add(
        &self,
        entry: u64,
        closed: Vec<Case>,
        shelved: Vec<Shelved>,
    ) -> Result<(), CodecError> {
        let is_nothing = closed.is_empty() && shelved.is_empty();
        if is_nothing || self.is_closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut kept = locked(&self.standing);
        if entry <= kept.through {
            return Ok(());
        }
        let mut standing = *kept;
        // A death between two batches of one entry leaves the first of its cases and posts here.
        let archived = usize::try_from(standing.of_next).unwrap_or(usize::MAX);
        let later = archived.saturating_sub(closed.len());
        let closed: Vec<Case> = closed.into_iter().skip(archived).collect();
        let shelved: Vec<Shelved> = shelved.into_iter().skip(later).collect();
        let (mut batches, mut ids) = (Vec::new(), Vec::new());
        for case in &closed {
            let (pieces, mut last) = record::put(case)?;
            let bytes = pieces.iter().chain([&last]).map(Batch::bytes).sum();
            ids.push((case.id, bytes));
            batches.extend(pieces);
            if !self.is_copied(case.id, &mut standing) {
                standing.count += 1;
                standing.holdings.add(&last);
            }
            standing.of_next += 1;
            record::put_standing(&mut last, &standing)?;
            batches.push(last);
        }
        batches.extend(self.shelve(&shelved, &mut standing)?);
        (standing.through, standing.of_next) = (entry, 0);
        if let Some(last) = batches.last_mut() {
            record::put_standing(last, &standing)?;
        }
        let numbers: Vec<u64> = shelved.iter().map(|shelved| shelved.post.number).collect();
        locked(&self.recent_posts).extend(shelved);
        let mut recent = locked(&self.recent);
        for case in closed {
            recent.add(case);
        }
        drop(recent);
        self.submit(batches, ids, numbers);
        *kept = standing;
        drop(kept);
        Ok(())
    }

    /// Whether a case came from another node before the entry that closed it.
    fn is_copied(&self, case: CaseId, standing: &mut Standing) -> bool {
        if case.0 > standing.copied_to {
            return false;
        }
        let is_listed = record::is_listed(&self.store, case);
        // Where the store does not say, all is counted anew at the next opening.
        standing.is_copying |= is_listed.is_err();
        is_listed.unwrap_or(false)
    }

    /// Hands batches over in their order; when the last is durable the cases need not be remembered.
    /// Nobody waits for it: until then a replay of the log brings them again.
    fn submit(&self, batches: Vec<Batch>, ids: Vec<(CaseId, usize)>, posts: Vec<u64>) {
        let last = batches.len().saturating_sub(1);
        let mut held = Some((ids, posts));
        for (number, batch) in batches.into_iter().enumerate() {
            let durable = if number == last { held.take() } else { None };
            let (recent, recent_posts) = (Arc::clone(&self.recent), Arc::clone(&self.recent_posts));
            let submitted = self.store.submit_later(batch, move |result| {
                if result.is_ok()
                    && let Some((ids, posts)) = durable
                {
                    locked(&recent).are_durable(ids);
                    locked(&recent_posts).retain(|post| !posts.contains(&post.post.number));
                }
            });
            if let Err(error) = submitted {
                // A closed store: the replay after the next opening brings the same cases again.
                tracing::debug!("closed cases wait for the next opening: {error}");
                return;
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which way lists go: the newest case has the largest number.
const NEWEST_FIRST: Order = Order::Descending;
/// Where the archive's standing is kept.
const STANDING: (Space, &[u8]) = (Space::Meta, b"archive");
