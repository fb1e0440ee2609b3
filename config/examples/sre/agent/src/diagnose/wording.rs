//! The main obstacle in words: title, explanation, cure.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::pod::Pod;
use crate::phrase;
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Answer;
use crate::schedule::world::World;

use super::fault::Cause;
use super::groups::Group;
use super::obstacle::{node_names, partial_cures};
use super::room::{self, Remedy, TooLarge};

/// Different answers of nodes that are told in one sentence.
const MAX_ANSWERS: usize = 5;
/// Different details of one obstacle in a title.
const MAX_DETAILS: usize = 3;

/// What a fault says about its obstacle.
pub struct Words {
    /// The kind of fault.
    pub cause: Cause,
    /// As it stands after "is Pending: ".
    pub title: String,
    /// Whole sentences.
    pub explanation: String,
    /// What to do.
    pub cure: String,
}

/// Too little free room.
pub fn of_room(world: &World<'_>, group: &Group<'_>, remedy: Option<&Remedy>) -> Words {
    let short = room::short_resources(group);
    let bound_to = group.pods[0]
        .placement
        .node_affinity
        .as_ref()
        .and_then(|r| r.names_node());
    let add = match (remedy.and_then(|r| room::advice(group, r)), bound_to) {
        (Some(advice), _) => advice,
        (None, Some(node)) => {
            format!("Free room on {node}: the pod is bound to it, added nodes cannot help.")
        }
        (None, None) => "Free room on the nodes that the pod may use; an added node like those \
                         there are would not take it."
            .to_owned(),
    };
    let partial = partial_cures(world, group);
    let others: Vec<&Answer> = group
        .verdict
        .answers
        .iter()
        .filter(|a| !a.has(Obstacle::Room))
        .collect();
    Words {
        cause: Cause::Shortage,
        title: format!(
            "no node that may take {} has enough free {short}",
            group.it()
        ),
        explanation: format!(
            "Shortage of {short}: {}. {}",
            room::lacks(world, group),
            answers_in_words(world, &others)
        ),
        cure: spaced(&[&add, &partial, "Or lower the requests, or end other pods."]),
    }
}

/// Larger than any node.
pub fn of_size(world: &World<'_>, group: &Group<'_>, large: &TooLarge) -> Words {
    let (resource, needs) = (&large.resource, large.needs.shown(&large.resource));
    let largest = large.largest.shown(resource);
    let (title, explanation) = if large.largest.is_positive() {
        let on = &large.on;
        (
            format!(
                "{} for {resource} {needs}, more than any node it may use has (largest: {largest} \
                 on {on})",
                group.asks()
            ),
            format!(
                "It is larger than any node: it asks for {resource} {needs}, and the largest node \
                 that it may use, {on}, could give {largest} even if it were empty (allocatable, \
                 less what runs on every node). Freeing room or adding nodes of the present sizes \
                 cannot help."
            ),
        )
    } else {
        (
            format!(
                "{} for {resource} {needs}, and no node that it may use offers any",
                group.asks()
            ),
            format!(
                "It asks for {resource} {needs}, but no node that it may use offers {resource} \
                 (allocatable 0).{}",
                idle_devices(world, resource)
            ),
        )
    };
    let (elsewhere, or_there) = match &large.elsewhere {
        None => (String::new(), ""),
        Some(e) => (
            format!("{e}."),
            "Or let the pod use the node that is large enough.",
        ),
    };
    let lower = format!(
        "Lower the request of {resource} to what a node can give, or add a node with at least \
         {needs} of {resource} for pods."
    );
    Words {
        cause: Cause::TooLarge,
        title,
        explanation: spaced(&[&explanation, &elsewhere]),
        cure: spaced(&[&lower, or_there]),
    }
}

/// Nodes that have devices but do not offer them.
fn idle_devices(world: &World<'_>, resource: &str) -> String {
    let idle = world.slots.iter().filter(|s| {
        s.node.capacity.get(resource).is_positive()
            && !s.node.allocatable.get(resource).is_positive()
    });
    let names = phrase::names(idle.map(|s| &s.node.name), MAX_ANSWERS);
    if names.is_empty() {
        return names;
    }
    format!(" {names} has some of it but offers none: its device plugin is not running.")
}

/// A rule of the pod or a mark on the nodes.
pub fn of_rule(
    world: &World<'_>,
    group: &Group<'_>,
    main: Obstacle,
    remedy: Option<&Remedy>,
) -> Words {
    let answers = main_answers(group, main);
    let nodes = node_names(world, &answers);
    let details: BTreeSet<String> = answers
        .iter()
        .flat_map(|a| a.refusals.iter().filter(|r| r.obstacle == main))
        .map(|r| match r.detail().split_once(": ") {
            // Which pod is in the way differs from node to node; the rule is one.
            Some((rule, _)) if main == Obstacle::Apart => rule.to_owned(),
            _ => r.detail().into_owned(),
        })
        .collect();
    let details = phrase::names(&details, MAX_DETAILS);
    let add = remedy
        .and_then(|r| room::advice(group, r))
        .unwrap_or_default();
    let or_add = add.replacen("Add", "Or add", 1);
    let pod = group.pods[0];
    let (cause, title, cure) = match main {
        Obstacle::Health | Obstacle::Cordon => of_closed(group, main, &answers, &nodes, &details),
        Obstacle::Taint | Obstacle::ControlPlane => {
            let taints = taints(world, &answers, pod);
            (
                Cause::Taint,
                format!("the taint {taints} on {nodes} is not tolerated"),
                format!(
                    "Give the pod template a toleration for {taints}, or take the taint off a node \
                     if it is not meant for these pods."
                ),
            )
        }
        Obstacle::Selector => (
            Cause::Selector,
            format!("no node matches its {}", wanted(pod)),
            format!(
                "Label a fitting node ({}) or correct the selector or affinity in the pod template.",
                wanted(pod)
            ),
        ),
        Obstacle::Room
        | Obstacle::Apart
        | Obstacle::Spread
        | Obstacle::Near
        | Obstacle::Port
        | Obstacle::Volume => of_neighbours(main, group.it(), &details),
    };
    let cure = spaced(&[&cure, &or_add]);
    let rest: Vec<&Answer> = group
        .verdict
        .answers
        .iter()
        .filter(|a| !answers.iter().any(|m| m.slot == a.slot))
        .collect();
    let main_words = answers_in_words(world, &answers);
    let explanation = spaced(&[&main_words, &answers_in_words(world, &rest)]);
    Words {
        cause,
        title,
        explanation,
        cure,
    }
}

/// Nodes that would take the pods, but are ill or cordoned.
fn of_closed(
    group: &Group<'_>,
    main: Obstacle,
    answers: &[&Answer],
    nodes: &str,
    details: &str,
) -> (Cause, String, String) {
    let it = group.it();
    let are = if answers.len() == 1 { "is" } else { "are" };
    if main == Obstacle::Health {
        return (
            Cause::Shortage,
            format!("{nodes}, which would take {it}, {are} not healthy ({details})"),
            format!("Bring {nodes} back: that places {it}."),
        );
    }
    (
        Cause::Cordon,
        format!("{nodes}, which would take {it}, {are} cordoned"),
        format!(
            "Uncordon {nodes} (`kubectl uncordon`), if the maintenance is over: that places {it}."
        ),
    )
}

fn of_neighbours(main: Obstacle, it: &str, details: &str) -> (Cause, String, String) {
    let (cause, title, cure) = match main {
        Obstacle::Apart => (
            Cause::Apart,
            format!("every node that may take {it} has a pod that must not be near ({details})"),
            "Have no more replicas than nodes that may take them, or make the rule a preferred one.",
        ),
        Obstacle::Spread => (
            Cause::Spread,
            format!("its topology spread constraint leaves no node ({details})"),
            "Make room in the emptiest domain, raise maxSkew or use ScheduleAnyway.",
        ),
        Obstacle::Near => (
            Cause::Near,
            format!("pod affinity finds no node ({details})"),
            "Start the pods that it must be near to, or correct the labels in the affinity.",
        ),
        Obstacle::Port => (
            Cause::HostPort,
            format!("its host port is taken on every node that may take {it} ({details})"),
            "Use another host port or none, or have no more replicas than nodes.",
        ),
        Obstacle::Volume
        | Obstacle::Health
        | Obstacle::Cordon
        | Obstacle::Room
        | Obstacle::Taint
        | Obstacle::Selector
        | Obstacle::ControlPlane => (
            Cause::Volume,
            format!("its volume cannot be reached from the nodes that may take {it} ({details})"),
            "Make room on, or bring back, a node from which the volume is reached, or move the \
             data to a volume that other nodes reach.",
        ),
    };
    (cause, title, cure.to_owned())
}

/// The nodes that stand for the main obstacle: those that would take the pods without it, else
/// those that have no other reason, else all that have it.
fn main_answers<'g>(group: &'g Group<'_>, main: Obstacle) -> Vec<&'g Answer> {
    let cured = group.without.get(&main).map(|(_, slots)| slots);
    let at_once = matches!(main, Obstacle::Health | Obstacle::Cordon);
    if let Some(slots) = cured.filter(|slots| at_once && !slots.is_empty()) {
        return group
            .verdict
            .answers
            .iter()
            .filter(|a| slots.contains(&a.slot))
            .collect();
    }
    let only = group.verdict.only(main);
    if only.is_empty() {
        group
            .verdict
            .answers
            .iter()
            .filter(|a| a.has(main))
            .collect()
    } else {
        only
    }
}

/// `n1, n2: taint a=b:NoSchedule is not tolerated; n3: …`: equal answers together.
fn answers_in_words(world: &World<'_>, answers: &[&Answer]) -> String {
    let mut same: BTreeMap<String, Vec<&Answer>> = BTreeMap::new();
    for answer in answers.iter().filter(|a| !a.refusals.is_empty()) {
        same.entry(answer.shown()).or_default().push(answer);
    }
    let more = same.len().saturating_sub(MAX_ANSWERS);
    let mut lines: Vec<String> = same
        .iter()
        .take(MAX_ANSWERS)
        .map(|(shown, answers)| format!("{}: {shown}", node_names(world, answers)))
        .collect();
    if more > 0 {
        lines.push(format!("{more} more kinds of answers"));
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("{}.", lines.join("; "))
    }
}

fn taints(world: &World<'_>, answers: &[&Answer], pod: &Pod) -> String {
    let all: BTreeSet<String> = answers
        .iter()
        .flat_map(|a| world.slots[a.slot].node.taints.iter())
        .filter(|t| t.is_hard() && !t.is_of_cordon() && !pod.placement.tolerates(t))
        .map(crate::kube::placement::Taint::shown)
        .collect();
    phrase::names(all, MAX_DETAILS)
}

/// `nodeSelector disktype=ssd and node affinity zone in (a, b)`.
fn wanted(pod: &Pod) -> String {
    let mut parts = Vec::new();
    if !pod.placement.node_labels.is_empty() {
        let labels = pod
            .placement
            .node_labels
            .iter()
            .map(|(k, v)| format!("{k}={v}"));
        parts.push(format!(
            "nodeSelector {}",
            phrase::names(labels, MAX_ANSWERS)
        ));
    }
    if let Some(rule) = &pod.placement.node_affinity {
        parts.push(format!("node affinity {}", rule.shown()));
    }
    parts.join(" and ")
}

/// The sentences that are there, with one space between them.
fn spaced(sentences: &[&str]) -> String {
    let filled: Vec<&str> = sentences
        .iter()
        .copied()
        .filter(|s| !s.is_empty())
        .collect();
    filled.join(" ")
}
