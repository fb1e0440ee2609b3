//! A human changes what is to be done: the brief gets a new version beside the old ones.
//!
//! # Why
//! What runs would answer a question that is no longer asked: it is superseded. What is done
//! stands, with the version that it answered. The butler plans the rest anew, as a new
//! generation, and so must take notice.

use crate::blobs;
use crate::case::{Attachment, Brief, CaseStatus};
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::limits;
use crate::planning;
use crate::stage::Approval;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::{fence, open_case};

pub(super) fn apply(
    step: &mut Step<'_>,
    id: CaseId,
    brief: &Brief,
    attachments: &[Attachment],
) -> Verdict {
    fence::human(step)?;
    open_case::text("brief", &brief.text)?;
    let case = fence::unfinished(step, id)?;
    if case.briefs.len() >= limits::MAX_BRIEFS {
        return Err(over("max_briefs", limits::MAX_BRIEFS));
    }
    let mut all = case.attachments.clone();
    all.extend(attachments.iter().cloned());
    open_case::attachable(&all)?;
    let named = blobs::of_wish(brief, attachments);
    let bytes = open_case::affordable(step.state, case.team.as_ref(), Some(case), named)?;
    let team = case
        .team
        .as_ref()
        .and_then(|team| step.state.teams.get(team));
    if let Some(team) = team {
        planning::is_possible(team, case.playbook.as_ref())?;
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    open_case::charge(step, &mut case, bytes);
    case.briefs.push(brief.clone());
    case.attachments = all;
    let version = case.brief_version();
    step.note(&mut case, Happened::Amended(version));
    let live: Vec<u32> = case.live_attempts().map(|(number, _)| number).collect();
    for number in live {
        step.supersede(&mut case, number, "the brief was amended");
    }
    let names: Vec<StageName> = case
        .all_stages()
        .map(|stage| stage.spec.name.clone())
        .collect();
    for name in names {
        step.unqueue(&case, &name);
    }
    case.generation += 1;
    case.is_planned = false;
    case.plan_refusals.clear();
    for stage in &mut case.stages {
        if !stage.status.is_final() {
            // Whoever approves shall see the new plan.
            stage.approval = Approval::NotAsked;
        }
    }
    let team = case
        .team
        .as_ref()
        .and_then(|team| step.state.teams.get(team));
    if let Some(team) = team {
        planning::prepare(team, &mut case);
    }
    case.status = CaseStatus::Open;
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::Done)
}
