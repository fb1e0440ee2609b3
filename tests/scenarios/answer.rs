//! What is answered: verdicts, duties that come and go, and questions that change nothing.

use std::collections::{BTreeMap, BTreeSet};

use rules::duty::{Duty, Holder, PlanFrom};
use rules::effect::Standing;
use rules::id::{CaseId, Epoch};
use rules::place::{self, Chooser, Placed};
use rules::verdict::{Outcome, Verdict};
use rules::{State, members, route, why};

use super::render::{names, shortened};
use super::rooms;
use super::words::{Words, Wrong};

/// The answer to whoever asked.
pub fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Ok(Outcome::Done) => "ok".to_owned(),
        Ok(Outcome::Opened(case)) => format!("ok: {case}"),
        Ok(Outcome::Posted {
            number,
            case,
            heard_by,
            unheard,
        }) => rooms::posted(*number, *case, heard_by, unheard),
        Ok(Outcome::Admitted(node)) => format!("ok: {node}"),
        Ok(Outcome::PlanRefused(reasons)) => format!("ok, sent back: {}", reasons.join("; ")),
        Ok(Outcome::Effect(standing)) => format!("ok: {}", stands(standing)),
        Ok(Outcome::Applied {
            created,
            changed,
            unchanged,
            removed,
        }) => format!(
            "ok: {created} created, {changed} changed, {unchanged} unchanged, {removed} removed"
        ),
        Err(why) => format!("refused: {}", shortened(&why.to_string())),
    }
}

fn stands(standing: &Standing) -> String {
    match standing {
        Standing::Go => "send it".to_owned(),
        Standing::Again => "send it again under its key".to_owned(),
        Standing::Open => "leave it, nobody knows whether it was done".to_owned(),
        Standing::Done { answer } => format!("leave it, it was done: {answer}"),
        Standing::Parked { reason } => format!("leave it, the stage is parked: {reason}"),
    }
}

/// Duties that went with `-`, duties that came with `+`.
pub fn duties(
    before: &BTreeMap<Holder, BTreeSet<Duty>>,
    after: &BTreeMap<Holder, BTreeSet<Duty>>,
) -> Vec<String> {
    let flat = |duties: &BTreeMap<Holder, BTreeSet<Duty>>| -> BTreeSet<(Holder, Duty)> {
        duties
            .iter()
            .flat_map(|(holder, duties)| duties.iter().map(|duty| (holder.clone(), duty.clone())))
            .collect()
    };
    let (before, after) = (flat(before), flat(after));
    let gone = before.difference(&after).map(|duty| ('-', duty));
    let come = after.difference(&before).map(|duty| ('+', duty));
    gone.chain(come)
        .map(|(mark, (holder, duty))| format!("{mark} {}", told(holder, duty)))
        .collect()
}

fn told(holder: &Holder, duty: &Duty) -> String {
    let holder = match holder {
        Holder::Manager => "manager".to_owned(),
        Holder::Butler(team, node, _) => format!("butler of {team} on {node}"),
        Holder::Worker(worker, node) => format!("worker {worker} on {node}"),
    };
    let duty = match duty {
        Duty::Place { who, epoch } => match who {
            Placed::Team(team) => format!("place team {team} at epoch {epoch}"),
            Placed::Worker(worker) => format!("place worker {worker} at epoch {epoch}"),
        },
        Duty::Route { case } => format!("find the team of {case}"),
        Duty::Plan {
            case,
            generation,
            from,
        } => match from {
            PlanFrom::Playbook(name) => {
                format!("plan {case} generation {generation} by playbook {name}")
            }
            PlanFrom::Agent => format!("plan {case} generation {generation} by its agent's answer"),
        },
        Duty::Report { case, generation } => format!("report {case} generation {generation}"),
        Duty::Keep { epoch } => format!("keep the container of epoch {epoch}"),
        Duty::Run { attempt, epoch } => format!("run {attempt} in epoch {epoch}"),
        Duty::Answer { room, post } => format!("answer post {post} in room {room}"),
        Duty::Tell {
            attempt,
            epoch,
            up_to,
        } => format!("tell {attempt} in epoch {epoch} what was posted up to {up_to}"),
    };
    format!("{holder}: {duty}")
}

/// Answers a line that begins with `?`.
pub fn question(state: &State, words: &mut Words<'_>) -> Result<Vec<String>, Wrong> {
    let lines = if words.take("history of") {
        let case = case(state, words)?;
        let told = case.history.events.iter();
        told.map(|event| format!("{}: {}", event.by, shortened(&event.what.to_string())))
            .collect()
    } else if words.take("why") {
        let case = case(state, words)?;
        let stages = case.all_stages().filter_map(|stage| {
            let why = why::stage_waits(state, case, stage)?;
            Some(format!("{} {why}", stage.spec.name))
        });
        let whole = why::case_waits(state, case).map(|why| format!("{}: {why}", case.id));
        whole.into_iter().chain(stages).collect()
    } else if words.take("who would take") {
        let text = words.text()?;
        let playbook = if words.take("playbook") {
            Some(words.parse()?)
        } else {
            None
        };
        vec![match route::choose(state, &text, playbook.as_ref()) {
            Ok((team, why)) => format!("team {team}: {why}"),
            Err(why) => format!("nobody: {why}"),
        }]
    } else if words.take("where would go") {
        let who = who(words)?;
        vec![match Chooser::new().choose(state, &who, Epoch(0)) {
            Ok(placement) => format!("to {}: {}", placement.node, placement.reason),
            Err(why) => format!("nowhere: {}", why.0),
        }]
    } else if words.take("explain") {
        explained(state, words)?
    } else if words.take("voters instead of") {
        let present = words.list(Words::parse)?.into_iter().collect();
        vec![names(members::voters(state, &present))]
    } else {
        words.expect("epochs")?;
        let teams = state.teams.values().map(|team| team.epoch);
        let workers = state.workers.values().map(|worker| worker.epoch);
        vec![names(teams.chain(workers))]
    };
    words.end()?;
    Ok(lines)
}

fn who(words: &mut Words<'_>) -> Result<Placed, Wrong> {
    if words.take("team") {
        return Ok(Placed::Team(words.parse()?));
    }
    words.expect("worker")?;
    Ok(Placed::Worker(words.parse()?))
}

fn explained(state: &State, words: &mut Words<'_>) -> Result<Vec<String>, Wrong> {
    let explained = place::explain(state, &who(words)?).map_err(|why| why.0)?;
    let mut lines = vec![match &explained.placed {
        Some((node, why)) => format!("on {node}: {why}"),
        None => "without a place".to_owned(),
    }];
    lines.push(match &explained.choice {
        Ok((node, why)) => format!("now it would go to {node}: {why}"),
        Err(why) => format!("now it would go nowhere: {}", why.0),
    });
    let nodes = explained.nodes.iter();
    lines.extend(nodes.map(|(node, name, told)| format!("{node} {name}: {told}")));
    Ok(lines)
}

fn case<'a>(state: &'a State, words: &mut Words<'_>) -> Result<&'a rules::case::Case, Wrong> {
    let id: CaseId = words.parse()?;
    state.cases.get(&id).ok_or_else(|| format!("no case {id}"))
}
