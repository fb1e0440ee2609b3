//! The nemesis: a list of faults with their times, drawn from a seed or written by hand.
//!
//! # Invariant
//! The same seed draws the same list. Whom a step hits may be said by what they are (the leader):
//! that is found out when its time has come.

use std::time::Duration;

use runtime::clock::{self, BootMs};

use crate::cluster::{Cluster, Standing};
use crate::dice::Dice;
use crate::fault::{ALL, Active, Fault, Part};
use crate::wait::rest;

/// Between two faults of a drawn list.
const BETWEEN_MS: (u64, u64) = (500, 4_000);
/// How long a drawn fault stays on: less and more than a lease.
const LASTS_MS: (u64, u64) = (500, 9_000);
/// Clients begin after this, so that some faults meet a cluster at rest.
pub(crate) const QUIET: Duration = Duration::from_secs(5);
/// The leader was hit so short a time ago that another may be taking over.
const TAKEOVER: Duration = Duration::from_secs(3);
/// Between two looks at the clock.
const STEP: Duration = Duration::from_millis(5);

/// Whom a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever leads then.
    Leader,
    /// One that does not lead then; this number chooses among them.
    Follower(usize),
    /// This node.
    Node(usize),
}

/// One fault of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When it is put on, after the beginning.
    pub at_ms: u64,
    /// How long it stays on.
    pub lasts_ms: u64,
    /// Whom it hits.
    pub whom: Whom,
    /// What it is.
    pub fault: Fault,
}

/// What was done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// When, on the boot clock.
    pub at_ms: u64,
    /// What.
    pub fault: Fault,
    /// To which node.
    pub node: usize,
    /// What it was then.
    pub standing: Standing,
    /// What else was going on.
    pub phase: Phase,
}

/// What is going on while a fault is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nobody hands over anything yet.
    Idle,
    /// Cases come and are worked on.
    Loaded,
    /// Nobody leads, or whoever led was hit a moment ago.
    Failover,
    /// Who votes is being changed.
    MembershipChange,
}

impl Phase {
    fn of(
        passed: Duration,
        leader: Option<usize>,
        active: &[(BootMs, Active)],
        done: &[Done],
    ) -> Phase {
        let is_recent = |done: &Done| clock::boot().since(BootMs(done.at_ms)) < TAKEOVER;
        let is_led = |done: &Done| done.standing == Standing::Leader && is_recent(done);
        let changes = |active: &(BootMs, Active)| active.1.fault.part() == Part::Members;
        if leader.is_none() || done.iter().any(is_led) {
            Phase::Failover
        } else if active.iter().any(changes) {
            Phase::MembershipChange
        } else if passed < QUIET {
            Phase::Idle
        } else {
            Phase::Loaded
        }
    }
}

/// A list of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nemesis {
    steps: Vec<Step>,
}

impl Nemesis {
    /// These faults.
    pub fn by_hand(mut steps: Vec<Step>) -> Nemesis {
        steps.sort_by_key(|step| step.at_ms);
        Nemesis { steps }
    }

    /// Faults for so long against so many nodes.
    pub fn drawn(seed: u64, nodes: usize, length: Duration) -> Nemesis {
        let mut dice = Dice::new(seed);
        let mut steps = Vec::new();
        let mut at_ms = 0;
        loop {
            at_ms += dice.between(BETWEEN_MS.0, BETWEEN_MS.1);
            if u128::from(at_ms) >= length.as_millis() {
                return Nemesis { steps };
            }
            let whom = match dice.below(3) {
                0 => Whom::Leader,
                1 => Whom::Follower(dice.below(nodes)),
                _ => Whom::Node(dice.below(nodes) + 1),
            };
            steps.push(Step {
                at_ms,
                lasts_ms: dice.between(LASTS_MS.0, LASTS_MS.1),
                whom,
                fault: *dice.choose(&ALL),
            });
        }
    }

    /// Does all of it, and says what was done and what is still on at the end.
    pub fn rage(&self, cluster: &mut Cluster) -> (Vec<Done>, Vec<Active>) {
        let begun = clock::boot();
        let mut done = Vec::new();
        let mut active: Vec<(BootMs, Active)> = Vec::new();
        let end_ms = self.steps.last().map_or(0, |step| step.at_ms);
        let mut steps = self.steps.iter().peekable();
        loop {
            let now = clock::boot();
            let (over, on): (Vec<_>, Vec<_>) = active.into_iter().partition(|(off, _)| *off <= now);
            active = on;
            for (_, fault) in over {
                fault.take_off(cluster);
            }
            let passed = now.since(begun);
            let is_due = |step: &&&Step| passed >= Duration::from_millis(step.at_ms);
            if let Some(step) = steps.next_if(|step| is_due(&step)) {
                active = let_disks_go(step.fault, cluster, active);
                if let Some((told, fault)) = put_on(step, cluster, &active, (passed, &done)) {
                    done.push(told);
                    active.push((now.plus(Duration::from_millis(step.lasts_ms)), fault));
                }
            } else if passed > Duration::from_millis(end_ms) && steps.peek().is_none() {
                return (done, active.into_iter().map(|(_, fault)| fault).collect());
            }
            rest(STEP);
        }
    }
}

/// Before a daemon is ended: a killed process does not end while somebody traces it.
fn let_disks_go(
    next: Fault,
    cluster: &mut Cluster,
    active: Vec<(BootMs, Active)>,
) -> Vec<(BootMs, Active)> {
    if next.part() != Part::Daemon {
        return active;
    }
    let (disks, others): (Vec<_>, Vec<_>) = active
        .into_iter()
        .partition(|(_, active)| active.fault.part() == Part::Disk);
    for (_, fault) in disks {
        fault.take_off(cluster);
    }
    others
}

fn put_on(
    step: &Step,
    cluster: &mut Cluster,
    active: &[(BootMs, Active)],
    (passed, before): (Duration, &[Done]),
) -> Option<(Done, Active)> {
    let (leader, voters) = cluster.standings();
    let node = match step.whom {
        Whom::Leader => leader?,
        Whom::Follower(choice) => {
            let others = (1..=cluster.size()).filter(|node| Some(*node) != leader);
            others.cycle().nth(choice)?
        }
        Whom::Node(node) => node,
    };
    let is_taken = |active: &&(BootMs, Active)| {
        let is_met = active.1.node == node || step.fault.is_common() || active.1.fault.is_common();
        is_met && active.1.fault.part() == step.fault.part()
    };
    if active.iter().any(|active| is_taken(&active)) {
        return None;
    }
    let at_ms = clock::boot().0;
    let fault = step.fault.put_on(cluster, node)?;
    let done = Done {
        at_ms,
        fault: step.fault,
        node,
        standing: if leader == Some(node) {
            Standing::Leader
        } else if voters.is_empty() || voters.contains(&node) {
            Standing::Follower
        } else {
            Standing::Host
        },
        phase: Phase::of(passed, leader, active, before),
    };
    Some((done, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let length = Duration::from_mins(1);
        let drawn = Nemesis::drawn(7, 3, length);
        assert_eq!(drawn, Nemesis::drawn(7, 3, length));
        assert_ne!(drawn, Nemesis::drawn(8, 3, length));
        assert!(drawn.steps.len() >= 15, "{drawn:?}");
        assert!(drawn.steps.iter().all(|step| step.at_ms < 60_000));
    }

    #[test]
    fn many_seeds_draw_every_fault() {
        let drawn: Vec<Step> = (0..20)
            .flat_map(|seed| Nemesis::drawn(seed, 3, Duration::from_mins(1)).steps)
            .collect();
        for fault in ALL {
            assert!(drawn.iter().any(|step| step.fault == fault), "{fault}");
        }
    }
}
