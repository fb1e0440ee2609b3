//! What needs an approval begins, and is done, only after it was given.

use rules::stage::{Approval, StageStatus};

use super::broken;
use crate::lab::Told;

pub fn what_needs_an_approval_begins_after_it(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        for stage in &case.stages {
            let began = matches!(
                stage.status,
                StageStatus::Assigned | StageStatus::Running | StageStatus::Done
            );
            let is_given = matches!(stage.approval, Approval::Given { .. });
            if began && stage.spec.approval.is_some() && !is_given {
                return broken(format!("{id}: nobody approved {stage:?}"));
            }
        }
    }
    Ok(())
}
