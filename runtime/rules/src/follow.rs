//! What follows from a change by itself: ready stages get a free worker, hopeless ones are skipped,
//! a case with nothing left to do is due for its report.
//!
//! # Why
//! This is part of `apply`, not a butler's command: it needs no judgement, so it needs no actor
//! that could be dead, and a stage's result and the next stage's start are one entry, one fsync.
//! The road not taken, an `assign_stage` command by the butler, cost an entry for each stage and
//! stopped a team's running cases with its butler.
//!
//! # Invariant
//! After each entry no stage waits that could run: a free worker and a stage that it can do never
//! wait for each other.

use std::collections::BTreeSet;

use crate::attempt::{Attempt, AttemptStatus};
use crate::case::{Case, CaseOutcome, CaseStatus, WaitingFor};
use crate::duty::Subject;
use crate::history::Happened;
use crate::id::{AttemptId, CaseId, StageName, TeamName, WorkerId};
use crate::limits;
use crate::plan::members;
use crate::stage::{Approval, Need, OnFailure, Stage, StageStatus};
use crate::state::Alarm;
use crate::step::Step;
use crate::team::Team;
use crate::worker::Worker;

impl Step<'_> {
    /// Follows up everything that the entry has set going.
    pub fn follow(&mut self) {
        loop {
            if let Some(case) = self.unsettled.pop_first() {
                self.settle(case);
            } else if let Some(worker) = self.freed.pop_first() {
                self.leave_if_unfit(&worker);
                self.refill(&worker);
            } else {
                break;
            }
        }
    }

    fn settle(&mut self, id: CaseId) {
        let Some(mut case) = self.state.cases.remove(&id) else {
            return;
        };
        self.touched.insert(Subject::Case(id));
        if !case.is_closed() {
            self.skip_blocked(&mut case);
            if case.ending.is_none() && !case.is_paused {
                self.offer_ready(&mut case);
            }
            conclude(&mut case);
            if case.ending.is_some() {
                self.skip_rest(&mut case);
            }
            let status = status(&case);
            case.set_status(status);
        }
        self.state.cases.insert(id, case);
    }

    /// Skips what can never begin, and what leans on that.
    fn skip_blocked(&mut self, case: &mut Case) {
        loop {
            let lost = hopeless(case);
            if lost.is_empty() {
                break;
            }
            for (name, blocker) in lost {
                let reason = format!("stage {blocker} has no result");
                self.skip(case, name, reason);
            }
        }
    }

    /// Skips what is left of a case that ends early.
    fn skip_rest(&mut self, case: &mut Case) {
        let left: Vec<StageName> = case
            .all_stages()
            .filter(|stage| !stage.status.is_final())
            .map(|stage| stage.spec.name.clone())
            .collect();
        for name in left {
            self.skip(case, name, "the case ended before it".to_owned());
        }
    }

    fn skip(&mut self, case: &mut Case, name: StageName, reason: String) {
        self.unqueue(case, &name);
        if let Some(stage) = case.stage_mut(&name) {
            stage.end(StageStatus::Skipped, &reason);
        }
        self.note(case, Happened::Skipped(name, reason));
    }

    /// Gives ready stages to free workers; the others wait in their team's queue.
    fn offer_ready(&mut self, case: &mut Case) {
        let Some(team) = case.team.clone() else {
            return;
        };
        let names: Vec<StageName> = ready(case)
            .into_iter()
            .map(|stage| stage.spec.name.clone())
            .collect();
        for name in names {
            let Some(stage) = case.stage_mut(&name) else {
                continue;
            };
            if stage.spec.approval.is_some() && !matches!(stage.approval, Approval::Given { .. }) {
                if stage.approval == Approval::NotAsked {
                    stage.approval = Approval::Asked;
                    self.note(case, Happened::ApprovalAsked(name));
                }
                continue;
            }
            let need = stage.spec.need.clone();
            match self.taker(&team, &need, &(case.id, name.clone())) {
                Some(worker) => self.assign(case, &name, &worker),
                None => {
                    if let Some(team) = self.state.teams.get_mut(&team) {
                        team.queue.entry(need).or_default().insert((case.id, name));
                    }
                }
            }
        }
    }

    /// The free worker of the team that has least to do, an awake one rather than one that sleeps;
    /// none that has just become free while somebody older waits for it.
    fn taker(&self, team: &TeamName, need: &Need, stage: &(CaseId, StageName)) -> Option<WorkerId> {
        let team = self.state.teams.get(team)?;
        let is_next = |worker: &&Worker| {
            !self.freed.contains(&worker.spec.id)
                || oldest(team, worker).is_none_or(|oldest| stage < oldest)
        };
        members(self.state, team)
            .filter(|worker| worker.can(need) && self.state.has_room(worker))
            .filter(is_next)
            .min_by_key(|worker| (worker.running.len(), !worker.is_awake))
            .map(|worker| worker.spec.id.clone())
    }

    fn assign(&mut self, case: &mut Case, name: &StageName, id: &WorkerId) {
        self.unqueue(case, name);
        let number = u32::try_from(case.attempts.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let brief_version = case.brief_version();
        let case_id = case.id;
        let Some(stage) = case.stage_mut(name) else {
            return;
        };
        if number > limits::MAX_CASE_ATTEMPTS {
            let reason = format!(
                "the case has used all its {} attempts",
                limits::MAX_CASE_ATTEMPTS
            );
            stage.end(StageStatus::Failed, &reason);
            self.note(case, Happened::Failed(name.clone(), reason));
            self.unsettled.insert(case_id);
            return;
        }
        let Some(worker) = self.state.workers.get_mut(id) else {
            return;
        };
        let Some((node, _)) = worker.placed else {
            return;
        };
        let attempt = AttemptId {
            case: case_id,
            number,
        };
        let wall_ms = worker.spec.agent.limits.wall_ms;
        let limit_ms = stage.spec.limit_ms.unwrap_or(wall_ms).min(wall_ms);
        let deadline = self.state.clock.plus(limit_ms);
        stage.status = StageStatus::Assigned;
        stage.attempt = Some(number);
        if let Some(since) = worker.idle_since.take() {
            let due = since.plus(worker.spec.idle_after_ms);
            self.state.alarms.remove(&(due, Alarm::Idle(id.clone())));
        }
        worker.is_awake = true;
        worker.running.insert(attempt);
        self.state
            .alarms
            .insert((deadline, Alarm::Deadline(attempt)));
        self.touched.insert(Subject::Worker(id.clone()));
        case.attempts.insert(
            number,
            Attempt {
                stage: name.clone(),
                worker: id.clone(),
                epoch: worker.epoch,
                node,
                brief_version,
                status: AttemptStatus::Assigned,
                limit_ms,
                deadline,
                assigned_wall_ms: self.wall_ms,
                ended_wall_ms: None,
                outcome: None,
                messages: Vec::new(),
            },
        );
        self.note(
            case,
            Happened::Assigned(name.clone(), number, id.name.clone(), node),
        );
    }

    /// Gives a worker with room the oldest stages that wait for what it can do.
    fn refill(&mut self, id: &WorkerId) {
        loop {
            let Some(worker) = self.state.workers.get(id) else {
                return;
            };
            if !self.state.has_room(worker) {
                return;
            }
            let Some(team) = self.state.teams.get(&id.team) else {
                return;
            };
            let next = oldest(team, worker).cloned();
            let Some((case_id, stage)) = next else { return };
            let Some(mut case) = self.state.cases.remove(&case_id) else {
                return;
            };
            self.assign(&mut case, &stage, id);
            self.state.cases.insert(case_id, case);
            self.unsettled.insert(case_id);
        }
    }

    /// Takes a stage out of its team's queue, if it is there.
    pub fn unqueue(&mut self, case: &Case, name: &StageName) {
        let (Some(team), Some(stage)) = (&case.team, case.stage(name)) else {
            return;
        };
        let Some(team) = self.state.teams.get_mut(team) else {
            return;
        };
        if let Some(queue) = team.queue.get_mut(&stage.spec.need) {
            queue.remove(&(case.id, name.clone()));
            if queue.is_empty() {
                team.queue.remove(&stage.spec.need);
            }
        }
    }
}

/// Stages that can never begin, each with the one that is in its way.
fn hopeless(case: &Case) -> Vec<(StageName, StageName)> {
    let blockers: BTreeSet<&StageName> = case
        .stages
        .iter()
        .filter(|stage| stage.blocks())
        .map(|stage| &stage.spec.name)
        .collect();
    if blockers.is_empty() {
        return Vec::new();
    }
    case.stages
        .iter()
        .filter(|stage| stage.status == StageStatus::Pending)
        .filter_map(|stage| {
            let blocker = stage
                .spec
                .after
                .iter()
                .find(|name| blockers.contains(name))?;
            Some((stage.spec.name.clone(), blocker.clone()))
        })
        .collect()
}

/// Stages that wait for nothing of their own case.
fn ready(case: &Case) -> Vec<&Stage> {
    let waits = |stage: &&Stage| stage.status == StageStatus::Pending;
    if !case.is_planned {
        return case.planning.iter().filter(waits).collect();
    }
    let passed: BTreeSet<&StageName> = case
        .stages
        .iter()
        .filter(|stage| stage.lets_pass())
        .map(|stage| &stage.spec.name)
        .collect();
    case.stages
        .iter()
        .filter(waits)
        .filter(|stage| stage.spec.after.iter().all(|name| passed.contains(name)))
        .collect()
}

/// The oldest stage of the team's queue that a worker can do.
fn oldest<'a>(team: &'a Team, worker: &Worker) -> Option<&'a (CaseId, StageName)> {
    let needs = worker.needs_met().into_iter();
    needs
        .filter_map(|need| team.queue.get(&need)?.first())
        .min()
}

/// Sets how the case will end, where nothing is left to do.
fn conclude(case: &mut Case) {
    if case.ending.is_some() {
        return;
    }
    if !case.is_planned {
        if let Some(planning) = &case.planning
            && planning.status == StageStatus::Failed
        {
            let why = planning.reason.clone().unwrap_or_default();
            case.ending = Some(CaseOutcome::Failed);
            case.ending_reason = Some(format!("no plan could be made: {why}"));
        }
        return;
    }
    if case.stages.iter().all(|stage| stage.status.is_final()) {
        let failed = case
            .stages
            .iter()
            .find(|s| s.status == StageStatus::Failed && s.spec.on_failure == OnFailure::Fail);
        case.ending = Some(match failed {
            Some(stage) => {
                let why = stage.reason.clone().unwrap_or_default();
                case.ending_reason = Some(format!("stage {} failed: {why}", stage.spec.name));
                CaseOutcome::Failed
            }
            None => CaseOutcome::Succeeded,
        });
    }
}

/// The status that follows from the rest of the case.
fn status(case: &Case) -> CaseStatus {
    if case.ending.is_some() {
        return CaseStatus::Reporting;
    }
    if case.is_paused {
        return CaseStatus::Waiting(WaitingFor::Resume);
    }
    if !case.is_planned {
        return CaseStatus::Open;
    }
    let is_live = case.live_attempts().next().is_some();
    let asks =
        |stage: &Stage| stage.status == StageStatus::Pending && stage.approval == Approval::Asked;
    let asked = case.stages.iter().any(asks);
    let is_parked = |stage: &Stage| stage.status == StageStatus::Parked;
    let parked = case.stages.iter().any(is_parked);
    let waits = ready(case).into_iter().any(|stage| !asks(stage));
    if parked && !is_live && !waits {
        CaseStatus::Waiting(WaitingFor::Settlement)
    } else if asked && !is_live && !waits {
        CaseStatus::Waiting(WaitingFor::Approval)
    } else if case
        .stages
        .iter()
        .all(|stage| stage.status == StageStatus::Pending && stage.reason.is_none())
    {
        CaseStatus::Planned
    } else {
        CaseStatus::Running
    }
}
