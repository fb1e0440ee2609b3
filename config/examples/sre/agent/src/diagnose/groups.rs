//! Equal pods that wait for a node, with what all nodes say to them.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::Key;
use crate::kube::pod::Pod;
use crate::kube::workload::WorkloadId;
use crate::schedule::pack::would_settle;
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Verdict;
use crate::schedule::world::World;

use super::focus::Focus;
use super::population::Population;

/// A result has room for fifty findings: four times that is looked at one by one.
const MAX_GROUPS: usize = 200;
/// Answers of nodes that are held in memory: an agent has a quarter of a gigabyte.
const MAX_ANSWERS: usize = 400_000;

/// Equal pods of one workload that wait for a node.
#[derive(Debug)]
pub struct Group<'a> {
    /// The workload.
    pub id: WorkloadId,
    /// The pods, at least one.
    pub pods: Vec<&'a Pod>,
    /// What the nodes say to any of them.
    pub verdict: Verdict,
    /// How many of them would fit when one family of reasons did not count, and where.
    pub without: BTreeMap<Obstacle, (usize, BTreeSet<usize>)>,
}

impl Group<'_> {
    /// `it` or `them`.
    pub fn it(&self) -> &'static str {
        if self.pods.len() == 1 { "it" } else { "them" }
    }

    /// `it asks` or `each asks`.
    pub fn asks(&self) -> &'static str {
        if self.pods.len() == 1 {
            "it asks"
        } else {
            "each asks"
        }
    }

    /// Would all of them fit without this family of reasons?
    pub fn is_cured_without(&self, obstacle: Obstacle) -> bool {
        self.without
            .get(&obstacle)
            .is_some_and(|(placed, _)| *placed == self.pods.len())
    }
}

/// The groups of the refused pods (which are in the scheduler's order), and the pods of all groups
/// that are too many; the groups that the brief speaks of come first, then the largest.
pub fn of<'a>(
    population: &Population<'_>,
    focus: &Focus,
    world: &mut World<'a>,
    refused: &[&'a Pod],
) -> (Vec<Group<'a>>, Vec<&'a Pod>) {
    let asked = focus.pods(population);
    let mut equal: BTreeMap<(WorkloadId, String), Vec<&'a Pod>> = BTreeMap::new();
    for pod in refused {
        equal
            .entry((population.workload(pod), wishes(pod)))
            .or_default()
            .push(pod);
    }
    let mut ranked: Vec<(WorkloadId, Vec<&'a Pod>)> = equal
        .into_iter()
        .map(|((id, _), pods)| (id, pods))
        .collect();
    ranked.sort_by_key(|(_, pods)| {
        (
            !pods.iter().any(|p| asked.contains(&p.key)),
            std::cmp::Reverse(pods.len()),
        )
    });
    let most = MAX_GROUPS
        .min(MAX_ANSWERS / world.slots.len().max(1))
        .max(1);
    let more = ranked.split_off(ranked.len().min(most));
    // A stateful set's pods differ by their claims and may get the same answers all the same.
    let mut groups: BTreeMap<(WorkloadId, String), (Vec<&'a Pod>, Verdict)> = BTreeMap::new();
    for (id, pods) in ranked {
        let verdict = Verdict::of(world, pods[0]);
        let sign = format!("{} {:?}", verdict.shown(), pods[0].requests);
        groups
            .entry((id, sign))
            .or_insert_with(|| (Vec::new(), verdict))
            .0
            .extend(pods);
    }
    let together = Together::of(world, refused);
    let groups = groups.into_iter().map(|((id, _), (pods, verdict))| {
        let without = without(world, &together, &pods, &verdict);
        Group {
            id,
            pods,
            verdict,
            without,
        }
    });
    (
        groups.collect(),
        more.into_iter().flat_map(|(_, pods)| pods).collect(),
    )
}

/// All of a pod that decides where it may run.
fn wishes(pod: &Pod) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {}",
        pod.requests,
        pod.placement,
        pod.claims,
        pod.labels,
        pod.host_ports(),
        pod.priority
    )
}

/// Where all waiting pods together would go if nodes came back or were uncordoned.
///
/// These are cures of the nodes: all pods share what they free.
struct Together {
    healthy: BTreeMap<Key, usize>,
    uncordoned: BTreeMap<Key, usize>,
}

impl Together {
    fn of<'a>(world: &mut World<'a>, refused: &[&'a Pod]) -> Self {
        let ill = world.slots.iter().any(|s| {
            s.node.unready().is_some()
                || !s.node.pressures().is_empty()
                || s.node
                    .taints
                    .iter()
                    .any(crate::kube::placement::Taint::is_of_health)
        });
        let cordoned = world.slots.iter().any(|s| s.node.is_cordoned);
        let mut together = Self {
            healthy: BTreeMap::new(),
            uncordoned: BTreeMap::new(),
        };
        if ill {
            // When a node comes back, the pods that are being deleted on it go at last.
            let settled = would_settle(&mut world.relieved(), refused, &[Obstacle::Health]);
            together.healthy = settled.into_iter().collect();
        }
        if cordoned {
            let settled = would_settle(world, refused, &[Obstacle::Cordon]);
            together.uncordoned = settled.into_iter().collect();
        }
        together
    }
}

/// What would come of it if one family of reasons did not count.
fn without<'a>(
    world: &mut World<'a>,
    together: &Together,
    pods: &[&'a Pod],
    verdict: &Verdict,
) -> BTreeMap<Obstacle, (usize, BTreeSet<usize>)> {
    let mut without = BTreeMap::new();
    for answer in &verdict.answers {
        for refusal in &answer.refusals {
            without
                .entry(refusal.obstacle)
                .or_insert((0, BTreeSet::new()));
        }
    }
    without.remove(&Obstacle::Room);
    for (obstacle, (placed, slots)) in &mut without {
        let of_node = match obstacle {
            Obstacle::Health => Some(&together.healthy),
            Obstacle::Cordon => Some(&together.uncordoned),
            Obstacle::Room
            | Obstacle::Taint
            | Obstacle::Port
            | Obstacle::Apart
            | Obstacle::Spread
            | Obstacle::Near
            | Obstacle::Volume
            | Obstacle::Selector
            | Obstacle::ControlPlane => None,
        };
        let own: Vec<usize> = if let Some(settled) = of_node {
            pods.iter()
                .filter_map(|p| settled.get(&p.key).copied())
                .collect()
        } else {
            let settled = would_settle(world, pods, &[*obstacle]);
            settled.into_iter().map(|(_, slot)| slot).collect()
        };
        *placed = own.len();
        slots.extend(own);
    }
    without
}
