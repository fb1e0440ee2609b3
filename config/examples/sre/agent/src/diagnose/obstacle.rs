//! The main obstacle of a group of waiting pods, in words.
//!
//! # Why
//! Nodes refuse for several reasons at once. What counts as *the* reason is what a person would
//! change first: bring back an ill node, uncordon one, then make room; a deliberate taint or a
//! selector is named as the reason only where no node lacks room alone.

use std::collections::BTreeSet;

use crate::kube::pod::Pod;
use crate::phrase;
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Answer;
use crate::schedule::world::World;

use super::fault::{Cause, Fault};
use super::pending::{self, Group};
use super::population::Population;
use super::room::{self, Remedy, TooLarge};

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
    let too_large = room::too_large(world, group);
    let main = main_obstacle(group);
    let words = match (&too_large, main) {
        (Some(large), Obstacle::Room) => large_words(world, group, large),
        (_, Obstacle::Room) => room_words(world, group, remedy),
        (_, other) => words(world, group, other, remedy),
    };
    let standing = population.standing(&group.id);
    let who = if group.id.kind == "Pod" || standing.alive == 1 {
        format!("Pod {} is", pod.key)
    } else {
        let n = group.pods.len();
        format!(
            "{}: {n} of {} {}",
            group.id,
            phrase::count(standing.alive, "pod"),
            if n == 1 { "is" } else { "are" }
        )
    };
    let severity = pending::severity(population, &group.id);
    let mut fault = Fault::new(
        words.cause,
        severity,
        format!("{who} Pending: {}", words.title),
    );
    let each = if group.pods.len() == 1 {
        "asks"
    } else {
        "each ask"
    };
    fault.explanation = format!(
        "{} of {} {each} for {} and no node takes {}. {}",
        phrase::count(group.pods.len(), "pod"),
        group.id,
        pod.requests.shown(),
        if group.pods.len() == 1 { "it" } else { "them" },
        words.explanation
    );
    fault.cure = words.cure;
    fault.evidence = evidence(world, group, remedy);
    fault.pods = group.pods.iter().map(|p| p.key.clone()).collect();
    fault.workloads.insert(group.id.clone());
    fault.confidence = 0.95;
    if main == Obstacle::Health {
        let back = group.without.get(&Obstacle::Health);
        let nodes = back.map(|(_, slots)| slots.clone()).unwrap_or_default();
        fault.awaits_nodes = nodes
            .iter()
            .map(|s| world.slots[*s].node.name.clone())
            .collect();
    }
    fault
}

/// The reason that a person would cure first.
pub fn main_obstacle(group: &Group<'_>) -> Obstacle {
    for first in [Obstacle::Health, Obstacle::Cordon] {
        if group.is_cured_without(first) {
            return first;
        }
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
    let nearest = group
        .verdict
        .answers
        .iter()
        .filter(|a| !a.refusals.is_empty());
    let families = |a: &&Answer| {
        a.refusals
            .iter()
            .map(|r| r.obstacle)
            .collect::<BTreeSet<_>>()
            .len()
    };
    nearest
        .min_by_key(families)
        .and_then(|a| a.refusals.iter().map(|r| r.obstacle).min())
        .unwrap_or(Obstacle::Room)
}

struct Words {
    cause: Cause,
    title: String,
    explanation: String,
    cure: String,
}

fn node_names<'w>(world: &'w World<'_>, answers: &[&Answer]) -> Vec<&'w str> {
    answers
        .iter()
        .map(|a| world.slots[a.slot].node.name.as_str())
        .collect()
}

/// What keeps the pods from the nodes that are not merely full.
fn other_reasons(world: &World<'_>, group: &Group<'_>) -> String {
    let mut sentences = Vec::new();
    let mut said = BTreeSet::new();
    for answer in &group.verdict.answers {
        let other = answer
            .refusals
            .iter()
            .find(|r| r.obstacle != Obstacle::Room);
        let Some(refusal) = other.filter(|_| !answer.refusals.is_empty()) else {
            continue;
        };
        if !said.insert(refusal.label.clone()) {
            continue;
        }
        let same: Vec<&Answer> = group
            .verdict
            .answers
            .iter()
            .filter(|a| a.refusals.iter().any(|r| r.label == refusal.label))
            .collect();
        let nodes = phrase::names(node_names(world, &same), MAX_NAMED_NODES);
        sentences.push(format!("{nodes}: {}", refusal.detail));
    }
    if sentences.is_empty() {
        return String::new();
    }
    format!(
        "Other nodes are out for other reasons: {}.",
        sentences.join("; ")
    )
}

fn room_words(world: &World<'_>, group: &Group<'_>, remedy: Option<&Remedy>) -> Words {
    let short = room::short_resources(group);
    let lacks = room::lacks(world, group);
    let advice = remedy.and_then(|r| room::advice(group, r));
    let elsewhere = partial_cures(world, group);
    let add = advice.unwrap_or_else(|| match group.pods[0].placement.node_affinity.as_ref() {
        Some(rule) if rule.names_node().is_some() => format!(
            "Free room on {}: the pod is bound to it, added nodes cannot help.",
            rule.names_node().unwrap_or_default()
        ),
        _ => "Free room on the nodes that the pod may choose; an added node of an existing size \
              would not take it."
            .to_owned(),
    });
    Words {
        cause: Cause::Shortage,
        title: format!(
            "no node that may take {} has enough free {short}",
            it(group)
        ),
        explanation: format!(
            "Shortage of {short}: {lacks}. {}",
            other_reasons(world, group)
        ),
        cure: format!("{add} {elsewhere} Or lower the requests, or end other pods.")
            .replace("  ", " "),
    }
}

fn it(group: &Group<'_>) -> &'static str {
    if group.pods.len() == 1 { "it" } else { "them" }
}

/// What uncordoning, a toleration or ill nodes' return would do, where it is not the whole cure.
fn partial_cures(world: &World<'_>, group: &Group<'_>) -> String {
    let all = group.pods.len();
    let mut sentences = Vec::new();
    for (obstacle, (placed, slots)) in &group.without {
        let what = match obstacle {
            Obstacle::Health => "The return of the ill nodes",
            Obstacle::Cordon => "Uncordoning",
            Obstacle::Taint => "Tolerating the taint",
            _ => continue,
        };
        let has = |a: &&Answer| a.has(*obstacle);
        let nodes: Vec<&Answer> = if slots.is_empty() {
            group.verdict.answers.iter().filter(has).collect()
        } else {
            group
                .verdict
                .answers
                .iter()
                .filter(|a| slots.contains(&a.slot))
                .collect()
        };
        let on = phrase::names(node_names(world, &nodes), MAX_NAMED_NODES);
        let so = match *placed {
            0 => "would not help: there is no room either".to_owned(),
            n if n == all => format!(
                "would place {}",
                if n == 1 {
                    "it".to_owned()
                } else {
                    format!("all {n}")
                }
            ),
            n => format!("would place only {n} of {all}"),
        };
        sentences.push(format!("{what} ({on}) {so}."));
    }
    sentences.join(" ")
}

fn large_words(world: &World<'_>, group: &Group<'_>, large: &TooLarge) -> Words {
    let (resource, needs) = (&large.resource, large.needs.shown(&large.resource));
    let largest = large.largest.shown(resource);
    let slot = world.slots.iter().find(|s| s.node.name == large.on);
    let (title, explanation) = if large.largest.is_positive() {
        (
            format!(
                "it asks for {resource} {needs}, more than any node it may use has (largest: \
                     {largest} on {})",
                large.on
            ),
            format!(
                "It is larger than any node: it asks for {resource} {needs}, and the largest node \
                 that it may use, {}, could give {largest} even if it were empty (allocatable, \
                 less what runs on every node). Freeing room or adding nodes of the present sizes \
                 cannot help.",
                large.on
            ),
        )
    } else {
        let there = slot.map_or_else(String::new, |s| {
            let capacity = s.node.capacity.get(resource);
            if capacity.is_positive() {
                format!(
                    " {} has {} of it but offers none: its device plugin is not running.",
                    large.on,
                    capacity.shown(resource)
                )
            } else {
                String::new()
            }
        });
        (
            format!("it asks for {resource} {needs}, and no node that it may use offers any"),
            format!(
                "It asks for {resource} {needs}, but no node that it may use offers {resource} \
                 (allocatable 0).{there}"
            ),
        )
    };
    let elsewhere = large
        .elsewhere
        .as_ref()
        .map_or_else(String::new, |e| format!(" {e}."));
    Words {
        cause: Cause::TooLarge,
        title,
        explanation: format!("{explanation}{elsewhere} {}", other_reasons(world, group)),
        cure: format!(
            "Lower the request of {resource} to what a node can give, or add a node with more than \
             {needs} allocatable {resource}.{}",
            if large.elsewhere.is_some() {
                " Or let the pod use the node that is large enough."
            } else {
                ""
            }
        ),
    }
}

/// The obstacles other than room.
fn words(world: &World<'_>, group: &Group<'_>, main: Obstacle, remedy: Option<&Remedy>) -> Words {
    let answers: Vec<&Answer> = match group.without.get(&main) {
        Some((_, slots)) if !slots.is_empty() => group
            .verdict
            .answers
            .iter()
            .filter(|a| slots.contains(&a.slot))
            .collect(),
        _ => group
            .verdict
            .answers
            .iter()
            .filter(|a| a.has(main))
            .collect(),
    };
    let nodes = phrase::names(node_names(world, &answers), MAX_NAMED_NODES);
    let details: BTreeSet<&str> = answers
        .iter()
        .flat_map(|a| a.refusals.iter().filter(|r| r.obstacle == main))
        .map(|r| r.detail.as_str())
        .collect();
    let details = phrase::names(&details, 4);
    let add = remedy
        .and_then(|r| room::advice(group, r))
        .map_or_else(String::new, |a| format!(" {a}"));
    let pod = group.pods[0];
    let (cause, title, cure) = match main {
        Obstacle::Health => (
            Cause::Shortage,
            format!("{nodes}, which would take {}, is not healthy", it(group)),
            format!("Bring {nodes} back: {} would be placed there.", it(group)),
        ),
        Obstacle::Cordon => (
            Cause::Cordon,
            format!("{nodes}, which would take {}, is cordoned", it(group)),
            format!(
                "Uncordon {nodes} (`kubectl uncordon`), if its maintenance is over: that \
                     places {}.{add}",
                it(group)
            ),
        ),
        Obstacle::Taint | Obstacle::ControlPlane => (
            Cause::Taint,
            format!(
                "taints on {nodes} are not tolerated ({})",
                taints(world, &answers, pod)
            ),
            format!(
                "Give the pod template a toleration for {}, or take the taint off a node if it \
                     is not meant for these pods.{add}",
                taints(world, &answers, pod)
            ),
        ),
        Obstacle::Selector => (
            Cause::Selector,
            format!("no node matches its {}", wanted(pod)),
            format!(
                "Label a fitting node ({}) or correct the pod template's selector or affinity.",
                wanted(pod)
            ),
        ),
        Obstacle::Apart => (
            Cause::Apart,
            format!("anti-affinity leaves no node: {details}"),
            format!(
                "Have fewer replicas than nodes that may take them, make the rule a preferred \
                     one, or add nodes.{add}"
            ),
        ),
        Obstacle::Spread => (
            Cause::Spread,
            format!("its topology spread constraint leaves no node: {details}"),
            format!("Make room in the emptiest domain, raise maxSkew or use ScheduleAnyway.{add}"),
        ),
        Obstacle::Near => (
            Cause::Near,
            format!("pod affinity finds no node: {details}"),
            "Start the pods that it must be near to, or correct the affinity's labels.".to_owned(),
        ),
        Obstacle::Port => (
            Cause::HostPort,
            format!(
                "its host port is taken on every node that may take {}: {details}",
                it(group)
            ),
            format!("Use another host port or none, or have no more replicas than nodes.{add}"),
        ),
        Obstacle::Volume => (
            Cause::Volume,
            format!("its volume cannot be reached from the other nodes: {details}"),
            "Make room on (or bring back) a node from which the volume is reached, or move the \
             data to a volume that other nodes reach."
                .to_owned(),
        ),
        Obstacle::Room => (Cause::Shortage, String::new(), String::new()),
    };
    let rest = other_answers(world, group, &answers);
    Words {
        cause,
        title,
        explanation: format!("{nodes}: {details}. {rest}"),
        cure,
    }
}

/// What the nodes say that are not the main ones.
fn other_answers(world: &World<'_>, group: &Group<'_>, main: &[&Answer]) -> String {
    let others = group
        .verdict
        .answers
        .iter()
        .filter(|a| !main.iter().any(|m| m.slot == a.slot));
    let lines = others
        .filter(|a| !a.refusals.is_empty())
        .map(|a| format!("{}: {}", world.slots[a.slot].node.name, a.shown()));
    let lines = phrase::names(lines, 4);
    if lines.is_empty() {
        lines
    } else {
        format!("The other nodes: {lines}.")
    }
}

fn taints(world: &World<'_>, answers: &[&Answer], pod: &Pod) -> String {
    let all: BTreeSet<String> = answers
        .iter()
        .flat_map(|a| world.slots[a.slot].node.taints.iter())
        .filter(|t| t.is_hard() && !t.is_of_cordon() && !pod.placement.tolerates(t))
        .map(super::super::kube::placement::Taint::shown)
        .collect();
    phrase::names(all, 4)
}

/// `nodeSelector disktype=ssd`, `node affinity zone in (a, b)`.
fn wanted(pod: &Pod) -> String {
    let mut parts = Vec::new();
    if !pod.placement.node_labels.is_empty() {
        let labels = pod
            .placement
            .node_labels
            .iter()
            .map(|(k, v)| format!("{k}={v}"));
        parts.push(format!("nodeSelector {}", phrase::names(labels, 5)));
    }
    if let Some(rule) = &pod.placement.node_affinity {
        parts.push(format!("node affinity {}", rule.shown()));
    }
    parts.join(" and ")
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
    let lower = world
        .slots
        .iter()
        .flat_map(|s| &s.pods)
        .filter(|p| p.priority < pod.priority)
        .count();
    match (pod.may_preempt, lower) {
        (_, 0) => None,
        (false, n) => Some(format!(
            "priority {}: {n} running pods have a lower one, but preemptionPolicy Never spares them",
            pod.priority
        )),
        (true, n) => Some(format!(
            "priority {}: {n} running pods have a lower one, but ending them would not make a node \
             fit",
            pod.priority
        )),
    }
}
