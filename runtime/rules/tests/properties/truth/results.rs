//! One accepted result for each stage; only a new round of planning has another.

use rules::stage::StageStatus;

use super::broken;
use crate::lab::Told;

pub fn a_stage_has_one_accepted_result(told: &Told<'_>) -> Result<(), String> {
    for (id, new) in &told.after.cases {
        for stage in new.all_stages() {
            if stage.result.is_some() != (stage.status == StageStatus::Done) {
                return broken(format!("{id}: the result does not fit to {stage:?}"));
            }
        }
        let Some(old) = told.before.cases.get(id) else {
            continue;
        };
        for stage in &old.stages {
            let later = new.stage(&stage.spec.name);
            if stage.result.is_some() && later.map(|later| &later.result) != Some(&stage.result) {
                return broken(format!("{id}: the result of {stage:?} became {later:?}"));
            }
        }
        if let (Some(planning), Some(later)) = (&old.planning, &new.planning)
            && planning.result.is_some()
            && planning.result != later.result
            && planning.generation >= later.generation
        {
            return broken(format!("{id}: the plan changed within its round"));
        }
    }
    Ok(())
}
