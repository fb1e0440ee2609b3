//! Each stage has one accepted result, and none without being done.

use serde_json::Value;

use super::{history, in_each, stages};
use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    in_each(evidence, of_case)
}

pub(super) fn of_case(case: &Value) -> Option<String> {
    stages(case).find_map(|stage| {
        let name = stage["name"].as_str().unwrap_or_default();
        let done = history(case, "done", Some(name)) + history(case, "answered", Some(name));
        // A plan that was sent back was a result too; the next one is of another attempt.
        let sent_back = case["plan_refusals"].as_array().map_or(0, Vec::len);
        let before = if name == "plan" { sent_back } else { 0 };
        let wanted = before + usize::from(stage["status"] == "done");
        (done != wanted).then(|| format!("stage {name} has {done} results instead of {wanted}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, happened, of};

    #[test]
    fn a_second_result_of_a_stage_is_one_too_many() {
        let mut case = good_case();
        happened(&mut case, "done", Some("work"));
        assert_eq!(
            broken(&of(&case)),
            ["c-1: stage work has 2 results instead of 1"]
        );
    }

    #[test]
    fn a_stage_that_is_done_without_a_result_is_none() {
        let mut case = good_case();
        case["history"] = serde_json::json!([]);
        assert_eq!(broken(&of(&case)).len(), 1);
    }
}
