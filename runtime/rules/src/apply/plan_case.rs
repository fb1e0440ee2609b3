//! A butler plans a case: once for each generation that needs a plan.
//!
//! # Why
//! A plan that breaks the rules is not rejected but *refused*: it is kept with its reasons and
//! goes back to the agent that made it, so many times and no more.

use crate::case::{Case, CaseOutcome};
use crate::command::Plan;
use crate::history::Happened;
use crate::id::CaseId;
use crate::parked::Then;
use crate::plan;
use crate::planning;
use crate::stage::{Stage, StageSpec, StageStatus};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, refuse_plan};

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, generation: u32, from: &Plan) -> Verdict {
    let case = fence::of_generation(step, id, generation)?;
    if case.is_planned {
        // Said twice: the first plan stands, and it was this one or one as good.
        return Ok(Outcome::Done);
    }
    fence::unfinished(step, id)?;
    let team = case
        .team
        .as_ref()
        .and_then(|team| step.state.teams.get(team));
    let Some(team) = team else {
        return Err(Rejection::NoCase(id));
    };
    is_due(case, from)?;
    let mut faults = Vec::new();
    let stages: Vec<StageSpec> = match from {
        Plan::Agent(stages) => stages.clone(),
        Plan::Playbook(name) => {
            let found = team.playbooks.get(name);
            if found.is_none() {
                faults.push(planning::missing(team, name));
            }
            found.map_or_else(Vec::new, |playbook| playbook.stages.clone())
        }
    };
    if faults.is_empty() {
        faults.extend(plan::faults(&stages));
        faults.extend(plan::lacks(step.state, team, &stages));
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    let outcome = if faults.is_empty() {
        take(step, &mut case, stages);
        Outcome::Done
    } else {
        match from {
            Plan::Agent(_) => Outcome::PlanRefused(refuse_plan::refuse(step, &mut case, &faults)),
            Plan::Playbook(name) => {
                case.ending = Some(CaseOutcome::Failed);
                let reason = format!(
                    "playbook {name} cannot be carried out: {}",
                    faults.join("; ")
                );
                case.ending_reason = Some(reason);
                step.note(&mut case, Happened::PlanRefused(faults.clone()));
                Outcome::PlanRefused(faults)
            }
        }
    };
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(outcome)
}

/// Whether a plan from there is what the case waits for.
fn is_due(case: &Case, from: &Plan) -> Result<(), Rejection> {
    let planning = case.planning.as_ref().map(|planning| planning.status);
    let is = match (from, planning, &case.playbook) {
        (Plan::Agent(_), Some(StageStatus::Done), _) => return Ok(()),
        (Plan::Playbook(name), None, Some(asked)) if name == asked => return Ok(()),
        (Plan::Agent(_), Some(_), _) => "still thought about by the butler's agent".to_owned(),
        (Plan::Playbook(_), Some(_), _) => "the butler's agent's to make".to_owned(),
        (_, None, Some(asked)) => format!("that of playbook {asked}"),
        (_, None, None) => "nobody's to make".to_owned(),
    };
    let what = format!("the plan of {}", case.id);
    Err(Rejection::WrongState { what, is })
}

/// Takes the plan; stages that are done already, by name, stand as they are.
fn take(step: &mut Step<'_>, case: &mut Case, specs: Vec<StageSpec>) {
    let count = u32::try_from(specs.len()).unwrap_or(u32::MAX);
    let mut old = std::mem::take(&mut case.stages);
    let mut stages: Vec<Stage> = Vec::with_capacity(specs.len());
    for spec in specs {
        let found = old.iter().position(|stage| stage.spec.name == spec.name);
        stages.push(match found.map(|at| old.swap_remove(at)) {
            Some(done) if done.status == StageStatus::Done => done,
            Some(parked) if parked.parked.is_some() => still_parked(parked, spec, Then::Again),
            Some(other) => Stage {
                generation: other.generation + 1,
                ..Stage::new(spec)
            },
            None => Stage::new(spec),
        });
    }
    // A result that the new plan does not ask for is still a result, a question still a question.
    let mut kept: Vec<Stage> = old
        .into_iter()
        .filter(|stage| stage.status == StageStatus::Done || stage.parked.is_some())
        .map(|stage| {
            let spec = stage.spec.clone();
            still_parked(stage, spec, Then::Skip)
        })
        .collect();
    kept.append(&mut stages);
    case.stages = kept;
    case.is_planned = true;
    step.note(case, Happened::Planned(count));
}

/// A parked stage is parked in the new plan too; only what becomes of it then is another.
fn still_parked(mut stage: Stage, spec: StageSpec, then: Then) -> Stage {
    stage.spec = spec;
    if let Some(parked) = &mut stage.parked {
        parked.then = then;
    }
    stage
}
