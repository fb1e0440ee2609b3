//! The main obstacle of a group of waiting pods, and the fault that it makes.
//!
//! # Why
//! Nodes refuse for several reasons at once. What counts as *the* reason is what a person would
//! change first: bring back an ill node, uncordon one, then make room; a deliberate taint or a
//! selector is named as the reason only where no node lacks room alone.

use std::collections::BTreeSet;

use crate::kube::pod::Pod;
use crate::phrase;
use crate::schedule::asking::Asking;
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Answer;
use crate::schedule::world::World;

use super::fault::Fault;
use super::groups::Group;
use super::population::Population;
use super::room::{self, Remedy};
use super::wording;

/// Pods that are named in one line.
const MAX_NAMED_PODS: usize = 20;
/// Nodes that are named in one sentence.
const MAX_NAMED_NODES: usize = 6;

/// The fault of a group.
pub fn fault(
    population: &Population<'_>,
    world: &World<'_>,
    group: &Group<'_>,
    remedy: Option<&Remedy>,
) -> Fault {
    let pod = group.pods[0];
    let main = main_obstacle(group);
    let words = match room::too_large(world, group) {
        Some(large) if main == Obstacle::Room => wording::of_size(world, group, &large),
        _ if main == Obstacle::Room => wording::of_room(world, group, remedy),
        _ => wording::of_rule(world, group, main, remedy),
    };
    let alive = population.standing(&group.id).alive;
    let (waiting, is_one) = (group.pods.len(), group.pods.len() == 1);
    let who = if group.id.kind == "Pod" || alive == 1 {
        format!("{} is", population.pod_in_words(pod))
    } else {
        let are = if is_one { "is" } else { "are" };
        format!(
            "{}: {waiting} of {} {are}",
            group.id,
            phrase::count(alive, "pod")
        )
    };
    let severity = population.severity([&group.id]);
    let mut fault = Fault::new(
        words.cause,
        severity,
        format!("{who} Pending: {}", words.title),
    );
    fault.explanation = format!(
        "{} of {} {} for {} and no node takes {}. {}",
        phrase::count(waiting, "pod"),
        group.id,
        if is_one { "asks" } else { "each ask" },
        pod.requests.shown(),
        group.it(),
        words.explanation
    );
    fault.cure = words.cure;
    fault.evidence = evidence(world, group, remedy);
    fault.pods = group.pods.iter().map(|p| p.key.clone()).collect();
    fault.workloads.insert(group.id.clone());
    fault.confidence = 0.95;
    if main == Obstacle::Health {
        let back = group.without.get(&Obstacle::Health);
        let slots = back.into_iter().flat_map(|(_, slots)| slots);
        fault.awaits_nodes = slots.map(|s| world.slots[*s].node.name.clone()).collect();
    }
    fault
}

/// The reason that a person would cure first.
fn main_obstacle(group: &Group<'_>) -> Obstacle {
    let at_once = [Obstacle::Health, Obstacle::Cordon];
    if let Some(first) = at_once.into_iter().find(|o| group.is_cured_without(*o)) {
        return first;
    }
    let alone = [
        Obstacle::Room,
        Obstacle::Taint,
        Obstacle::Port,
        Obstacle::Apart,
        Obstacle::Spread,
        Obstacle::Near,
        Obstacle::Volume,
        Obstacle::Health,
        Obstacle::Cordon,
        Obstacle::Selector,
        Obstacle::ControlPlane,
    ];
    let only = |o: &Obstacle| !group.verdict.only(*o).is_empty();
    if let Some(found) = alone.into_iter().find(only) {
        return found;
    }
    // No node has a single reason: the node with the fewest is the nearest to a cure.
    let families = |a: &Answer| {
        a.refusals
            .iter()
            .map(|r| r.obstacle)
            .collect::<BTreeSet<Obstacle>>()
    };
    let nearest = group
        .verdict
        .answers
        .iter()
        .map(families)
        .filter(|f| !f.is_empty());
    nearest
        .min_by_key(BTreeSet::len)
        .and_then(|f| f.first().copied())
        .unwrap_or(Obstacle::Room)
}

/// The names of the nodes, so many at most.
pub fn node_names(world: &World<'_>, answers: &[&Answer]) -> String {
    let names = answers
        .iter()
        .map(|a| world.slots[a.slot].node.name.as_str());
    phrase::names(names, MAX_NAMED_NODES)
}

/// What uncordoning, a toleration or ill nodes' return would do.
pub fn partial_cures(world: &World<'_>, group: &Group<'_>) -> String {
    let all = group.pods.len();
    let mut sentences = Vec::new();
    for (obstacle, (placed, slots)) in &group.without {
        let what = match obstacle {
            Obstacle::Health => "The return of the ill nodes",
            Obstacle::Cordon => "Uncordoning",
            Obstacle::Taint => "Tolerating the taint",
            Obstacle::Room
            | Obstacle::Port
            | Obstacle::Apart
            | Obstacle::Spread
            | Obstacle::Near
            | Obstacle::Volume
            | Obstacle::Selector
            | Obstacle::ControlPlane => continue,
        };
        let concerned = |a: &&Answer| {
            if slots.is_empty() {
                a.has(*obstacle)
            } else {
                slots.contains(&a.slot)
            }
        };
        let nodes: Vec<&Answer> = group.verdict.answers.iter().filter(concerned).collect();
        let so = match *placed {
            0 => "would not help: others take that room, or more is in the way there".to_owned(),
            1 if all == 1 => "would place it".to_owned(),
            n if n == all => format!("would place all {n}"),
            n => format!("would place only {n} of {all}"),
        };
        sentences.push(format!("{what} ({}) {so}.", node_names(world, &nodes)));
    }
    sentences.join(" ")
}

fn evidence(world: &World<'_>, group: &Group<'_>, remedy: Option<&Remedy>) -> Vec<String> {
    let pod = group.pods[0];
    let names = phrase::names(group.pods.iter().map(|p| &p.key.name), MAX_NAMED_PODS);
    let mut lines = vec![
        format!("pods of {}: {names}", group.id),
        format!("each requests {}", pod.requests.shown()),
        group.verdict.shown(),
    ];
    lines.extend(room::node_lines(world, group));
    let said = pod
        .condition("PodScheduled")
        .filter(|c| c.status == "False");
    lines.extend(said.map(|c| format!("the scheduler's own words: {}", c.message.trim())));
    lines.extend(priority_line(world, pod));
    let partial = partial_cures(world, group);
    lines.extend((!partial.is_empty()).then_some(partial));
    if let Some(remedy) = remedy {
        lines.extend(room::advice(group, remedy));
        lines.extend(room::alternatives(remedy));
    }
    lines
}

/// Could pods of lower priority be pushed away?
fn priority_line(world: &World<'_>, pod: &Pod) -> Option<String> {
    let own = pod.priority;
    if let Some(node) = &pod.nominated {
        return Some(format!(
            "priority {own}: the scheduler is ending lesser pods on {node} for it"
        ));
    }
    let lower = world
        .slots
        .iter()
        .flat_map(|s| &s.pods)
        .filter(|p| p.priority < own)
        .count();
    let running = phrase::count(lower, "running pod");
    if lower == 0 {
        return None;
    }
    if !pod.may_preempt {
        return Some(format!(
            "priority {own}: {running} with a lower one, but preemptionPolicy Never spares them"
        ));
    }
    let after = world.without_lesser(own);
    let asking = Asking::of(&after, pod);
    let slots = 0..after.slots.len();
    let freed: Vec<&str> = slots
        .filter(|s| asking.is_taken(*s, &[]))
        .map(|s| after.slots[s].node.name.as_str())
        .collect();
    Some(if freed.is_empty() {
        format!("priority {own}: {running} with a lower one, but ending them would not help")
    } else {
        let on = phrase::names(freed, MAX_NAMED_NODES);
        format!(
            "priority {own}: {running} with a lower one; ending those on {on} would make room \
                 (preemption)"
        )
    })
}
