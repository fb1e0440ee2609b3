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

use crate::attempt::{Attempt, AttemptOutcome, AttemptStatus};
use crate::case::{Case, CaseOutcome, CaseStatus, PLANNING, WaitingFor};
use crate::duty::Subject;
use crate::history::Happened;
use crate::id::{AttemptId, CaseId, StageName, TeamName, WorkerId};
use crate::limits;
use crate::plan::members;
use crate::stage::{Approval, Need, OnFailure, Stage, StageSpec, StageStatus};
use crate::state::{Alarm, State};
use crate::step::Step;
use crate::team::Team;

impl Step<'_> {
    /// Follows up everything that the entry has set going.
    pub fn follow(&mut self) {
        loop {
            if let Some(case) = self.unsettled.pop_first() {
                self.settle(case);
            } else if let Some(worker) = self.freed.pop_first() {
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
            // Offering may have ended a stage at a limit; what leans on it is skipped now.
            self.skip_blocked(&mut case);
            conclude(&mut case);
            let status = status(&case);
            case.set_status(status);
        }
        self.state.cases.insert(id, case);
    }

    fn skip_blocked(&mut self, case: &mut Case) {
        loop {
            let blocked = case.stages.iter().find_map(|stage| {
                let blocker = stage.spec.after.iter().find(|name| {
                    case.stages
                        .iter()
                        .any(|other| other.spec.name == **name && other.blocks())
                })?;
                (stage.status == StageStatus::Pending)
                    .then(|| (stage.spec.name.clone(), blocker.clone()))
            });
            let Some((name, blocker)) = blocked else {
                break;
            };
            let reason = format!("stage {blocker} has no result");
            self.unqueue(case, &name);
            if let Some(stage) = case.stage_mut(&name) {
                stage.end(StageStatus::Skipped, &reason);
            }
            self.note(case, Happened::Skipped(name, reason));
        }
    }

    /// Gives ready stages to free workers; the others wait in their team's queue.
    fn offer_ready(&mut self, case: &mut Case) {
        let Some(team) = case.team.clone() else {
            return;
        };
        for name in ready(case) {
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
            match free_worker(self.state, &team, &need) {
                Some(worker) => self.assign(case, &name, &worker),
                None => {
                    if let Some(team) = self.state.teams.get_mut(&team) {
                        team.queue.entry(need).or_default().insert((case.id, name));
                    }
                }
            }
        }
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
        let deadline = self.state.clock.plus(stage.spec.limit_ms);
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
                deadline,
                assigned_wall_ms: self.wall_ms,
                ended_wall_ms: None,
                outcome: None,
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
            if !worker.is_free() {
                return;
            }
            let Some(team) = self.state.teams.get(&id.team) else {
                return;
            };
            let next = worker
                .needs_met()
                .into_iter()
                .filter_map(|need| {
                    team.queue
                        .get(&need)
                        .and_then(|queue| queue.first())
                        .cloned()
                })
                .min();
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

    /// Ends a live attempt and frees its worker; what becomes of the stage is the caller's matter.
    pub fn end_attempt(
        &mut self,
        case: &mut Case,
        number: u32,
        status: AttemptStatus,
        outcome: Option<AttemptOutcome>,
    ) {
        let id = AttemptId {
            case: case.id,
            number,
        };
        let Some(attempt) = case.attempts.get_mut(&number) else {
            return;
        };
        debug_assert!(attempt.status.is_live() && !status.is_live());
        attempt.status = status;
        attempt.outcome = outcome;
        attempt.ended_wall_ms = Some(self.wall_ms);
        self.state
            .alarms
            .remove(&(attempt.deadline, Alarm::Deadline(id)));
        let worker_id = attempt.worker.clone();
        if let Some(worker) = self.state.workers.get_mut(&worker_id) {
            worker.running.remove(&id);
            if worker.running.is_empty() && worker.is_awake {
                let now = self.state.clock;
                worker.idle_since = Some(now);
                let due = now.plus(worker.spec.idle_after_ms);
                self.state
                    .alarms
                    .insert((due, Alarm::Idle(worker_id.clone())));
            }
        }
        self.touched.insert(Subject::Worker(worker_id.clone()));
        self.freed.insert(worker_id);
        self.unsettled.insert(case.id);
    }

    /// Ends an attempt that failed by itself, and has its stage tried again while it may be.
    pub fn fail_attempt(
        &mut self,
        case: &mut Case,
        number: u32,
        status: AttemptStatus,
        outcome: Option<AttemptOutcome>,
        reason: &str,
    ) {
        let Some(name) = case
            .attempts
            .get(&number)
            .map(|attempt| attempt.stage.clone())
        else {
            return;
        };
        self.end_attempt(case, number, status, outcome);
        self.note(
            case,
            Happened::AttemptFailed(name.clone(), number, reason.to_owned()),
        );
        let Some(stage) = case.stage_mut(&name) else {
            return;
        };
        if status == AttemptStatus::Lost {
            stage.lost_attempts += 1;
        } else {
            stage.failed_attempts += 1;
        }
        if stage.failed_attempts < stage.spec.attempts && stage.lost_attempts < limits::MAX_LOST {
            stage.again(reason);
        } else {
            stage.end(StageStatus::Failed, reason);
            self.note(case, Happened::Failed(name, reason.to_owned()));
        }
    }

    /// Takes a live attempt back without a blame on its stage, which is then free for another.
    pub fn supersede(&mut self, case: &mut Case, number: u32, reason: &str) {
        let Some(name) = case
            .attempts
            .get(&number)
            .map(|attempt| attempt.stage.clone())
        else {
            return;
        };
        self.end_attempt(case, number, AttemptStatus::Superseded, None);
        if let Some(stage) = case.stage_mut(&name) {
            stage.again(reason);
        }
        self.note(case, Happened::Superseded(name, number, reason.to_owned()));
    }
}

/// Stages that wait for nothing of their own case.
fn ready(case: &Case) -> Vec<StageName> {
    let waits = |stage: &&Stage| stage.status == StageStatus::Pending;
    if !case.is_planned {
        return case
            .planning
            .iter()
            .filter(waits)
            .map(|s| s.spec.name.clone())
            .collect();
    }
    let passes = |name: &StageName| {
        case.stages
            .iter()
            .any(|s| s.spec.name == *name && s.lets_pass())
    };
    case.stages
        .iter()
        .filter(waits)
        .filter(|stage| stage.spec.after.iter().all(passes))
        .map(|stage| stage.spec.name.clone())
        .collect()
}

/// The free worker of the team that has least to do; an awake one rather than one that sleeps.
fn free_worker(state: &State, team: &TeamName, need: &Need) -> Option<WorkerId> {
    members(state, state.teams.get(team)?)
        .filter(|worker| worker.can(need) && worker.is_free())
        .min_by_key(|worker| (worker.running.len(), !worker.is_awake))
        .map(|worker| worker.spec.id.clone())
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
    let could_run =
        |stage: &Stage| stage.status == StageStatus::Pending && stage.approval != Approval::Asked;
    let asked = case
        .stages
        .iter()
        .any(|stage| stage.status == StageStatus::Pending && stage.approval == Approval::Asked);
    let waits = ready(case)
        .iter()
        .filter_map(|name| case.stage(name))
        .any(could_run);
    if asked && !is_live && !waits {
        CaseStatus::Waiting(WaitingFor::Approval)
    } else if case
        .stages
        .iter()
        .all(|stage| stage.status == StageStatus::Pending)
    {
        CaseStatus::Planned
    } else {
        CaseStatus::Running
    }
}

/// How long the butler's agent may take to plan: five minutes of a model's thinking.
const PLANNING_LIMIT_MS: u64 = 300_000;
/// Attempts at planning that may fail by themselves; a plan that is sent back counts apart.
const PLANNING_ATTEMPTS: u32 = 2;

/// Stage 0: the planning by the butler's own agent, where it has one.
pub(crate) fn planning_stage(team: &Team) -> Option<Stage> {
    team.spec.agent.as_ref()?;
    let name = StageName::new(PLANNING).ok()?;
    Some(Stage::new(StageSpec {
        name,
        title: "plan the case".to_owned(),
        need: Need::Butler,
        after: Vec::new(),
        limit_ms: PLANNING_LIMIT_MS,
        attempts: PLANNING_ATTEMPTS,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    }))
}
