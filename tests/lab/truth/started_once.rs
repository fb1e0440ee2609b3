//! No agent was started twice in one attempt: each leaves a mark at its start and counts them.

use serde_json::Value;

use super::{in_each, stages};
use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    in_each(evidence, of_case)
}

pub(super) fn of_case(case: &Value) -> Option<String> {
    stages(case).find_map(|stage| {
        let said = stage["result"]["summary"].as_str().unwrap_or_default();
        let is_twice = said.contains("started") && !said.contains("started 1 times");
        is_twice.then(|| format!("{}: {said}", stage["name"]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, of};

    #[test]
    fn an_agent_that_counts_two_starts_was_started_twice() {
        let mut case = good_case();
        assert!(broken(&of(&case)).is_empty());
        case["plan"][0]["result"]["summary"] = "did 1 deeds, started 2 times".into();
        assert_eq!(broken(&of(&case)).len(), 1);
    }
}
