//! Why a case or one of its stages does not go on: a sentence for people, read off the state.
//!
//! # Why
//! Nothing of this is stored: what hinders a stage changes with workers and nodes that know
//! nothing of it, and a stored reason would be the one of yesterday.

use crate::attempt::Body;
use crate::case::{Case, CaseStatus, WaitingFor};
use crate::effect::EffectKey;
use crate::id::{Epoch, StageName};
use crate::parked::{Parked, Question};
use crate::place::{Chooser, NoPlace, Placed, takes_new};
use crate::plan::{members, nobody};
use crate::route;
use crate::stage::{Approval, ApprovalSpec, Approver, Need, Stage, StageStatus};
use crate::state::State;
use crate::target::misfit;
use crate::team::Team;
use crate::worker::Worker;

/// Names that a sentence gives before it says how many more there are.
const NAMES: usize = 3;

/// What a case waits for; none while something of it runs, or when it is closed.
pub fn case_waits(state: &State, case: &Case) -> Option<String> {
    if case.live_attempts().next().is_some() {
        return None;
    }
    let team = case.team.as_ref().and_then(|team| state.teams.get(team));
    match (case.status, team) {
        (CaseStatus::Closed(_), _) => None,
        (CaseStatus::Waiting(WaitingFor::Resume), _) => {
            Some("it is paused until somebody resumes it".to_owned())
        }
        (CaseStatus::Reporting, None) => Some("the Manager closes it".to_owned()),
        (CaseStatus::Reporting, Some(team)) => {
            Some(butler(state, team).unwrap_or_else(|| "the butler writes its report".to_owned()))
        }
        (_, None) => Some(route(state, case)),
        (CaseStatus::Open, Some(team)) => Some(match &case.planning {
            Some(planning) if planning.status == StageStatus::Pending => {
                format!("its plan {}", worker(state, team, case, planning))
            }
            Some(_) | None => {
                butler(state, team).unwrap_or_else(|| "the butler plans it".to_owned())
            }
        }),
        (CaseStatus::Planned | CaseStatus::Running | CaseStatus::Waiting(_), Some(_)) => {
            let mut pending = case.stages.iter().filter(|stage| !is_behind(case, stage));
            let waits = |stage: &Stage| {
                let why = stage_waits(state, case, stage)?;
                Some(format!("stage {} {why}", stage.spec.name))
            };
            pending.find_map(waits)
        }
    }
}

/// What a pending or parked stage waits for; none when it is neither.
pub fn stage_waits(state: &State, case: &Case, waiting: &Stage) -> Option<String> {
    let is_planning = waiting.spec.need == Need::Butler;
    let team = case.team.as_ref().and_then(|team| state.teams.get(team))?;
    if let Some(parked) = &waiting.parked {
        return Some(settlement(waiting, parked));
    }
    if waiting.status != StageStatus::Pending {
        return None;
    }
    Some(if case.is_paused {
        "waits until the case is resumed".to_owned()
    } else if !case.is_planned && !is_planning {
        "waits for the new plan".to_owned()
    } else if is_behind(case, waiting) {
        let needed = waiting.spec.after.iter();
        let missing = needed.filter(|name| !case.stage(name).is_some_and(Stage::lets_pass));
        let missing: Vec<&str> = missing.map(StageName::as_str).collect();
        format!("waits for {}", some_of("stage", &missing))
    } else {
        match &waiting.spec.approval {
            Some(approval) if !matches!(waiting.approval, Approval::Given { .. }) => {
                format!("waits for an approval by {}", approvers(approval))
            }
            Some(_) | None => worker(state, team, case, waiting),
        }
    })
}

fn settlement(stage: &Stage, parked: &Parked) -> String {
    let why = stage.reason.as_deref().unwrap_or_default();
    let keys: Vec<&str> = parked.questions.keys().map(EffectKey::as_str).collect();
    let what = parked.questions.values().max();
    let question = match what {
        Some(Question::WhichIsMeant) => "whose key was used for something else too",
        Some(Question::WasItDone) | None => "of which nobody knows whether it was done",
    };
    let effects = some_of("effect", &keys);
    format!("is parked until somebody settles {effects}, {question}: {why}")
}

fn is_behind(case: &Case, stage: &Stage) -> bool {
    let passes = |name| case.stage(name).is_some_and(Stage::lets_pass);
    !stage.spec.after.iter().all(passes)
}

fn approvers(approval: &ApprovalSpec) -> String {
    let by: Vec<String> = approval
        .by
        .iter()
        .map(|by| match by {
            Approver::Human(name) => name.to_string(),
            Approver::Role(role) => format!("a {role}"),
        })
        .collect();
    if by.is_empty() {
        return "whoever leads the team".to_owned();
    }
    by.join(" or ")
}

/// Why no worker has taken a stage that could begin.
fn worker(state: &State, team: &Team, case: &Case, waiting: &Stage) -> String {
    let need = &waiting.spec.need;
    let able: Vec<&Worker> = members(state, team)
        .filter(|worker| worker.can(need))
        .collect();
    if able.is_empty() {
        return format!("waits: {}", nobody(team, need));
    }
    let (placed, homeless): (Vec<&Worker>, Vec<&Worker>) =
        able.into_iter().partition(|worker| worker.placed.is_some());
    let (placed, held): (Vec<&Worker>, Vec<&Worker>) = placed
        .into_iter()
        .partition(|worker| hold(state, worker).is_none());
    let mut parts = Vec::new();
    if !placed.is_empty() {
        let names: Vec<&str> = placed
            .iter()
            .map(|worker| worker.spec.id.name.as_str())
            .collect();
        let queue = team.queue.get(need);
        let own = (case.id, waiting.spec.name.clone());
        let before = queue.map_or(0, |queue| queue.range(..own).count());
        let place = if before == 0 {
            "it is next".to_owned()
        } else {
            format!("{before} before it")
        };
        parts.push(format!("{} at work, {place}", some_of("worker", &names)));
    }
    if let Some((worker, why)) = held
        .iter()
        .find_map(|worker| Some((worker, hold(state, worker)?)))
    {
        parts.push(format!("worker {} {why}", worker.spec.id.name));
    }
    let homes = homeless.iter().map(|worker| {
        let who = Placed::Worker(worker.spec.id.clone());
        (&worker.spec.id.name, home(state, &who))
    });
    // Whoever is about to come tells more than whoever cannot.
    if let Some((name, home)) = homes.min_by_key(|(_, home)| home.is_err()) {
        parts.push(match home {
            Ok(soon) => format!("worker {name} {soon}"),
            Err(why) => format!("worker {name} {why}"),
        });
    }
    format!("waits for a worker: {}", parts.join("; "))
}

/// Why a worker's node gives it nothing new, where that is so.
fn hold(state: &State, worker: &Worker) -> Option<String> {
    let (node, _) = worker.placed.as_ref()?;
    let found = state.nodes.get(node)?;
    let unfit = || misfit(state, found, &worker.spec.id.team);
    let why = takes_new(found).err().or_else(unfit)?;
    Some(format!("is held on node {node}: {why}"))
}

/// Why a butler does nothing, where it cannot.
fn butler(state: &State, team: &Team) -> Option<String> {
    if team.placed.is_some() {
        return None;
    }
    let name = &team.spec.name;
    let (Ok(why) | Err(why)) = home(state, &Placed::Team(name.clone()));
    Some(format!("the butler of team {name} {why}"))
}

/// That somebody without a place is about to get one, or why not.
fn home(state: &State, who: &Placed) -> Result<String, String> {
    match Chooser::new().choose(state, who, Epoch::default()) {
        Ok(placement) => Ok(format!("is about to be placed on {}", placement.node)),
        Err(NoPlace(why)) => Err(format!("has no place: {why}")),
    }
}

fn route(state: &State, case: &Case) -> String {
    let brief = case.briefs.last().map(|brief| &brief.text);
    let brief = match brief {
        Some(Body::Inline(text)) => text,
        Some(Body::Blob(_)) | None => "",
    };
    let text = format!("{}\n{brief}", case.title);
    match route::choose(state, &text, case.playbook.as_ref()) {
        Ok((team, _)) => format!("the Manager is about to give it to team {team}"),
        Err(why) => format!("the Manager finds no team for it: {why}; a human can give it to one"),
    }
}

/// `stage a`, or `stages a, b, c and 4 more`.
fn some_of(what: &str, names: &[&str]) -> String {
    let told = names
        .iter()
        .take(NAMES)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len() {
        1 => format!("{what} {told}"),
        len if len <= NAMES => format!("{what}s {told}"),
        len => format!("{what}s {told} and {} more", len - NAMES),
    }
}
