//! Statuses only move forward: cases and stages by (generation, status), attempts by status.

use super::broken;
use crate::lab::Told;

pub fn statuses_only_move_forward(told: &Told<'_>) -> Result<(), String> {
    for (id, old) in &told.before.cases {
        let closed = told.applied.closed.iter().find(|case| case.id == *id);
        let Some(new) = told.after.cases.get(id).or(closed) else {
            return broken(format!("case {id} is neither open nor archived"));
        };
        if (new.generation, new.status) < (old.generation, old.status) {
            return broken(format!("case {id} went back from {old:?} to {new:?}"));
        }
        for stage in old.all_stages() {
            let Some(later) = new.stage(&stage.spec.name) else {
                continue;
            };
            if (later.generation, later.status) < (stage.generation, stage.status) {
                return broken(format!("{id}: {stage:?} went back to {later:?}"));
            }
        }
        for (number, attempt) in &old.attempts {
            let Some(later) = new.attempts.get(number) else {
                return broken(format!("attempt {id}.{number} is gone"));
            };
            if later.status < attempt.status {
                return broken(format!("{id}: {attempt:?} went back to {later:?}"));
            }
            if !attempt.status.is_live() && later != attempt {
                return broken(format!("{id}: {attempt:?} was over and became {later:?}"));
            }
        }
        let is_same_start = new.history.events.first() == old.history.events.first();
        if !is_same_start || new.history.events.len() > rules::limits::MAX_HISTORY {
            return broken(format!("{id} lost its beginning or keeps too much"));
        }
    }
    Ok(())
}
