//! The order of a playbook's stages: each `after` names a stage, and no stage waits for itself.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Page;
use super::playbook::PlaybookStage;
use super::yaml::Mark;
use crate::mistake::Wrong;
use crate::name::Name;
use crate::near::hint;

/// Complains about an `after` that names nothing or names twice, and about circles.
pub(super) fn check_order(page: &mut Page<'_>, stages: &[(Mark, PlaybookStage)]) {
    let known: BTreeSet<&Name> = stages.iter().map(|(_, stage)| &stage.name).collect();
    let mut is_whole = true;
    for (mark, stage) in stages {
        let mut seen = BTreeSet::new();
        for before in &stage.after {
            let wrong = if !known.contains(before) {
                let name = before.to_string();
                let hint = hint(&name, known.iter().map(|name| name.as_str()));
                let what = format!("in stage `{}`: the stage", stage.name);
                Wrong::UnknownName { what, name, hint }
            } else if !seen.insert(before) {
                Wrong::Twice {
                    what: format!("`{before}` in `after` of stage `{}`", stage.name),
                }
            } else {
                continue;
            };
            page.wrong(*mark, wrong);
            is_whole = false;
        }
    }
    if is_whole && let Some((mark, circle)) = find_circle(stages) {
        let path: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
        let sentence = format!(
            "stages wait for each other in a circle: {}",
            path.join(" after ")
        );
        page.wrong(mark, Wrong::Refused(sentence));
    }
}

/// Takes away whatever waits for nothing that is left; what remains at the end leads into a circle.
fn find_circle(stages: &[(Mark, PlaybookStage)]) -> Option<(Mark, Vec<&Name>)> {
    let mut waiting: BTreeMap<&Name, (Mark, Vec<&Name>)> = BTreeMap::new();
    for (mark, stage) in stages {
        waiting.insert(&stage.name, (*mark, stage.after.iter().collect()));
    }
    loop {
        let left: BTreeSet<&Name> = waiting.keys().copied().collect();
        waiting.retain(|_, (_, after)| after.iter().any(|before| left.contains(before)));
        if waiting.len() == left.len() {
            break;
        }
    }
    let mut walk: Vec<&Name> = vec![waiting.keys().next()?];
    loop {
        let here = walk[walk.len() - 1];
        let (_, after) = waiting.get(here)?;
        let next = after
            .iter()
            .copied()
            .find(|before| waiting.contains_key(before))?;
        let met = walk.iter().position(|name| *name == next);
        walk.push(next);
        if let Some(start) = met {
            let (mark, _) = waiting.get(next)?;
            return Some((*mark, walk.split_off(start)));
        }
    }
}
