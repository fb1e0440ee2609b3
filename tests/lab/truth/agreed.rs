//! In the end all nodes show every case alike, with the same history.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = Vec::new();
    let all: BTreeSet<&String> = evidence
        .cases
        .iter()
        .flat_map(|shown| shown.keys())
        .collect();
    for id in all {
        let mut seen = evidence
            .cases
            .iter()
            .map(|shown| shown.get(id).map(essence));
        let first = seen.next().flatten();
        let other = seen.enumerate().find(|(_, other)| *other != first);
        if let Some((at, other)) = other {
            let said =
                |shown: Option<Value>| shown.map_or("nothing".to_owned(), |it| it.to_string());
            wrongs.push(format!(
                "{id}: n1 shows {}, n{} {}",
                said(first),
                at + 2,
                said(other)
            ));
        }
    }
    wrongs
}

/// What every node must show alike: not how fresh its answer is.
fn essence(case: &Value) -> Value {
    let mut essence = case.clone();
    if let Some(fields) = essence.as_object_mut() {
        fields.remove("freshness");
    }
    essence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{good_case, of};

    #[test]
    fn nodes_that_show_a_case_differently_do_not_agree() {
        let mut evidence = of(&good_case());
        let mut case = good_case();
        case["freshness"] = 3.into();
        evidence.cases[1].insert("c-1".to_owned(), case.clone());
        assert!(broken(&evidence).is_empty());
        case["outcome"] = "failed".into();
        evidence.cases[1].insert("c-1".to_owned(), case);
        assert_eq!(broken(&evidence).len(), 1);
        evidence.cases[2].clear();
        assert_eq!(broken(&evidence).len(), 1);
    }
}
