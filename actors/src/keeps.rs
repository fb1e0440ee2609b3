//! What of the ended attempts' folders goes: the old ones, of more than fits the oldest, and those of
//! cases whose texts are to be erased.
//!
//! # Invariant
//! Nothing goes that an open case has left: its people may still have to look at it.

use std::collections::BTreeSet;

use rules::id::CaseId;
use runtime::clock::WallMs;
use runtime::workshop::Left;

use crate::house::Keeps;

/// Which of these goes now.
pub(crate) fn surplus(
    mut left: Vec<Left>,
    open: &BTreeSet<CaseId>,
    erased: &BTreeSet<CaseId>,
    keeps: Keeps,
    now: WallMs,
) -> Vec<Left> {
    let mut bytes: u64 = left.iter().map(|one| one.bytes).sum();
    left.retain(|one| !open.contains(&one.attempt.case));
    left.sort_by_key(|one| (one.ordered.0, one.attempt));
    left.retain(|one| {
        // A clock that was set back makes nothing old.
        let is_old = now.0.saturating_sub(one.ordered.0) > keeps.age_ms;
        let is_erased = erased.contains(&one.attempt.case);
        let goes = is_old || is_erased || bytes > keeps.bytes;
        if goes {
            bytes = bytes.saturating_sub(one.bytes);
        }
        goes
    });
    left
}

#[cfg(test)]
mod tests {
    use rules::id::{AttemptId, Epoch};
    use runtime::workshop::Bench;

    use super::*;

    const NOW: WallMs = WallMs(1_000_000);
    const ALL: Keeps = Keeps {
        bytes: 1000,
        age_ms: 1_000_000,
    };

    fn left(case: u64, bytes: u64, ago_ms: u64) -> Left {
        Left {
            bench: Bench {
                worker: "crew/hand".parse().unwrap(),
                epoch: Epoch(1),
            },
            attempt: AttemptId {
                case: CaseId(case),
                number: 1,
            },
            bytes,
            ordered: WallMs(NOW.0 - ago_ms),
        }
    }

    fn cases(numbers: &[u64]) -> BTreeSet<CaseId> {
        numbers.iter().copied().map(CaseId).collect()
    }

    fn gone(all: Vec<Left>, open: &[u64], keeps: Keeps) -> Vec<u64> {
        let gone = surplus(all, &cases(open), &cases(&[]), keeps, NOW);
        gone.iter().map(|one| one.attempt.case.0).collect()
    }

    #[test]
    fn what_is_old_goes_and_of_more_than_fits_the_oldest() {
        let all = || vec![left(1, 400, 50), left(2, 400, 900), left(3, 400, 500)];
        assert_eq!(gone(all(), &[], ALL), [2]);
        let short = Keeps { age_ms: 400, ..ALL };
        assert_eq!(gone(all(), &[], short), [2, 3]);
        let tight = Keeps { bytes: 300, ..ALL };
        assert_eq!(gone(all(), &[], tight), [2, 3, 1]);
        assert!(gone(all(), &[], Keeps { bytes: 1200, ..ALL }).is_empty());
    }

    #[test]
    fn what_an_open_case_has_left_stays_and_counts() {
        let all = || vec![left(1, 900, 50), left(2, 400, 900), left(3, 400, 500)];
        assert_eq!(gone(all(), &[2], ALL), [3, 1]);
        let none = Keeps {
            bytes: 0,
            age_ms: 0,
        };
        assert!(gone(all(), &[1, 2, 3], none).is_empty());
    }

    #[test]
    fn what_an_erased_case_has_left_goes_however_young_it_is() {
        let all = vec![left(1, 400, 50), left(2, 400, 60), left(3, 100, 70)];
        let gone = surplus(all, &cases(&[]), &cases(&[2]), ALL, NOW);
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].attempt.case, CaseId(2));
    }
}
