//! Once all faults are off, everything comes to its end within a bound.

use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = evidence.unsettled.clone();
    for (id, case) in evidence.all_cases() {
        let is_with_a_human = case["status"] == "waiting";
        if case["status"] != "closed" && !is_with_a_human {
            wrongs.push(format!("{id} is {}", case["status"]));
        }
    }
    wrongs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, of};

    #[test]
    fn a_case_is_over_or_waits_for_a_human() {
        let mut case = good_case();
        case["status"] = "waiting".into();
        assert!(broken(&of(&case)).is_empty());
        case["status"] = "running".into();
        assert_eq!(broken(&of(&case)), [r#"c-1 is "running""#]);
    }
}
