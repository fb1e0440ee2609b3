//! A case is opened once, and once it is closed, it was closed and reported once.

use serde_json::Value;

use super::{history, in_each};
use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    in_each(evidence, of_case)
}

pub(super) fn of_case(case: &Value) -> Option<String> {
    let (opened, closed) = (history(case, "opened", None), history(case, "closed", None));
    let wanted = usize::from(case["status"] == "closed");
    let is_broken = opened != 1 || closed != wanted;
    is_broken.then(|| {
        format!(
            "opened {opened} times, closed {closed} times, and is {}",
            case["status"]
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, happened, of};

    #[test]
    fn a_second_report_is_one_too_many() {
        let mut case = good_case();
        happened(&mut case, "closed", None);
        assert_eq!(broken(&of(&case)).len(), 1);
    }

    #[test]
    fn an_open_case_has_no_report() {
        let mut case = good_case();
        case["status"] = "running".into();
        assert_eq!(broken(&of(&case)).len(), 1);
    }
}
