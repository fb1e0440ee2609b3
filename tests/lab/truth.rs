//! The truths: what must hold whatever was broken, each in a file of its own.
//!
//! # Invariant
//! A truth judges evidence and nothing else: the same evidence is judged the same, so that each is
//! tried on histories that were made up to break it.

mod acknowledged;
mod agreed;
mod converges;
mod effects;
mod forward;
mod linear;
mod one_leader;
mod one_result;
mod orphans;
mod planned_once;
mod reported_once;
mod started_once;

use serde_json::Value;

use crate::oracle::Evidence;

/// A sentence about each place where a truth does not hold.
type Judge = fn(&Evidence) -> Vec<String>;

/// Every truth by its name.
const ALL: [(&str, Judge); 12] = [
    ("acknowledged survives", acknowledged::broken),
    ("planned once", planned_once::broken),
    ("one accepted result for each stage", one_result::broken),
    ("each attempt is started once", started_once::broken),
    ("reported once", reported_once::broken),
    ("no effect is unaccounted for", effects::broken),
    ("one leader for each term", one_leader::broken),
    ("no step back", forward::broken),
    ("linearizable", linear::broken),
    ("no orphan", orphans::broken),
    ("all nodes agree", agreed::broken),
    ("converges", converges::broken),
];

/// Everything that does not hold, with the truth that says so.
pub fn breaches(evidence: &Evidence) -> Vec<String> {
    let mut all = Vec::new();
    for (name, judge) in ALL {
        all.extend(
            judge(evidence)
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    all
}

/// What of the promise of one telling a case breaks by itself.
pub fn of_one_case(case: &Value) -> Vec<String> {
    let judges = [
        planned_once::of_case,
        one_result::of_case,
        started_once::of_case,
        reported_once::of_case,
    ];
    judges.into_iter().filter_map(|judge| judge(case)).collect()
}

/// How often the history has this kind of line; for one stage, or for the whole case.
pub fn history(case: &Value, kind: &str, stage: Option<&str>) -> usize {
    let lines = case["history"].as_array().into_iter().flatten();
    let is_meant =
        |line: &&Value| line["kind"] == kind && stage.is_none_or(|stage| line["stage"] == stage);
    lines.filter(is_meant).count()
}

/// What is wrong with each case, by a truth that looks at one case at a time.
fn in_each(evidence: &Evidence, judge: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    let all = evidence.all_cases().into_iter();
    all.filter_map(|(id, case)| Some(format!("{id}: {}", judge(case)?)))
        .collect()
}

/// The stages of a case.
fn stages(case: &Value) -> impl Iterator<Item = &Value> {
    case["plan"].as_array().into_iter().flatten()
}

/// Histories that never happened, for the truths' own tests.
#[cfg(test)]
mod made_up {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use crate::oracle::{Call, Evidence, Outcome, Said, Seen, Wish};

    /// A case that went as it should.
    pub fn good_case() -> Value {
        let line = |kind: &str, stage: Option<&str>| json!({"kind": kind, "stage": stage});
        json!({
            "title": "r-1", "status": "closed", "outcome": "succeeded", "generation": 1,
            "plan": [{"name": "work", "status": "done",
                "result": {"summary": "did 1 deeds in attempt 1, started 1 times"}}],
            "history": [line("opened", None), line("planned", None), line("started", Some("work")),
                line("done", Some("work")), line("closed", None)],
        })
    }

    /// What three nodes show of one case, which a client was promised.
    pub fn of(case: &Value) -> Evidence {
        let shown = BTreeMap::from([("c-1".to_owned(), case.clone())]);
        Evidence {
            calls: vec![submit(
                "r-1",
                Outcome::Acknowledged(Said::Opened("c-1".to_owned())),
            )],
            cases: vec![shown; 3],
            ..Evidence::default()
        }
    }

    /// A case was handed over, from 10 to 20.
    pub fn submit(request: &str, outcome: Outcome) -> Call {
        call(request, Wish::Submit("crew".to_owned()), (10, 20), outcome)
    }

    /// Something was wanted, from one moment to another.
    pub fn call(
        request: &str,
        wish: Wish,
        (begun_ms, ended_ms): (u64, u64),
        outcome: Outcome,
    ) -> Call {
        Call {
            request: request.to_owned(),
            wish,
            begun_ms,
            tried_ms: begun_ms,
            ended_ms,
            outcome,
        }
    }

    /// The first case was read.
    pub fn read(between: (u64, u64), ending: Option<&str>) -> Call {
        let seen = Seen {
            generation: 1,
            rank: if ending.is_some() { 5 } else { 2 },
            ending: ending.map(str::to_owned),
        };
        let said = Outcome::Acknowledged(Said::Seen(seen));
        call("r-2", Wish::Read("c-1".to_owned()), between, said)
    }

    /// Adds a line to a case's history.
    pub fn happened(case: &mut Value, kind: &str, stage: Option<&str>) {
        let lines = case["history"].as_array_mut().expect("it has a history");
        lines.push(json!({"kind": kind, "stage": stage}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_history_breaks_no_truth() {
        let evidence = made_up::of(&made_up::good_case());
        assert_eq!(breaches(&evidence), Vec::<String>::new());
    }
}
