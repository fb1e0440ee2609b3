//! What a chaos run comes to: what was done, what was promised, what held, and how long it took.
//!
//! # Invariant
//! All times are milliseconds from the run's start by the clock of the host that drove it. What is
//! computed is computed from what stands in the report itself.

use serde::{Deserialize, Serialize};

use crate::admin::wire::ChaosStep;
use crate::chaos::ENDED_EARLY;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The plan's name.
    pub plan: String,
    /// Its title.
    pub title: String,
    /// The run, by the entry that began it.
    pub run: u64,
    /// When it started, RFC 3339.
    pub began: String,
    /// How long it took.
    pub length_ms: u64,
    /// Whether it was ended before its time.
    pub was_interrupted: bool,
    /// What each canary case was promised to take at most.
    pub closed_within_ms: u64,
    /// The longest time that was to pass without an acknowledged case.
    pub gap_ms: u64,
    /// The steps of the plan.
    pub steps: Vec<ChaosStep>,
    /// What was done.
    pub faults: Vec<FaultRow>,
    /// What clients were told.
    pub promised: Promised,
    /// For each time that faults were on, how long no case was acknowledged.
    pub takeover: Spread,
    /// From an acknowledgement to the end of its case.
    pub closing: Spread,
    /// What had to hold, and whether it did.
    pub checks: Vec<Check>,
    /// Every canary case.
    pub canaries: Vec<Canary>,
}

/// A fault on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FaultRow {
    /// Which step, from 0.
    pub step: u32,
    /// What was done, in words.
    pub what: String,
    /// The node's name.
    pub node: String,
    /// When it was made.
    pub from_ms: u64,
    /// When it was off.
    pub to_ms: u64,
    /// What went otherwise than planned; empty where nothing did.
    pub trouble: String,
    /// The longest time without an acknowledged case that began or ended while it was on; none where
    /// no case was acknowledged around it.
    pub takeover_ms: Option<u64>,
}

/// A canary case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Canary {
    /// Its number, once it is known.
    pub case: Option<String>,
    /// When it was handed over.
    pub handed_ms: u64,
    /// When it was acknowledged or refused, or given up.
    pub answered_ms: u64,
    /// What the client was told.
    pub fate: Fate,
    /// When it was closed, where it was.
    pub closed_ms: Option<u64>,
    /// Whether it was closed well.
    pub has_succeeded: bool,
    /// Whether an acknowledged one is known to the cluster.
    pub is_known: bool,
    /// What happened of it more than once and should not.
    pub doubled: u64,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub(crate) enum Fate {
    /// It was taken.
    Acknowledged,
    /// It was refused, with this reason.
    Refused(String),
    /// Whether it was taken is not known.
    Unknown(String),
}

/// How many canary cases there were, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promised {
    /// Handed over.
    pub handed: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Refused.
    pub refused: u64,
    /// Neither: nobody answered in time.
    pub unknown: u64,
    /// Of those acknowledged: closed.
    pub closed: u64,
    /// Of those acknowledged: not known to the cluster any more.
    pub lost: u64,
    /// Things that happened twice.
    pub doubled: u64,
    /// Of those closed: later than promised.
    pub late: u64,
    /// Of those closed: not well.
    pub failed: u64,
}

/// How times spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// How many there were.
    pub count: u64,
    /// Half of them are not longer.
    pub p50_ms: u64,
    /// All but one in a hundred are not longer.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

/// Something that had to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// What.
    pub what: String,
    /// Whether it did.
    pub has_held: bool,
    /// What was seen.
    pub seen: String,
}

impl Spread {
    /// Of some times.
    pub(crate) fn of(mut times_ms: Vec<u64>) -> Self {
        times_ms.sort_unstable();
        let rank = |percent: usize| {
            let at = (times_ms.len() * percent).div_ceil(100).max(1) - 1;
            times_ms.get(at).copied().unwrap_or_default()
        };
        Self {
            count: times_ms.len() as u64,
            p50_ms: rank(50),
            p99_ms: rank(99),
            max_ms: rank(100),
        }
    }
}

impl Report {
    /// Whether all held.
    pub(crate) fn has_held(&self) -> bool {
        self.checks.iter().all(|check| check.has_held)
    }

    /// Computes what follows from the faults and the canary cases.
    pub(crate) fn judge(&mut self) {
        let acknowledged = self.acknowledged_ms();
        for fault in &mut self.faults {
            fault.takeover_ms = gap_around(&acknowledged, fault.from_ms, fault.to_ms);
        }
        self.takeover = Spread::of(self.windows(&acknowledged));
        let closing = |canary: &Canary| Some(canary.closed_ms?.saturating_sub(canary.answered_ms));
        self.closing = Spread::of(self.canaries.iter().filter_map(closing).collect());
        self.promised = self.count();
        self.checks = self.checked(&acknowledged);
    }

    fn acknowledged_ms(&self) -> Vec<u64> {
        let taken = self.canaries.iter();
        let taken = taken.filter(|canary| canary.fate == Fate::Acknowledged);
        let mut times: Vec<u64> = taken.map(|canary| canary.answered_ms).collect();
        times.sort_unstable();
        times
    }

    /// The longest gap of each step that was done, however many nodes it was done to.
    fn windows(&self, acknowledged: &[u64]) -> Vec<u64> {
        let mut steps: Vec<u32> = self.faults.iter().map(|fault| fault.step).collect();
        steps.sort_unstable();
        steps.dedup();
        let gap = |step: &u32| {
            let of_it = self.faults.iter().filter(|fault| fault.step == *step);
            let from_ms = of_it.clone().map(|fault| fault.from_ms).min()?;
            let to_ms = of_it.map(|fault| fault.to_ms).max()?;
            gap_around(acknowledged, from_ms, to_ms)
        };
        steps.iter().filter_map(gap).collect()
    }

    fn count(&self) -> Promised {
        let mut promised = Promised::default();
        for canary in &self.canaries {
            promised.handed += 1;
            match &canary.fate {
                Fate::Acknowledged => promised.acknowledged += 1,
                Fate::Refused(_) => promised.refused += 1,
                Fate::Unknown(_) => promised.unknown += 1,
            }
            promised.doubled += canary.doubled;
            if canary.fate != Fate::Acknowledged {
                continue;
            }
            promised.lost += u64::from(!canary.is_known);
            if let Some(closed_ms) = canary.closed_ms {
                let took_ms = closed_ms.saturating_sub(canary.answered_ms);
                promised.closed += 1;
                promised.late += u64::from(took_ms > self.closed_within_ms);
                promised.failed += u64::from(!canary.has_succeeded);
            }
        }
        promised
    }

    fn checked(&self, acknowledged: &[u64]) -> Vec<Check> {
        let Promised {
            acknowledged: taken,
            closed,
            lost,
            doubled,
            late,
            failed,
            ..
        } = self.count();
        let longest_ms = longest_gap(acknowledged);
        let is_troubled = |fault: &&FaultRow| {
            // Whoever interrupts a run has its faults taken off early.
            let is_early = self.was_interrupted && fault.trouble == ENDED_EARLY;
            !fault.trouble.is_empty() && !is_early
        };
        let troubled = self.faults.iter().filter(is_troubled).count();
        let undone = (0..self.steps.len()).filter(|step| {
            let is_of_it = |fault: &FaultRow| fault.step as usize == *step;
            !self.faults.iter().any(is_of_it)
        });
        let undone = if self.was_interrupted {
            0
        } else {
            undone.count()
        };
        let mut checks = Vec::new();
        let mut check = |what: String, has_held: bool, seen: String| {
            checks.push(Check {
                what,
                has_held,
                seen,
            });
        };
        check(
            "each fault was made as planned, and taken off".to_owned(),
            troubled == 0 && undone == 0,
            format!("{troubled} not so, {undone} steps not done"),
        );
        check(
            "cases were acknowledged".to_owned(),
            taken > 0,
            format!("{taken}"),
        );
        check(
            "no acknowledged case is lost".to_owned(),
            lost == 0,
            format!("{lost} lost"),
        );
        check(
            "each was closed, well and once, with one report".to_owned(),
            closed == taken && failed == 0 && doubled == 0,
            format!("{closed} of {taken} closed, {failed} not well, {doubled} done twice"),
        );
        check(
            format!("each within {} ms", self.closed_within_ms),
            late == 0,
            format!("{late} later; longest {} ms", self.closing.max_ms),
        );
        check(
            format!("one acknowledged at least every {} ms", self.gap_ms),
            longest_ms <= self.gap_ms,
            format!("longest {longest_ms} ms"),
        );
        checks
    }
}

fn longest_gap(acknowledged: &[u64]) -> u64 {
    let gaps = acknowledged.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}

/// The longest time without an acknowledgement of which a part lies in a span.
fn gap_around(acknowledged: &[u64], from_ms: u64, to_ms: u64) -> Option<u64> {
    let pairs = acknowledged.windows(2);
    let around = pairs.filter(|pair| pair[1] >= from_ms && pair[0] <= to_ms);
    around.map(|pair| pair[1] - pair[0]).max()
}

#[cfg(test)]
pub(crate) mod tests;
