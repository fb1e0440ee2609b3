//! A request is answered once, a stage has one result, a case is planned and reported once.

use std::collections::{BTreeMap, BTreeSet};

use rules::attempt::AttemptOutcome;
use rules::case::{Case, PLANNING};
use rules::history::Happened;
use rules::{Command, Rejection, Verdict};

use crate::sim::oracle::{Call, Evidence};

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = answered_twice(evidence);
    let mut accepted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in &evidence.calls {
        if !call.verdicts().any(Result::is_ok) {
            continue;
        }
        let Some((what, how)) = only_once(call) else {
            continue;
        };
        accepted.entry(what).or_default().insert(how);
    }
    for (what, how) in accepted {
        if how.len() > 1 {
            wrongs.push(format!("{what} {} times: {how:?}", how.len()));
        }
    }
    let cases = evidence.finals.first().into_iter();
    for case in cases.flat_map(|last| &last.cases) {
        wrongs.extend(twice_in(case));
    }
    wrongs
}

/// What happened to a case more often than it may.
fn twice_in(case: &Case) -> Vec<String> {
    let happened = |is_meant: &dyn Fn(&Happened) -> bool| {
        let events = case.history.events.iter();
        events.filter(|event| is_meant(&event.what)).count()
    };
    let mut wrongs = Vec::new();
    let mut only = |what: String, count: usize, most: usize| {
        if count > most {
            wrongs.push(format!("{} {what} {count} times, not {most}", case.id));
        }
    };
    let amended = happened(&|what| matches!(what, Happened::Amended(_)));
    let planned = happened(&|what| matches!(what, Happened::Planned(_)));
    only("was planned".to_owned(), planned, 1 + amended);
    let closed = happened(&|what| matches!(what, Happened::Closed(_)));
    only("was closed".to_owned(), closed, 1);
    for stage in case.all_stages() {
        let name = &stage.spec.name;
        let done = happened(
            &|what| matches!(what, Happened::Done(stage, _) | Happened::Answered(stage, _) if stage == name),
        );
        let is_planning = name.as_str() == PLANNING;
        let most = if is_planning { 1 + amended } else { 1 };
        only(format!("has a result of {name}"), done, most);
    }
    wrongs
}

/// What may be accepted once, and which of them it is.
fn only_once(call: &Call) -> Option<(String, String)> {
    if let Command::FinishAttempt { attempt, outcome } = &call.command {
        let how = match outcome {
            AttemptOutcome::Succeeded(result) => result.summary.clone(),
            AttemptOutcome::Failed { .. } | AttemptOutcome::TimedOut { .. } => {
                format!("{outcome:?}")
            }
        };
        return Some((format!("{attempt} ended"), how));
    }
    if let Command::ReportCase { case, report, .. } = &call.command {
        return Some((format!("{case} was reported"), report.summary.clone()));
    }
    None
}

/// Requests that were answered in two ways.
fn answered_twice(evidence: &Evidence) -> Vec<String> {
    let mut answers: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    for call in &evidence.calls {
        let Some(request) = &call.request else {
            continue;
        };
        for verdict in call.verdicts() {
            // What is not kept as an answer: the leader is to ask again.
            if matches!(verdict, Err(Rejection::Outdated | Rejection::Undecided)) {
                continue;
            }
            let known = answers.entry(request.as_str()).or_default();
            if !known.contains(&verdict) {
                known.push(verdict);
            }
        }
    }
    let doubled = answers.into_iter().filter(|(_, known)| known.len() > 1);
    doubled
        .map(|(request, known)| format!("{request} was answered in two ways: {known:?}"))
        .collect()
}
