//! A case is planned once, and once more for each amendment.

use serde_json::Value;

use super::{history, in_each};
use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    in_each(evidence, of_case)
}

pub(super) fn of_case(case: &Value) -> Option<String> {
    let (planned, amended) = (
        history(case, "planned", None),
        history(case, "amended", None),
    );
    (planned > 1 + amended).then(|| format!("planned {planned} times, amended {amended} times"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, happened, of};

    #[test]
    fn a_second_plan_without_an_amendment_is_one_too_many() {
        let mut case = good_case();
        happened(&mut case, "planned", None);
        assert_eq!(
            broken(&of(&case)),
            ["c-1: planned 2 times, amended 0 times"]
        );
        happened(&mut case, "amended", None);
        assert!(broken(&of(&case)).is_empty());
    }
}
