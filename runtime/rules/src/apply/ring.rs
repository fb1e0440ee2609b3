//! What the ledger's clock wakes: time limits of attempts, the end of a worker's idle
//! time, the end of a token's life, the end of the wait for a roster's rest, the end of a chaos run.

use crate::attempt::{AttemptOutcome, AttemptStatus};
use crate::duty::Subject;
use crate::history::failure;
use crate::id::{AttemptId, WorkerId};
use crate::state::Alarm;
use crate::step::Step;

impl Step<'_> {
    /// Rings every alarm whose time has come.
    pub fn ring_alarms(&mut self) {
        while self
            .state
            .alarms
            .first()
            .is_some_and(|(due, _)| *due <= self.state.clock)
        {
            match self.state.alarms.pop_first() {
                Some((_, Alarm::Deadline(attempt))) => self.time_out(attempt),
                Some((_, Alarm::Idle(worker))) => self.lay_to_sleep(&worker),
                Some((_, Alarm::Token(token))) => {
                    self.state.tokens.remove(&token);
                }
                Some((_, Alarm::HumanToken(human, token))) => {
                    self.state.people.take_token(&human, &token);
                }
                Some((_, Alarm::Roster(roster))) => {
                    self.state.people.staged.remove(&roster);
                }
                // The run was in its alarm.
                Some((_, Alarm::Chaos(_))) => {}
                None => return,
            }
        }
    }

    fn time_out(&mut self, id: AttemptId) {
        let Some(mut case) = self.state.cases.remove(&id.case) else {
            return;
        };
        if let Some(limit_ms) = case.attempts.get(&id.number).map(|found| found.limit_ms) {
            let outcome = AttemptOutcome::TimedOut { limit_ms };
            let reason = failure(&outcome);
            let status = AttemptStatus::Finished;
            self.fail_attempt(&mut case, id.number, status, Some(outcome), &reason);
        }
        self.state.cases.insert(id.case, case);
    }

    fn lay_to_sleep(&mut self, id: &WorkerId) {
        let Some(worker) = self.state.workers.get_mut(id) else {
            return;
        };
        worker.idle_since = None;
        worker.is_awake = false;
        self.touched.insert(Subject::Worker(id.clone()));
    }
}
