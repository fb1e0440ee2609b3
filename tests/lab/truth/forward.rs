//! Nothing goes a step back: neither a case as clients see it, nor what a node's state holds.

use std::collections::BTreeMap;

use crate::oracle::{Call, Evidence, Outcome, Said, Seen};

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = nodes(evidence);
    let mut by_case: BTreeMap<&str, Vec<(&Call, &Seen)>> = BTreeMap::new();
    for call in &evidence.calls {
        if let (Outcome::Acknowledged(Said::Seen(seen)), Some(case)) = (&call.outcome, call.case())
        {
            by_case.entry(case).or_default().push((call, seen));
        }
    }
    for (case, looks) in by_case {
        for (earlier, before) in &looks {
            let later = looks
                .iter()
                .filter(|(call, _)| call.tried_ms > earlier.ended_ms);
            for (_, after) in later {
                if (after.generation, after.rank) < (before.generation, before.rank) {
                    wrongs.push(format!("{case} was {before:?} and later {after:?}"));
                }
            }
        }
    }
    wrongs
}

/// What one start of a daemon has applied stays applied.
fn nodes(evidence: &Evidence) -> Vec<String> {
    let mut last: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for seen in &evidence.sightings {
        let before = last.insert((seen.node, &seen.started), seen.applied);
        if before.is_some_and(|before| before > seen.applied) {
            wrongs.push(format!(
                "n{} had applied {before:?} and then {}",
                seen.node, seen.applied
            ));
        }
    }
    wrongs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, of, read};

    #[test]
    fn a_case_that_was_over_is_not_seen_running_later() {
        let mut evidence = of(&good_case());
        evidence.calls.push(read((30, 40), Some("succeeded")));
        evidence.calls.push(read((35, 50), None));
        assert!(broken(&evidence).is_empty(), "they overlap");
        evidence.calls.push(read((41, 50), None));
        assert_eq!(broken(&evidence).len(), 1);
    }
}
