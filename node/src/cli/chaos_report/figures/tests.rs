//! A report that was made up, and what is computed of it.

use super::{Canary, Fate, FaultRow, Promised, Report, Spread};
use crate::admin::wire::{ChaosFault, ChaosStep};
use crate::chaos::ENDED_EARLY;

pub(crate) fn canary(handed_ms: u64, answered_ms: u64, closed_ms: u64) -> Canary {
    Canary {
        case: Some(format!("c-{handed_ms}")),
        handed_ms,
        answered_ms,
        fate: Fate::Acknowledged,
        closed_ms: Some(closed_ms),
        has_succeeded: true,
        is_known: true,
        doubled: 0,
    }
}

/// A case each second; the Manager's node is killed after three and nobody answers for two.
pub(crate) fn report() -> Report {
    let step = ChaosStep {
        at_ms: 3_000,
        for_ms: 4_000,
        fault: ChaosFault::Kill,
        left_bytes: None,
        on: "manager".to_owned(),
    };
    let answered = [1_010, 2_010, 5_200, 5_250, 5_300, 6_010, 7_010];
    let canaries = answered.into_iter().zip(1..);
    let canaries = canaries
        .map(|(answered_ms, second)| canary(second * 1_000, answered_ms, answered_ms + 400));
    let mut report = Report {
        plan: "p".to_owned(),
        title: "<One> kill".to_owned(),
        run: 9,
        began: "2026-03-01T09:30:00.000Z".to_owned(),
        length_ms: 8_000,
        was_interrupted: false,
        closed_within_ms: 1_000,
        gap_ms: 5_000,
        steps: vec![step],
        faults: vec![FaultRow {
            step: 0,
            what: "kill the node of the Manager".to_owned(),
            node: "alpha".to_owned(),
            from_ms: 3_004,
            to_ms: 7_020,
            trouble: String::new(),
            takeover_ms: None,
        }],
        promised: Promised::default(),
        takeover: Spread::default(),
        closing: Spread::default(),
        checks: Vec::new(),
        canaries: canaries.collect(),
    };
    report.judge();
    report
}

fn broken(change: impl Fn(&mut Report)) -> Vec<String> {
    let mut report = report();
    change(&mut report);
    report.judge();
    let checks = report.checks.iter().filter(|check| !check.has_held);
    checks.map(|check| check.what.clone()).collect()
}

#[test]
fn the_takeover_is_the_longest_time_without_an_acknowledged_case_around_the_fault() {
    let report = report();
    assert_eq!(report.faults[0].takeover_ms, Some(3_190));
    assert_eq!(report.takeover.max_ms, 3_190);
    assert_eq!(report.closing.p50_ms, 400);
    assert!(report.has_held(), "{:?}", report.checks);
}

#[test]
fn each_broken_promise_is_told() {
    type Change = fn(&mut Report);
    let changes: [(Change, &str); 9] = [
        (|report| report.canaries[2].is_known = false, "lost"),
        (|report| report.canaries[2].closed_ms = None, "closed, well"),
        (
            |report| report.canaries[2].has_succeeded = false,
            "closed, well",
        ),
        (|report| report.canaries[2].doubled = 1, "closed, well"),
        (
            |report| report.canaries[2].closed_ms = Some(9_000),
            "each within",
        ),
        (|report| report.gap_ms = 3_000, "at least every"),
        (
            |report| report.faults[0].trouble = "late".to_owned(),
            "as planned",
        ),
        (|report| report.faults.clear(), "as planned"),
        (|report| report.canaries.clear(), "were acknowledged"),
    ];
    for (change, told) in changes {
        let broken = broken(change);
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].contains(told), "{broken:?}");
    }
}

#[test]
fn what_was_refused_or_is_unknown_was_not_promised() {
    let mut report = report();
    report.canaries[3].fate = Fate::Refused("full".to_owned());
    report.canaries[3].closed_ms = None;
    report.canaries[4].fate = Fate::Unknown("no answer".to_owned());
    report.canaries[4].is_known = false;
    report.judge();
    assert!(report.has_held(), "{:?}", report.checks);
    assert_eq!(report.promised.refused, 1);
    assert_eq!(report.promised.unknown, 1);
    assert_eq!(report.promised.acknowledged, 5);
}

#[test]
fn a_step_that_was_not_come_to_is_no_breach_of_a_run_that_was_interrupted() {
    let broken = broken(|report| {
        report.faults.clear();
        report.was_interrupted = true;
    });
    assert_eq!(broken, Vec::<String>::new());
    let ended = |report: &mut Report| report.faults[0].trouble = ENDED_EARLY.to_owned();
    assert_eq!(self::broken(ended).len(), 1);
    let interrupted = self::broken(|report| {
        ended(report);
        report.was_interrupted = true;
    });
    assert_eq!(interrupted, Vec::<String>::new());
}

#[test]
fn a_spread_is_of_ranks_and_nothing_has_none() {
    assert_eq!(Spread::of(Vec::new()), Spread::default());
    let spread = Spread::of((1..=200).rev().collect());
    assert_eq!(
        (spread.p50_ms, spread.p99_ms, spread.max_ms),
        (100, 198, 200)
    );
}
