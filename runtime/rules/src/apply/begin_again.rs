//! A cluster begins again with one node, from a backup or from what that node holds.
//!
//! # Invariant
//! Nothing that the old cluster gave out is current any more: no node but this one, no epoch, no
//! attempt, no token, no chaos run. Cases keep their numbers, and requests are remembered.
//!
//! # Why
//! The old cluster may have gone further than what this one knows. What it did there can be done
//! again where it stayed inside the attempt; a case whose agents can reach a target is held, until
//! a human has looked.

use crate::beginning::{Beginning, Cause};
use crate::case::Case;
use crate::chaos::Run;
use crate::duty::Subject;
use crate::history::Happened;
use crate::id::{CaseId, Epoch, NodeId, StageName, TeamName, WorkerId};
use crate::limits;
use crate::node::{Node, Role};
use crate::state::{Alarm, State};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, join_node};

pub(super) fn apply(
    step: &mut Step<'_>,
    id: NodeId,
    name: &str,
    cause: &Cause,
    by: &str,
) -> Verdict {
    fence::node(step, id)?;
    join_node::node_name(name)?;
    fence::line("by", by)?;
    may_begin(step.state, id, name, cause)?;
    let reason = format!("the cluster was {cause}");
    let last = step.state.last_epoch.0;
    step.state.last_epoch = Epoch(last.saturating_add(limits::EPOCH_LEAP));
    let attempts = take_back_all(step, &reason);
    move_all_out(step);
    let gone = step.state.nodes.keys().copied();
    let gone: std::collections::BTreeSet<NodeId> = gone.filter(|node| *node != id).collect();
    for node in &gone {
        step.state.nodes.remove(node);
        step.state.removed.insert(*node);
        step.touched.insert(Subject::Node(*node));
    }
    stand_alone(step, id, name);
    Run::take(step.state);
    for (token, kept) in std::mem::take(&mut step.state.tokens) {
        step.state.alarms.remove(&(kept.until, Alarm::Token(token)));
    }
    let held = hold(step, &reason);
    if step.state.beginnings.len() >= limits::MAX_BEGINNINGS {
        step.state.beginnings.remove(0);
    }
    step.state.beginnings.push(Beginning {
        index: step.index,
        wall_ms: step.wall_ms,
        node: id,
        cause: cause.clone(),
        by: by.to_owned(),
        gone,
        attempts,
        held,
    });
    Ok(Outcome::Done)
}

/// A backup begins with a node that its cluster never had, a recovery with one that it has.
fn may_begin(state: &State, id: NodeId, name: &str, cause: &Cause) -> Result<(), Rejection> {
    let what = format!("node {id}");
    match (cause, state.nodes.get(&id)) {
        (Cause::Restored { .. }, None) if id >= state.next_node => Ok(()),
        (Cause::Restored { .. }, _) => {
            let is = "known to the cluster that the backup is of".to_owned();
            Err(Rejection::WrongState { what, is })
        }
        (Cause::Recovered, Some(node)) if node.facts.name == name => Ok(()),
        (Cause::Recovered, Some(node)) => {
            let is = format!("{}, not {name}", node.facts.name);
            Err(Rejection::WrongState { what, is })
        }
        (Cause::Recovered, None) => Err(Rejection::NoNode(id)),
    }
}

/// Takes back every live attempt, without blame on its stage.
fn take_back_all(step: &mut Step<'_>, reason: &str) -> u64 {
    let ids: Vec<CaseId> = step.state.cases.keys().copied().collect();
    let mut count = 0;
    for id in ids {
        let Some(mut case) = step.state.cases.remove(&id) else {
            continue;
        };
        let live: Vec<u32> = case.live_attempts().map(|(number, _)| number).collect();
        for number in live {
            step.supersede(&mut case, number, reason);
            count += 1;
        }
        step.state.cases.insert(id, case);
    }
    count
}

/// Gives every butler and every worker a new epoch and no place.
fn move_all_out(step: &mut Step<'_>) {
    let teams: Vec<TeamName> = step.state.teams.keys().cloned().collect();
    for team in &teams {
        step.leave_team(team);
    }
    let workers: Vec<WorkerId> = step.state.workers.keys().cloned().collect();
    for worker in &workers {
        step.move_out(worker);
    }
}

/// Leaves the node as the only one, which may vote whatever was said of it before.
fn stand_alone(step: &mut Step<'_>, id: NodeId, name: &str) {
    let now = step.state.clock;
    let node = step.state.nodes.entry(id);
    let node = node.or_insert_with(|| Node::admitted(id, name.to_owned(), None, now));
    if node.role == Role::Learner {
        node.role = Role::Auto;
    }
    step.state.next_node = step.state.next_node.max(NodeId(id.0 + 1));
    step.touched.insert(Subject::Node(id));
}

/// Holds the cases whose agents could have changed something outside.
fn hold(step: &mut Step<'_>, reason: &str) -> u64 {
    let may_have_gone_on = |state: &State, case: &Case| {
        let is_free = !case.is_paused && case.ending.is_none();
        let team = case.team.as_ref();
        is_free && team.is_some_and(|team| has_targets(state, team))
    };
    let cases = step.state.cases.iter();
    let ids: Vec<CaseId> = cases
        .filter(|(_, case)| may_have_gone_on(step.state, case))
        .map(|(id, _)| *id)
        .collect();
    for id in &ids {
        let Some(mut case) = step.state.cases.remove(id) else {
            continue;
        };
        case.is_paused = true;
        let names = case.all_stages().map(|stage| stage.spec.name.clone());
        for name in names.collect::<Vec<StageName>>() {
            step.unqueue(&case, &name);
        }
        step.state.cases.insert(*id, case);
        let why = format!("{reason}; look what it did since then, then resume it");
        step.note_in(*id, Happened::Paused(why));
    }
    ids.len() as u64
}

/// Whether a team's agents can reach anything: a method that a target says nothing of may change it.
fn has_targets(state: &State, team: &TeamName) -> bool {
    let mut targets = state.targets.values();
    targets.any(|target| target.teams.contains(team))
}
