//! What was acknowledged survives, what was refused did not happen, and one request is one case.

use std::collections::BTreeMap;

use crate::oracle::{Evidence, Outcome, Said, Wish};

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = Vec::new();
    let mut by_title: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, case) in evidence.all_cases() {
        let title = case["title"].as_str().unwrap_or_default();
        by_title.entry(title).or_default().push(id);
    }
    for call in &evidence.calls {
        if !matches!(call.wish, Wish::Submit(_)) {
            continue;
        }
        let there = by_title.get(call.request.as_str());
        let there = there.map_or(&[][..], Vec::as_slice);
        match &call.outcome {
            Outcome::Acknowledged(Said::Opened(case)) => {
                if !there.contains(&case.as_str()) {
                    wrongs.push(format!("{case} of {} is lost", call.request));
                }
            }
            Outcome::Refused(why) if !there.is_empty() => {
                wrongs.push(format!(
                    "{} was refused ({why}) and is {there:?}",
                    call.request
                ));
            }
            Outcome::Acknowledged(_) | Outcome::Refused(_) | Outcome::Unknown => {}
        }
        if there.len() > 1 {
            wrongs.push(format!("{} is doubled: {there:?}", call.request));
        }
    }
    wrongs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, of, submit};

    #[test]
    fn a_promised_case_that_no_node_has_is_lost() {
        let mut evidence = of(&good_case());
        evidence.cases.iter_mut().for_each(BTreeMap::clear);
        assert_eq!(broken(&evidence), ["c-1 of r-1 is lost"]);
    }

    #[test]
    fn two_cases_of_one_request_are_a_double() {
        let mut evidence = of(&good_case());
        evidence.cases[1].insert("c-2".to_owned(), good_case());
        assert_eq!(broken(&evidence), [r#"r-1 is doubled: ["c-1", "c-2"]"#]);
    }

    #[test]
    fn what_was_refused_is_not_there_and_what_is_unknown_may_be() {
        let mut evidence = of(&good_case());
        evidence.calls = vec![submit("r-1", Outcome::Unknown)];
        assert!(broken(&evidence).is_empty());
        evidence.calls = vec![submit("r-1", Outcome::Refused("no leader".to_owned()))];
        assert_eq!(broken(&evidence).len(), 1);
    }
}
