//! Texts are erased of closed cases only, and once it is said that they are, it stays said.

use super::broken;
use crate::lab::Told;

pub fn what_is_erased_is_closed_and_stays_erased(told: &Told<'_>) -> Result<(), String> {
    let (before, after) = (told.before, told.after);
    if let Some(case) = before.erased.difference(&after.erased).next() {
        return broken(format!("{case} is said to be erased no more"));
    }
    for case in &after.erased {
        if after.cases.contains_key(case) || *case >= after.next_case {
            return broken(format!("{case} is erased and was not closed"));
        }
    }
    Ok(())
}
