//! A case that is held, or over, starts nothing more.

use super::broken;
use crate::lab::Told;

pub fn held_and_ended_cases_start_nothing(told: &Told<'_>) -> Result<(), String> {
    for (id, new) in &told.after.cases {
        let Some(old) = told.before.cases.get(id) else {
            continue;
        };
        let is_held = old.is_paused && new.is_paused;
        if (is_held || old.ending.is_some()) && old.attempts.len() != new.attempts.len() {
            return broken(format!("{id} started something: {new:?}"));
        }
        if old.ending.is_some() && old.ending != new.ending {
            return broken(format!("{id} ends otherwise than it did"));
        }
    }
    Ok(())
}
