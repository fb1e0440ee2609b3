//! What all nodes together say to one pod.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kube::pod::Pod;

use super::asking::Asking;
use super::refusal::{Obstacle, Refusal};
use super::world::World;

/// The answer of one node.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The place of the node in the world.
    pub slot: usize,
    /// Its reasons, in the scheduler's order; none when it takes the pod.
    pub refusals: Vec<Refusal>,
}

impl Answer {
    /// Does the node refuse for reasons of this family and no other?
    pub fn is_only(&self, obstacle: Obstacle) -> bool {
        !self.refusals.is_empty() && self.refusals.iter().all(|r| r.obstacle == obstacle)
    }

    /// Is a reason of this family among the node's?
    pub fn has(&self, obstacle: Obstacle) -> bool {
        self.refusals.iter().any(|r| r.obstacle == obstacle)
    }

    /// The reasons in one line.
    pub fn shown(&self) -> String {
        let details: Vec<_> = self.refusals.iter().map(Refusal::detail).collect();
        details.join("; ")
    }
}

/// The answers of all nodes.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// One for each node.
    pub answers: Vec<Answer>,
}

impl Verdict {
    /// Asks every recorded node.
    pub fn of(world: &World<'_>, pod: &Pod) -> Self {
        let slots = (0..world.slots.len()).filter(|s| !world.slots[*s].is_new);
        let asking = Asking::of(world, pod);
        let answers = slots.map(|slot| Answer {
            slot,
            refusals: asking.refusals(slot),
        });
        Self {
            answers: answers.collect(),
        }
    }

    /// The nodes that take the pod.
    pub fn takers(&self) -> Vec<usize> {
        self.answers
            .iter()
            .filter(|a| a.refusals.is_empty())
            .map(|a| a.slot)
            .collect()
    }

    /// The answers with reasons of this family and no other.
    pub fn only(&self, obstacle: Obstacle) -> Vec<&Answer> {
        self.answers
            .iter()
            .filter(|a| a.is_only(obstacle))
            .collect()
    }

    /// `0/4 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient cpu.`,
    /// counted as the scheduler counts: each node for the first filter that refused it.
    pub fn shown(&self) -> String {
        let mut counts: BTreeMap<Cow<'static, str>, usize> = BTreeMap::new();
        for answer in &self.answers {
            let Some(first) = answer.refusals.first() else {
                continue;
            };
            if first.obstacle == Obstacle::Room {
                for refusal in answer
                    .refusals
                    .iter()
                    .filter(|r| r.obstacle == Obstacle::Room)
                {
                    *counts.entry(refusal.label()).or_default() += 1;
                }
            } else {
                *counts.entry(first.label()).or_default() += 1;
            }
        }
        let mut reasons: Vec<String> = counts.iter().map(|(l, n)| format!("{n} {l}")).collect();
        reasons.sort();
        let (takers, nodes) = (self.takers().len(), self.answers.len());
        if reasons.is_empty() {
            return format!("{takers}/{nodes} nodes are available.");
        }
        format!(
            "{takers}/{nodes} nodes are available: {}.",
            reasons.join(", ")
        )
    }
}
