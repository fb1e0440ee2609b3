//! Rules about other pods: together, apart, evenly spread.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::Key;
use crate::kube::node::Node;
use crate::kube::placement::{PodTerm, Spread};
use crate::kube::pod::Pod;

use super::refusal::{Obstacle, Refusal};
use super::world::{World, namespace_labels};

/// What the pods of the whole world mean for one pod.
pub struct Neighbourhood<'w> {
    /// For each of the pod's own rules: the domains where somebody is that it must not be near.
    apart: Vec<(&'w PodTerm, BTreeMap<&'w str, &'w Key>)>,
    /// By label and domain: who keeps the pod away from there, and by which rule.
    kept_away: BTreeMap<(&'w str, &'w str), (&'w Key, &'w PodTerm)>,
    /// For each of the pod's own rules: the domains where somebody is that it must be near.
    near: Vec<(&'w PodTerm, BTreeSet<&'w str>)>,
    /// Is it the first of a group that wants to be near itself? It may go anywhere.
    is_first: bool,
    spread: Vec<Balance<'w>>,
}

/// How many pods a spread counts in each domain.
struct Balance<'w> {
    rule: &'w Spread,
    counts: BTreeMap<&'w str, i64>,
    fewest: i64,
    /// Does the pod count itself?
    itself: i64,
}

impl<'w> Neighbourhood<'w> {
    /// Looks at all pods once.
    pub fn of(world: &'w World<'_>, pod: &'w Pod) -> Self {
        let rules = &pod.placement;
        let near: Vec<_> = rules
            .near
            .iter()
            .map(|t| (t, domains(world, pod, t)))
            .collect();
        let near: Vec<(&PodTerm, BTreeSet<&str>)> = near
            .into_iter()
            .map(|(t, found)| (t, found.into_keys().collect()))
            .collect();
        Self {
            apart: rules
                .apart
                .iter()
                .map(|t| (t, domains(world, pod, t)))
                .collect(),
            kept_away: kept_away(world, pod),
            is_first: is_first_of_its_kind(world, pod),
            near,
            spread: rules
                .spread
                .iter()
                .map(|rule| balance(world, pod, rule))
                .collect(),
        }
    }

    /// What that means on one node, in the scheduler's order.
    pub fn on_node(&self, node: &Node, refusals: &mut Vec<Refusal>) {
        for balance in &self.spread {
            refusals.extend(balance.on_node(node));
        }
        for (term, domains) in &self.apart {
            let there = domain(node, &term.topology_key).and_then(|d| domains.get(d));
            if let Some(other) = there {
                let label = "node(s) didn't match pod anti-affinity rules";
                let detail = format!("anti-affinity to {}: {other} is there", term.shown());
                refusals.push(Refusal::new(Obstacle::Apart, label, detail));
            }
        }
        let away = node
            .labels
            .iter()
            .find_map(|(k, v)| self.kept_away.get(&(k.as_str(), v.as_str())));
        if let Some((other, term)) = away {
            let label = "node(s) didn't satisfy existing pods anti-affinity rules";
            let detail = format!("{other} keeps {} away", term.shown());
            refusals.push(Refusal::new(Obstacle::Apart, label, detail));
        }
        let labelled = self
            .near
            .iter()
            .all(|(t, _)| domain(node, &t.topology_key).is_some());
        if self.is_first && labelled {
            return;
        }
        for (term, domains) in &self.near {
            let found = domain(node, &term.topology_key).is_some_and(|d| domains.contains(d));
            if !found {
                let label = "node(s) didn't match pod affinity rules";
                let detail = format!("no pod that it must be near to: {}", term.shown());
                refusals.push(Refusal::new(Obstacle::Near, label, detail));
            }
        }
    }
}

impl Balance<'_> {
    fn on_node(&self, node: &Node) -> Option<Refusal> {
        let Self {
            rule,
            counts,
            fewest,
            itself,
        } = self;
        let Some(own) = domain(node, &rule.topology_key) else {
            let label = "node(s) didn't match pod topology spread constraints \
                         (missing required label)";
            let detail = format!("the node has no label {}", rule.topology_key);
            return Some(Refusal::new(Obstacle::Spread, label, detail));
        };
        let count = counts.get(own).copied().unwrap_or(0);
        (count + itself - fewest > rule.max_skew).then(|| {
            let label = "node(s) didn't match pod topology spread constraints";
            let detail = format!(
                "spread over {}: {own} has {count} already, the emptiest {fewest}, maxSkew {}",
                rule.topology_key, rule.max_skew
            );
            Refusal::new(Obstacle::Spread, label, detail)
        })
    }
}

fn domain<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.labels.get(key).map(String::as_str)
}

/// Does the term of `of` speak of `other`?
fn speaks_of(world: &World<'_>, of: &Pod, term: &PodTerm, other: &Pod) -> bool {
    let namespace = &other.key.namespace;
    term.selector.selects(&other.labels)
        && term.covers(&of.key.namespace, namespace, || {
            namespace_labels(world.cluster, namespace)
        })
}

/// The domains in which somebody is of whom the term speaks, each with the first of them.
fn domains<'w>(world: &'w World<'_>, pod: &Pod, term: &PodTerm) -> BTreeMap<&'w str, &'w Key> {
    let mut found = BTreeMap::new();
    for slot in &world.slots {
        let Some(own) = domain(&slot.node, &term.topology_key) else {
            continue;
        };
        if found.contains_key(own) {
            continue;
        }
        if let Some(other) = slot.pods.iter().find(|o| speaks_of(world, pod, term, o)) {
            found.insert(own, &other.key);
        }
    }
    found
}

/// Where those that are there keep the pod away; what it demands itself is not said twice.
fn kept_away<'w>(
    world: &'w World<'_>,
    pod: &Pod,
) -> BTreeMap<(&'w str, &'w str), (&'w Key, &'w PodTerm)> {
    let mut away = BTreeMap::new();
    for (slot, other) in &world.guarded {
        for term in &other.placement.apart {
            if pod.placement.apart.contains(term) || !speaks_of(world, other, term, pod) {
                continue;
            }
            let key = term.topology_key.as_str();
            if let Some(theirs) = domain(&world.slots[*slot].node, key) {
                away.entry((key, theirs)).or_insert((&other.key, term));
            }
        }
    }
    away
}

/// The first pod of a group that wants to be near itself may go anywhere with the labels.
fn is_first_of_its_kind(world: &World<'_>, pod: &Pod) -> bool {
    let terms = &pod.placement.near;
    let is_meant = |other: &Pod| terms.iter().all(|t| speaks_of(world, pod, t, other));
    !terms.is_empty()
        && is_meant(pod)
        && !world
            .slots
            .iter()
            .flat_map(|s| &s.pods)
            .any(|other| is_meant(other))
}

/// How many matching pods each domain has, over the nodes that the rule counts.
fn balance<'w>(world: &'w World<'_>, pod: &Pod, rule: &'w Spread) -> Balance<'w> {
    let mut counts = BTreeMap::new();
    let rules = &pod.placement;
    for slot in &world.slots {
        let node = &slot.node;
        let all_keys = rules
            .spread
            .iter()
            .all(|r| domain(node, &r.topology_key).is_some());
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
        if !all_keys || (rule.honors_affinity && !chosen) || (rule.honors_taints && !stands) {
            continue;
        }
        let Some(own) = domain(node, &rule.topology_key) else {
            continue;
        };
        let matching = slot.pods.iter().filter(|other| {
            other.key.namespace == pod.key.namespace
                && other.deleted.is_none()
                && rule.selector.selects(&other.labels)
        });
        *counts.entry(own).or_insert(0) += i64::try_from(matching.count()).unwrap_or(i64::MAX);
    }
    let few_domains = i64::try_from(counts.len()).unwrap_or(i64::MAX) < rule.min_domains;
    let fewest = if few_domains {
        0
    } else {
        counts.values().copied().min().unwrap_or(0)
    };
    Balance {
        rule,
        fewest,
        itself: i64::from(rule.selector.selects(&pod.labels)),
        counts,
    }
}
