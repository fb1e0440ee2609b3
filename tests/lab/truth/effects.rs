//! What reached the target is on the record; what may not be repeated reached it once, and what may
//! under one key.
//!
//! # Why
//! The target counts in a process of its own, on its own disk: what it wrote down has happened,
//! whatever the cluster knows of it. Which case it happened for stands in the path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::oracle::Evidence;
use crate::target::Reached;

/// What may be repeated under its key is below this path.
pub const KEYED: &str = "/act/";
/// What may not be repeated is below this one.
pub const ONCE: &str = "/tell/";

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut by_case: BTreeMap<&str, Vec<&Reached>> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for reached in &evidence.reached {
        let path = reached.path.as_str();
        match path.strip_prefix(KEYED).or(path.strip_prefix(ONCE)) {
            Some(case) => by_case.entry(case).or_default().push(reached),
            None => wrongs.push(format!("{path} was asked for by nobody")),
        }
    }
    let cases = evidence.all_cases();
    for case in by_case.keys().filter(|case| !cases.contains_key(*case)) {
        wrongs.push(format!(
            "{case} reached the target, and there is no such case"
        ));
    }
    for (id, case) in cases {
        let reached = by_case.get(id).map_or(&[][..], Vec::as_slice);
        let is_expected = !evidence.reached.is_empty();
        let of_case = of_case(case, reached, is_expected);
        wrongs.extend(of_case.into_iter().map(|wrong| format!("{id}: {wrong}")));
    }
    wrongs
}

fn of_case(case: &Value, reached: &[&Reached], is_expected: bool) -> Vec<String> {
    let mut wrongs = Vec::new();
    let (once, keyed): (Vec<&Reached>, Vec<&Reached>) = reached
        .iter()
        .copied()
        .partition(|reached| reached.path.starts_with(ONCE));
    if once.len() > 1 {
        wrongs.push(format!(
            "{} times what may be done once: it is doubled",
            once.len()
        ));
    }
    let keys: BTreeSet<&str> = keyed.iter().map(|reached| reached.key.as_str()).collect();
    if keys.len() > 1 || keys.contains("-") {
        wrongs.push(format!("one effect came under the keys {keys:?}"));
    }
    let known = case["effects"].as_array().map_or(&[][..], Vec::as_slice);
    let has = |method: &str| {
        known
            .iter()
            .filter(|effect| effect["method"] == method)
            .count()
    };
    for (method, reached) in [("POST", &once), ("PUT", &keyed)] {
        if !reached.is_empty() && has(method) == 0 {
            wrongs.push(format!(
                "a {method} reached the target, and no intent of it is on record"
            ));
        }
    }
    if is_expected && case["outcome"] == "succeeded" && (once.is_empty() || keyed.is_empty()) {
        wrongs.push("it succeeded, and what it was to do was not done".to_owned());
    }
    wrongs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::truth::made_up::{good_case, of};

    fn reached(method: &str, path: &str, key: &str) -> Reached {
        Reached {
            method: method.to_owned(),
            path: path.to_owned(),
            key: key.to_owned(),
            authorization: String::new(),
            body: String::new(),
        }
    }

    fn with(reached: &[Reached]) -> Vec<String> {
        let mut case = good_case();
        case["effects"] = json!([{"method": "PUT", "key": "k1"}, {"method": "POST", "key": "k2"}]);
        let mut evidence = of(&case);
        evidence.reached = reached.to_vec();
        broken(&evidence)
    }

    #[test]
    fn what_was_repeated_under_its_key_and_done_once_is_as_it_should_be() {
        let (put, post) = (
            reached("PUT", "/act/c-1", "k1"),
            reached("POST", "/tell/c-1", "k2"),
        );
        assert!(with(&[put.clone(), put, post]).is_empty());
    }

    #[test]
    fn a_second_effect_another_key_and_an_effect_without_a_case_are_found() {
        let (put, post) = (
            reached("PUT", "/act/c-1", "k1"),
            reached("POST", "/tell/c-1", "k2"),
        );
        let twice = with(&[put.clone(), post.clone(), post.clone()]);
        assert!(twice[0].contains("is doubled"), "{twice:?}");
        let other = reached("PUT", "/act/c-1", "k9");
        let keys = with(&[put.clone(), other, post.clone()]);
        assert!(keys[0].contains("k9"), "{keys:?}");
        let astray = with(&[put.clone(), post, reached("PUT", "/act/c-7", "k1")]);
        assert!(astray[0].contains("no such case"), "{astray:?}");
        let undone = with(&[put]);
        assert!(undone[0].contains("was not done"), "{undone:?}");
    }

    #[test]
    fn an_effect_without_an_intent_is_found() {
        let mut evidence = of(&good_case());
        evidence.reached = vec![
            reached("PUT", "/act/c-1", "k1"),
            reached("POST", "/tell/c-1", "k2"),
        ];
        let wrongs = broken(&evidence);
        assert!(wrongs[0].contains("no intent"), "{wrongs:?}");
    }
}
