//! A worker as the rules see it: what it shall be, where it is, what it runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{AttemptId, ClockMs, Epoch, NodeId, SkillName};
use crate::stage::Need;
use crate::team::WorkerSpec;

/// A worker of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// What people said of it.
    pub spec: WorkerSpec,
    /// Whether this is the slot of a butler's own agent: it plans, and takes no other stage.
    pub is_butler_slot: bool,
    /// Its node, and why there.
    pub placed: Option<(NodeId, String)>,
    /// The number of its placement; its container belongs to one of them.
    pub epoch: Epoch,
    /// Whether its container shall run.
    pub is_awake: bool,
    /// Since when it is awake without work.
    pub idle_since: Option<ClockMs>,
    /// Its live attempts.
    pub running: BTreeSet<AttemptId>,
}

impl Worker {
    /// Whether it can do what is needed.
    pub fn can(&self, need: &Need) -> bool {
        match need {
            Need::Worker(name) => !self.is_butler_slot && *name == self.spec.id.name,
            Need::Skill(skill) => !self.is_butler_slot && self.has(skill),
            Need::Butler => self.is_butler_slot,
        }
    }

    fn has(&self, skill: &SkillName) -> bool {
        self.spec.agent.skills.contains_key(skill)
    }

    /// All needs that it meets.
    pub(crate) fn needs_met(&self) -> Vec<Need> {
        if self.is_butler_slot {
            return vec![Need::Butler];
        }
        let mut met = vec![Need::Worker(self.spec.id.name.clone())];
        met.extend(self.spec.agent.skills.keys().cloned().map(Need::Skill));
        met
    }
}
