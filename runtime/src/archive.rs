//! The archive: closed cases, which have left the state, found by number, team and outcome.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use rules::case::{Case, CaseOutcome, CaseStatus};
use rules::id::{CaseId, TeamName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most that one list gives; ask on with `before`.
pub const MAX_LIST: usize = 1000;

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

/// Why the archive did not answer.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// What is kept of a case is damaged: restore it from a backup or another node.
    #[error("the archive's record of case {case} is damaged: {why}")]
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

/// The closed cases.
#[derive(Debug, Default)]
pub struct Archive {
    cases: RwLock<BTreeMap<CaseId, Case>>,
}

impl Archive {
    /// A closed case, whole.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, ArchiveError> {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        Ok(cases.get(&id).cloned())
    }

    /// The newest closed cases that fit the filter, the newest first, at most `limit` or [`MAX_LIST`].
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<CaseSummary>, ArchiveError> {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        let before = filter.before.unwrap_or(CaseId(u64::MAX));
        Ok(cases
            .range(..before)
            .rev()
            .filter_map(|(_, case)| CaseSummary::of(case))
            .filter(|case| filter.team.is_none() || filter.team == case.team)
            .filter(|case| filter.outcome.is_none_or(|outcome| outcome == case.outcome))
            .take(limit.min(MAX_LIST))
            .collect())
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        cases.len() as u64
    }

    /// Takes closed cases in; one that is there already is not taken twice.
    pub(crate) fn add(&self, closed: Vec<Case>) {
        let mut cases = self.cases.write().unwrap_or_else(PoisonError::into_inner);
        cases.extend(closed.into_iter().map(|case| (case.id, case)));
    }
}
