//! The cases that were closed last, in memory: those that may not be durable yet, and those that
//! people are about to read.
//!
//! # Invariant
//! A case that is not durable is never dropped. What is kept beyond that is bounded.
//!
//! # Why
//! Who follows a case reads it whole at the moment when it is closed. From the store that read would
//! have to wait until the engine has taken up what is durable, for each case anew.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rules::case::Case;
use rules::id::CaseId;

/// Bytes of durable cases that are kept at most, as they are on the disk.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Durable cases that are kept at most.
const KEPT: usize = 512;

/// The cases that were closed last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    cases: BTreeMap<CaseId, Arc<Case>>,
    /// Those that are durable, the oldest first, with their bytes.
    durable: VecDeque<(CaseId, usize)>,
    durable_bytes: usize,
}

impl Recent {
    /// Takes a case in that may not be durable yet.
    pub fn add(&mut self, case: Case) {
        self.cases.insert(case.id, Arc::new(case));
    }

    /// Notes that cases are durable; the oldest of those are dropped where there are many.
    pub fn are_durable(&mut self, cases: Vec<(CaseId, usize)>) {
        for (case, bytes) in cases {
            self.durable.push_back((case, bytes));
            self.durable_bytes += bytes;
        }
        while self.durable_bytes > KEPT_BYTES || self.durable.len() > KEPT {
            let Some((case, bytes)) = self.durable.pop_front() else {
                return;
            };
            self.durable_bytes -= bytes;
            self.cases.remove(&case);
        }
    }

    /// Drops durable cases that are in the archive no more.
    pub fn forget(&mut self, gone: impl Fn(CaseId) -> bool) {
        let (cases, durable_bytes) = (&mut self.cases, &mut self.durable_bytes);
        self.durable.retain(|(case, bytes)| {
            let is_gone = gone(*case);
            if is_gone {
                cases.remove(case);
                *durable_bytes -= bytes;
            }
            !is_gone
        });
    }

    /// A case, if it is one of them.
    pub fn get(&self, case: CaseId) -> Option<Arc<Case>> {
        self.cases.get(&case).cloned()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().map(AsRef::as_ref)
    }
}
