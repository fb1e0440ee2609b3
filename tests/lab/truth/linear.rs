//! Submits, cancels and reads of each case could have happened one after the other, each at one
//! moment between its call and its answer.
//!
//! # Why
//! The checker is stateright's, which others have tried. Cases do not depend on each other, so each
//! is checked by itself: its search is exponential in what happened side by side, and within one
//! case that is little. What ends by itself is one more client, which wants to end the case once.

use std::collections::BTreeMap;

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::oracle::{Call, Evidence, Outcome, Said, Seen, Wish};

/// How a case is, as far as clients can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Model {
    Absent,
    Going,
    Over(String),
}

/// What can be done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Op {
    Submit,
    Cancel,
    Read,
    /// It comes to its own end.
    End(String),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ret {
    Done,
    TooLate,
    Saw(Model),
}

impl SequentialSpec for Model {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        let (next, ret) = match (op, &*self) {
            (Op::Submit, Model::Absent) => (Some(Model::Going), Ret::Done),
            (Op::Cancel, Model::Going) => (Some(Model::Over("cancelled".to_owned())), Ret::Done),
            (Op::End(how), Model::Going) => (Some(Model::Over(how.clone())), Ret::Done),
            (Op::Read, seen) => (None, Ret::Saw(seen.clone())),
            // The second try of a submit under its id opens nothing more.
            (Op::Submit, Model::Going | Model::Over(_)) => (None, Ret::Done),
            (Op::Cancel | Op::End(_), Model::Absent | Model::Over(_)) => (None, Ret::TooLate),
        };
        if let Some(next) = next {
            *self = next;
        }
        ret
    }
}

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut by_case: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &evidence.calls {
        if let Some(case) = call.case() {
            by_case.entry(case).or_default().push(call);
        }
    }
    let shown = evidence.all_cases();
    let mut wrongs = Vec::new();
    for (case, calls) in by_case {
        let last = shown.get(case).and_then(|case| Seen::of(case));
        if !is_linear(&calls, last.as_ref()) {
            let calls: Vec<String> = calls.iter().map(|call| told(call)).collect();
            wrongs.push(format!("{case}: {}; in the end {last:?}", calls.join("; ")));
        }
    }
    wrongs
}

/// An end of a call on the line of time; of two at one moment, calls come first: side by side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Called(usize),
    Answered(usize),
}

fn is_linear(calls: &[&Call], last: Option<&Seen>) -> bool {
    let mut edges: Vec<(u64, Edge)> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        // A read that failed did nothing; a change that did may have.
        let is_read = matches!(call.wish, Wish::Read(_));
        let from = if is_read {
            call.tried_ms
        } else {
            call.begun_ms
        };
        edges.push((from, Edge::Called(at)));
        if ret(call).is_some() {
            edges.push((call.ended_ms, Edge::Answered(at)));
        }
    }
    edges.sort();
    let mut tester = LinearizabilityTester::new(Model::Absent);
    let (by_itself, in_the_end) = (calls.len(), calls.len() + 1);
    if let Some(end) = last.and_then(|seen| seen.ending.clone())
        && end != "cancelled"
        && tester.on_invoke(by_itself, Op::End(end)).is_err()
    {
        return false;
    }
    for (_, edge) in edges {
        let taken = match edge {
            Edge::Called(at) => op(calls[at]).map(|op| tester.on_invoke(at, op).is_ok()),
            Edge::Answered(at) => ret(calls[at]).map(|ret| tester.on_return(at, ret).is_ok()),
        };
        if taken == Some(false) {
            return false;
        }
    }
    if let Some(seen) = last {
        let saw = Ret::Saw(model(seen));
        if tester.on_invret(in_the_end, Op::Read, saw).is_err() {
            return false;
        }
    }
    tester.is_consistent()
}

fn op(call: &Call) -> Option<Op> {
    match (&call.wish, &call.outcome) {
        // What was refused did not happen, and what nobody saw tells nothing.
        (_, Outcome::Refused(_)) | (Wish::Read(_), Outcome::Unknown) => None,
        (Wish::Submit(_), _) => Some(Op::Submit),
        (Wish::Cancel(_), _) => Some(Op::Cancel),
        (Wish::Read(_), _) => Some(Op::Read),
    }
}

fn ret(call: &Call) -> Option<Ret> {
    let Outcome::Acknowledged(said) = &call.outcome else {
        return None;
    };
    Some(match said {
        Said::Opened(_) | Said::Ended => Ret::Done,
        Said::TooLate => Ret::TooLate,
        Said::Seen(seen) => Ret::Saw(model(seen)),
        Said::Absent => Ret::Saw(Model::Absent),
    })
}

fn model(seen: &Seen) -> Model {
    seen.ending.clone().map_or(Model::Going, Model::Over)
}

fn told(call: &Call) -> String {
    let (wish, outcome) = (&call.wish, &call.outcome);
    format!(
        "{}..{} {wish:?} -> {outcome:?}",
        call.begun_ms, call.ended_ms
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::made_up::{call, good_case, of, read};

    fn cancel(between: (u64, u64), outcome: Outcome) -> Call {
        call("r-3", Wish::Cancel("c-1".to_owned()), between, outcome)
    }

    #[test]
    fn reads_before_and_after_the_end_are_in_order() {
        let mut evidence = of(&good_case());
        evidence.calls.push(read((30, 40), None));
        evidence.calls.push(read((50, 60), Some("succeeded")));
        evidence
            .calls
            .push(cancel((70, 80), Outcome::Acknowledged(Said::TooLate)));
        assert_eq!(broken(&evidence), Vec::<String>::new());
    }

    #[test]
    fn a_stale_read_is_found() {
        let mut evidence = of(&good_case());
        evidence.calls.push(read((30, 40), Some("succeeded")));
        evidence.calls.push(read((50, 60), None));
        assert_eq!(broken(&evidence).len(), 1);
    }

    #[test]
    fn an_acknowledged_case_that_is_not_found_is_a_stale_read() {
        let mut evidence = of(&good_case());
        let absent = Outcome::Acknowledged(Said::Absent);
        let wish = Wish::Read("c-1".to_owned());
        evidence.calls.push(call("r-2", wish, (30, 40), absent));
        assert_eq!(broken(&evidence).len(), 1);
    }

    #[test]
    fn a_cancel_that_was_acknowledged_ends_the_case() {
        let mut evidence = of(&good_case());
        evidence
            .calls
            .push(cancel((30, 40), Outcome::Acknowledged(Said::Ended)));
        assert_eq!(broken(&evidence).len(), 1, "it succeeded all the same");
        evidence.calls[1].outcome = Outcome::Unknown;
        assert!(broken(&evidence).is_empty(), "it may not have happened");
    }
}
