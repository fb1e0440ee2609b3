//! A case is due for its report exactly when nothing else is left of it to do.

use rules::case::CaseStatus;

use super::broken;
use crate::lab::Told;

pub fn a_case_is_reported_when_nothing_is_left(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        let is_reporting = case.status == CaseStatus::Reporting;
        let left = case.all_stages().find(|stage| !stage.status.is_final());
        if is_reporting != case.ending.is_some() || case.is_closed() {
            return broken(format!("{id} does not say how it ends: {case:?}"));
        }
        if is_reporting && (left.is_some() || case.live_attempts().next().is_some()) {
            return broken(format!("{id} is reporting and {left:?} is left"));
        }
        if !is_reporting && case.is_planned && left.is_none() {
            return broken(format!("nothing is left of {id}: {case:?}"));
        }
    }
    for case in &told.applied.closed {
        if !told.before.cases.contains_key(&case.id) || told.after.cases.contains_key(&case.id) {
            return broken(format!("{} was closed and is still there", case.id));
        }
    }
    Ok(())
}
