//! How attempts end: their worker is free for another, their stage is done, tried again or over.

use crate::attempt::{AttemptOutcome, AttemptStatus};
use crate::case::Case;
use crate::duty::Subject;
use crate::history::Happened;
use crate::id::{AttemptId, StageName};
use crate::limits;
use crate::parked::Then;
use crate::state::Alarm;
use crate::step::Step;

impl Step<'_> {
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
        attempt.messages.clear();
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
        let has_more =
            stage.failed_attempts < stage.spec.attempts && stage.lost_attempts < limits::MAX_LOST;
        let then = if has_more {
            Then::Again
        } else {
            Then::Fail(reason.to_owned())
        };
        self.go_on(case, &name, then, reason);
    }

    /// Takes a live attempt back without a blame on its stage, which is then free for another.
    pub fn supersede(&mut self, case: &mut Case, number: u32, reason: &str) {
        if let Some(name) = self.take_back(case, number, reason) {
            self.go_on(case, &name, Then::Again, reason);
        }
    }

    /// Takes a live attempt back, and names its stage, which is the caller's matter.
    pub fn take_back(&mut self, case: &mut Case, number: u32, reason: &str) -> Option<StageName> {
        let name = case.attempts.get(&number)?.stage.clone();
        self.end_attempt(case, number, AttemptStatus::Superseded, None);
        let what = Happened::Superseded(name.clone(), number, reason.to_owned());
        self.note(case, what);
        Some(name)
    }
}
