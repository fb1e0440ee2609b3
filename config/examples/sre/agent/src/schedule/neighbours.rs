//! Rules about other pods: together, apart, evenly spread.

use std::collections::BTreeMap;

use crate::kube::placement::{PodTerm, Spread};
use crate::kube::pod::Pod;

use super::refusal::{Obstacle, Refusal};
use super::world::{World, namespace_labels};

/// Does the term of `of` speak of `other`?
fn speaks_of(world: &World<'_>, of: &Pod, term: &PodTerm, other: &Pod) -> bool {
    let namespace = &other.key.namespace;
    term.selector.selects(&other.labels)
        && term.covers(&of.key.namespace, namespace, || {
            namespace_labels(world.cluster, namespace)
        })
}

fn domain<'w>(world: &'w World<'_>, slot: usize, key: &str) -> Option<&'w str> {
    world.slots[slot].node.labels.get(key).map(String::as_str)
}

/// The slots in the same domain as `slot`; none when it has no such label.
fn neighbours<'w>(
    world: &'w World<'_>,
    slot: usize,
    key: &'w str,
) -> impl Iterator<Item = usize> + 'w {
    let own = domain(world, slot, key);
    (0..world.slots.len()).filter(move |s| own.is_some() && domain(world, *s, key) == own)
}

/// Pods that must not be near: the pod's own rules and those of the pods that are there.
pub fn apart(world: &World<'_>, pod: &Pod, slot: usize, refusals: &mut Vec<Refusal>) {
    for term in &pod.placement.apart {
        let near = neighbours(world, slot, &term.topology_key)
            .flat_map(|s| &world.slots[s].pods)
            .find(|other| speaks_of(world, pod, term, other));
        if let Some(other) = near {
            let label = "node(s) didn't match pod anti-affinity rules";
            let detail = format!("anti-affinity to {}: {} is there", term.shown(), other.key);
            refusals.push(Refusal::new(Obstacle::Apart, label, detail));
        }
    }
    for (at, other) in &world.guarded {
        let against = other.placement.apart.iter().find(|term| {
            let theirs = domain(world, *at, &term.topology_key);
            theirs.is_some()
                && theirs == domain(world, slot, &term.topology_key)
                && speaks_of(world, other, term, pod)
        });
        // What the pod demands itself was said above.
        if let Some(term) = against.filter(|t| !pod.placement.apart.contains(t)) {
            let label = "node(s) didn't satisfy existing pods anti-affinity rules";
            let detail = format!("{} keeps {} away", other.key, term.shown());
            refusals.push(Refusal::new(Obstacle::Apart, label, detail));
            return;
        }
    }
}

/// Pods that must be near.
pub fn near(world: &World<'_>, pod: &Pod, slot: usize, refusals: &mut Vec<Refusal>) {
    let terms = &pod.placement.near;
    if terms.is_empty() || is_first_of_its_kind(world, pod, slot) {
        return;
    }
    for term in terms {
        let found = neighbours(world, slot, &term.topology_key)
            .flat_map(|s| &world.slots[s].pods)
            .any(|other| speaks_of(world, pod, term, other));
        if !found {
            let label = "node(s) didn't match pod affinity rules";
            let detail = format!("no pod that it must be near to: {}", term.shown());
            refusals.push(Refusal::new(Obstacle::Near, label, detail));
        }
    }
}

/// The first pod of a group that wants to be near itself may go anywhere with the labels.
fn is_first_of_its_kind(world: &World<'_>, pod: &Pod, slot: usize) -> bool {
    let terms = &pod.placement.near;
    let has_labels = terms
        .iter()
        .all(|t| domain(world, slot, &t.topology_key).is_some());
    let wants_itself = terms.iter().all(|t| speaks_of(world, pod, t, pod));
    let nobody = || {
        !world
            .slots
            .iter()
            .flat_map(|s| &s.pods)
            .any(|other| terms.iter().all(|t| speaks_of(world, pod, t, other)))
    };
    has_labels && wants_itself && nobody()
}

/// Spreads that must hold.
pub fn spread(world: &World<'_>, pod: &Pod, slot: usize, refusals: &mut Vec<Refusal>) {
    for rule in &pod.placement.spread {
        let Some(own) = domain(world, slot, &rule.topology_key) else {
            let label =
                "node(s) didn't match pod topology spread constraints (missing required label)";
            let detail = format!("the node has no label {}", rule.topology_key);
            refusals.push(Refusal::new(Obstacle::Spread, label, detail));
            continue;
        };
        let counts = count_domains(world, pod, rule);
        let fewest = if i64::try_from(counts.len()).unwrap_or(i64::MAX) < rule.min_domains {
            0
        } else {
            counts.values().copied().min().unwrap_or(0)
        };
        let own_count = counts.get(own).copied().unwrap_or(0);
        let itself = i64::from(rule.selector.selects(&pod.labels));
        if own_count + itself - fewest > rule.max_skew {
            let label = "node(s) didn't match pod topology spread constraints";
            let detail = format!(
                "spread over {}: {own} has {own_count} already, the emptiest {fewest}, maxSkew {}",
                rule.topology_key, rule.max_skew
            );
            refusals.push(Refusal::new(Obstacle::Spread, label, detail));
        }
    }
}

/// How many matching pods each domain has, over the nodes that the rule counts.
fn count_domains<'w>(world: &'w World<'_>, pod: &Pod, rule: &Spread) -> BTreeMap<&'w str, i64> {
    let mut counts = BTreeMap::new();
    let all_keys = |s: usize| {
        pod.placement
            .spread
            .iter()
            .all(|r| domain(world, s, &r.topology_key).is_some())
    };
    for (index, there) in world.slots.iter().enumerate().filter(|(s, _)| all_keys(*s)) {
        let node = &there.node;
        let rules = &pod.placement;
        let chosen = rules
            .node_labels
            .iter()
            .all(|(k, v)| node.labels.get(k) == Some(v))
            && rules
                .node_affinity
                .as_ref()
                .is_none_or(|a| a.is_met_by(&node.name, &node.labels));
        let stands = node
            .taints
            .iter()
            .all(|t| !t.is_hard() || rules.tolerates(t));
        if (rule.honors_affinity && !chosen) || (rule.honors_taints && !stands) {
            continue;
        }
        let Some(own) = domain(world, index, &rule.topology_key) else {
            continue;
        };
        let matching = there.pods.iter().filter(|other| {
            other.key.namespace == pod.key.namespace
                && other.deleted.is_none()
                && rule.selector.selects(&other.labels)
        });
        *counts.entry(own).or_insert(0) += i64::try_from(matching.count()).unwrap_or(i64::MAX);
    }
    counts
}
