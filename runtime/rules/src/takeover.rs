//! What leaves a node: its butlers when it is suspect or drained, its workers when it is down.
//!
//! ```text
//! suspect   butlers go; workers stay, bring what they run to its end and get nothing new
//! down      workers go too; what they ran is lost and tried again elsewhere
//! drained   butlers go; each worker goes once it runs nothing
//! unfit     where its targets' secrets are not: each worker goes once it runs nothing
//! ```
//!
//! # Invariant
//! Whoever leaves has a new epoch: what its old self says later is refused.
//!
//! # Why
//! A butler needs no lease, since the ledger refuses an outdated one; a worker's agent has effects
//! outside the ledger, so it is left where it is until the node's lease is surely over.

use crate::attempt::AttemptStatus;
use crate::duty::Subject;
use crate::id::{NodeId, TeamName, WorkerId};
use crate::node::Node;
use crate::state::Alarm;
use crate::step::Step;
use crate::target::misfit;
use crate::team::{AgentLimits, Team};

impl Step<'_> {
    /// Has all butlers of a node leave it.
    pub fn leave_by_butlers(&mut self, node: NodeId) {
        let Some(found) = self.state.nodes.get(&node) else {
            return;
        };
        for team in found.butlers.clone() {
            self.leave_team(&team);
        }
    }

    /// Has all workers of a node leave it; what they ran is lost.
    pub fn leave_by_workers(&mut self, node: NodeId, reason: &str) {
        let Some(found) = self.state.nodes.get(&node) else {
            return;
        };
        for worker in found.workers.clone() {
            self.lose_all(&worker, reason);
            self.move_out(&worker);
        }
    }

    /// Looks again at all workers of a node: whether they go, or go on.
    pub fn look_after_workers(&mut self, node: NodeId) {
        if let Some(found) = self.state.nodes.get(&node) {
            self.freed.extend(found.workers.iter().cloned());
        }
    }

    /// Looks again at all workers of teams: whether they go, or go on.
    pub fn look_after_teams(&mut self, teams: impl Iterator<Item = TeamName>) {
        for name in teams {
            let Some(team) = self.state.teams.get(&name) else {
                continue;
            };
            let workers = team.workers.iter().cloned();
            self.freed.extend(workers.map(|worker| WorkerId {
                team: name.clone(),
                name: worker,
            }));
        }
    }

    /// Has a worker that runs nothing leave its node, where that is drained or its agent could not
    /// reach its targets.
    pub fn leave_if_unfit(&mut self, id: &WorkerId) {
        let Some(worker) = self.state.workers.get(id) else {
            return;
        };
        let node = worker.placed.as_ref().map(|(node, _)| node);
        let Some(node) = node.and_then(|node| self.state.nodes.get(node)) else {
            return;
        };
        let is_unfit = node.is_drained() || misfit(self.state, node, &id.team).is_some();
        if worker.running.is_empty() && is_unfit {
            self.move_out(id);
        }
    }

    /// Takes a butler's place away: the next one, in a new epoch, may be elsewhere.
    pub fn leave_team(&mut self, name: &TeamName) {
        let epoch = self.state.new_epoch();
        let Some(team) = self.state.teams.get_mut(name) else {
            return;
        };
        team.epoch = epoch;
        if let Some((at, _)) = team.placed.take()
            && let Some(node) = self.state.nodes.get_mut(&at)
        {
            node.butlers.remove(name);
            self.touched.insert(Subject::Node(at));
        }
        self.touched.insert(Subject::Team(name.clone()));
        let cases = team.cases.iter().copied();
        self.touched.extend(cases.map(Subject::Case));
    }

    /// Takes a worker's place and container away; its next placement may be elsewhere.
    pub fn leave_worker(&mut self, id: &WorkerId) {
        let Some(worker) = self.state.workers.get_mut(id) else {
            return;
        };
        if let Some(since) = worker.idle_since.take() {
            let due = since.plus(worker.spec.idle_after_ms);
            self.state.alarms.remove(&(due, Alarm::Idle(id.clone())));
        }
        worker.is_awake = false;
        let takes = worker.spec.agent.limits;
        self.touched.insert(Subject::Worker(id.clone()));
        let Some((at, _)) = worker.placed.take() else {
            return;
        };
        if let Some(node) = self.state.nodes.get_mut(&at) {
            release(node, id, &takes);
            self.touched.insert(Subject::Node(at));
        }
        if let Some(team) = self.state.teams.get_mut(&id.team) {
            uncount(team, at);
        }
    }

    /// Has a worker that runs nothing leave its node, in a new epoch.
    pub fn move_out(&mut self, id: &WorkerId) {
        self.leave_worker(id);
        let epoch = self.state.new_epoch();
        if let Some(worker) = self.state.workers.get_mut(id) {
            debug_assert!(worker.running.is_empty(), "who runs something stays");
            worker.epoch = epoch;
        }
    }

    fn lose_all(&mut self, id: &WorkerId, reason: &str) {
        let Some(worker) = self.state.workers.get(id) else {
            return;
        };
        for attempt in worker.running.clone() {
            let Some(mut case) = self.state.cases.remove(&attempt.case) else {
                continue;
            };
            let status = AttemptStatus::Lost;
            self.fail_attempt(&mut case, attempt.number, status, None, reason);
            self.state.cases.insert(attempt.case, case);
        }
    }
}

/// Counts what a worker may take as promised.
pub(crate) fn promise(node: &mut Node, team: &mut Team, id: &WorkerId, takes: &AgentLimits) {
    node.workers.insert(id.clone());
    node.cpu_promised_milli += takes.cpu_milli;
    node.memory_promised_bytes += takes.memory_bytes;
    *team.spread.entry(node.facts.node).or_default() += 1;
}

/// Counts it as promised no more.
fn release(node: &mut Node, id: &WorkerId, takes: &AgentLimits) {
    node.workers.remove(id);
    node.cpu_promised_milli = node.cpu_promised_milli.saturating_sub(takes.cpu_milli);
    node.memory_promised_bytes = node
        .memory_promised_bytes
        .saturating_sub(takes.memory_bytes);
}

fn uncount(team: &mut Team, node: NodeId) {
    if let Some(count) = team.spread.get_mut(&node) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            team.spread.remove(&node);
        }
    }
}
