//! A case that is held, or over, starts nothing more; whatever waits can say for what.

use rules::stage::StageStatus;
use rules::why;

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

pub fn whatever_waits_can_say_for_what(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    for (id, case) in &state.cases {
        let runs = case.live_attempts().next().is_some();
        if why::case_waits(state, case).is_some() == runs {
            return broken(format!("{id} does not say what it waits for: {case:?}"));
        }
        for stage in case.all_stages() {
            let waits = matches!(stage.status, StageStatus::Pending | StageStatus::Parked);
            if why::stage_waits(state, case, stage).is_some() != waits {
                return broken(format!(
                    "{id}: it does not say what it waits for: {stage:?}"
                ));
            }
        }
    }
    Ok(())
}
