//! The nodes with what runs on each, and whether a pod could go there too.
//!
//! # Why
//! A world can be changed: nodes are added, pods are put onto nodes. So the question "would it fit
//! then?" is answered by the same filters as "why does it not fit now?".

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kube::cluster::Cluster;
use crate::kube::node::{HOSTNAME, Node};
use crate::kube::placement::Taint;
use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;
use crate::kube::resources::Resources;
use crate::kube::{Condition, Key};

use super::refusal::{Obstacle, Refusal, Shortfall};
use super::{neighbours, storage};

/// A node and what is on it.
#[derive(Debug, Clone)]
pub struct Slot<'a> {
    /// The node, recorded or imagined.
    pub node: Cow<'a, Node>,
    /// What its pods ask for together.
    pub used: Resources,
    /// The pods that take room on it.
    pub pods: Vec<&'a Pod>,
    /// Pods for which room is being made here.
    promised: Vec<&'a Pod>,
    /// Imagined?
    pub is_new: bool,
}

impl Slot<'_> {
    /// What is left of a resource; may be negative.
    pub fn free(&self, resource: &str) -> Quantity {
        self.node.allocatable.get(resource) - self.used.get(resource)
    }
}

/// What an added node is made like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The recorded node whose size and labels it has.
    pub slot: usize,
    /// Without the taints of that node?
    pub is_bare: bool,
}

/// All nodes of a cluster.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// The recording.
    pub cluster: &'a Cluster,
    /// The nodes, by name; imagined ones last.
    pub slots: Vec<Slot<'a>>,
    /// The placed pods that keep others away, with the place of their slot.
    pub guarded: Vec<(usize, &'a Pod)>,
}

impl<'a> World<'a> {
    /// The world as it was recorded.
    pub fn of(cluster: &'a Cluster) -> Self {
        let mut slots: Vec<Slot<'a>> = cluster
            .nodes
            .values()
            .map(|n| slot(Cow::Borrowed(n)))
            .collect();
        let places: BTreeMap<&str, usize> = cluster
            .nodes
            .keys()
            .enumerate()
            .map(|(i, n)| (n.as_str(), i))
            .collect();
        for pod in cluster.pods.values().filter(|p| !p.is_over()) {
            if let Some(index) = pod.node.as_deref().and_then(|n| places.get(n)) {
                slots[*index].used.add(&pod.requests);
                slots[*index].pods.push(pod);
            } else if pod.node.is_none()
                && let Some(index) = pod.nominated.as_deref().and_then(|n| places.get(n))
            {
                slots[*index].promised.push(pod);
            }
        }
        let mut world = Self {
            cluster,
            slots,
            guarded: Vec::new(),
        };
        for index in 0..world.slots.len() {
            world.guard(index, 0);
        }
        world
    }

    /// Notes the pods of a slot, from the `first` on, that keep others away.
    fn guard(&mut self, slot: usize, first: usize) {
        let pods = &self.slots[slot].pods[first..];
        let keeping = pods.iter().filter(|p| !p.placement.apart.is_empty());
        self.guarded.extend(keeping.map(|p| (slot, *p)));
    }

    /// The same world without the pods that are being deleted on nodes that do not work.
    pub fn relieved(&self) -> Self {
        self.thinned(|slot, pod| pod.deleted.is_none() || slot.node.unready().is_none())
    }

    /// The same world without the pods of a priority below `priority`.
    pub fn without_lesser(&self, priority: i64) -> Self {
        self.thinned(|_, pod| pod.priority >= priority)
    }

    fn thinned(&self, stays: impl Fn(&Slot<'a>, &Pod) -> bool) -> Self {
        let mut world = self.clone();
        world.guarded.clear();
        for index in 0..world.slots.len() {
            let (kept, gone): (Vec<&'a Pod>, Vec<&'a Pod>) = self.slots[index]
                .pods
                .iter()
                .copied()
                .partition(|p| stays(&self.slots[index], p));
            for pod in gone {
                world.slots[index].used.remove(&pod.requests);
            }
            world.slots[index].pods = kept;
            world.guard(index, 0);
        }
        world
    }

    /// Puts a pod onto a node, whether it fits or not.
    pub fn place(&mut self, pod: &'a Pod, slot: usize) {
        self.slots[slot].used.add(&pod.requests);
        self.slots[slot].pods.push(pod);
        self.guard(slot, self.slots[slot].pods.len() - 1);
    }

    /// Takes back the pod that was put onto a node last.
    pub fn take_back(&mut self, slot: usize) {
        if let Some(pod) = self.slots[slot].pods.pop() {
            self.slots[slot].used.remove(&pod.requests);
            if !pod.placement.apart.is_empty() {
                self.guarded.pop();
            }
        }
    }

    /// Adds a healthy, empty node like `template`, with the pods that every such node runs (those
    /// of daemon sets and the node's own).
    pub fn add_like(&mut self, template: &Template) {
        let like = &self.slots[template.slot];
        let mut node = like.node.clone().into_owned();
        node.name = format!("new-{}-{}", self.slots.len(), like.node.name);
        node.labels.insert(HOSTNAME.to_owned(), node.name.clone());
        let stays = |t: &Taint| !t.is_of_health() && !t.is_of_cordon() && !template.is_bare;
        node.taints.retain(stays);
        node.is_cordoned = false;
        node.conditions = vec![Condition {
            kind: "Ready".to_owned(),
            status: "True".to_owned(),
            ..Condition::default()
        }];
        let mut new = slot(Cow::Owned(node));
        new.is_new = true;
        new.pods = like
            .pods
            .iter()
            .copied()
            .filter(|p| is_of_every_node(p))
            .collect();
        for pod in &new.pods {
            new.used.add(&pod.requests);
        }
        self.slots.push(new);
        self.guard(self.slots.len() - 1, 0);
    }

    /// Every reason for which the node refuses the pod, in the scheduler's order.
    pub fn refusals(&self, pod: &Pod, slot: usize) -> Vec<Refusal> {
        let here = &self.slots[slot];
        let mut refusals = Vec::new();
        on_node(pod, &here.node, &mut refusals);
        ports(pod, here, &mut refusals);
        room(pod, here, &mut refusals);
        storage::on_node(self.cluster, pod, &here.node, &mut refusals);
        neighbours::spread(self, pod, slot, &mut refusals);
        neighbours::apart(self, pod, slot, &mut refusals);
        neighbours::near(self, pod, slot, &mut refusals);
        refusals
    }

    /// Would the node take the pod, if the reasons of `ignored` families did not count?
    pub fn takes(&self, pod: &Pod, slot: usize, ignored: &[Obstacle]) -> bool {
        self.refusals(pod, slot)
            .iter()
            .all(|r| ignored.contains(&r.obstacle))
    }
}

fn slot(node: Cow<'_, Node>) -> Slot<'_> {
    Slot {
        node,
        used: Resources::default(),
        pods: Vec::new(),
        promised: Vec::new(),
        is_new: false,
    }
}

/// Does such a pod come with every node?
fn is_of_every_node(pod: &Pod) -> bool {
    pod.owner
        .as_ref()
        .is_some_and(|o| o.kind == "DaemonSet" || o.kind == "Node")
}

/// What the node itself says: cordon, health, taints, labels.
fn on_node(pod: &Pod, node: &Node, refusals: &mut Vec<Refusal>) {
    let rules = &pod.placement;
    let cordon = taint("node.kubernetes.io/unschedulable");
    if node.is_cordoned && !rules.tolerates(&cordon) {
        let (label, detail) = ("node(s) were unschedulable", "the node is cordoned");
        refusals.push(Refusal::new(Obstacle::Cordon, label, detail));
    }
    let hard = node
        .taints
        .iter()
        .filter(|t| t.is_hard() && !t.is_of_cordon());
    let mut ill = false;
    for taint in hard {
        ill |= taint.is_of_health();
        if rules.tolerates(taint) {
            continue;
        }
        let obstacle = match taint {
            t if t.is_of_health() => Obstacle::Health,
            t if t.is_of_control_plane() => Obstacle::ControlPlane,
            _ => Obstacle::Taint,
        };
        let label = format!(
            "node(s) had untolerated taint {{{}: {}}}",
            taint.key, taint.value
        );
        let detail = format!("taint {} is not tolerated", taint.shown());
        refusals.push(Refusal::new(obstacle, label, detail));
    }
    if !ill {
        untainted_illness(pod, node, refusals);
    }
    for (key, value) in &rules.node_labels {
        if node.labels.get(key) != Some(value) {
            let have = node
                .labels
                .get(key)
                .map_or("is not set".to_owned(), |v| format!("is {v}"));
            let detail = format!("nodeSelector wants {key}={value}, the node's label {have}");
            refusals.push(selector(detail));
        }
    }
    if let Some(rule) = &rules.node_affinity
        && !rule.is_met_by(&node.name, &node.labels)
    {
        refusals.push(selector(format!("node affinity wants {}", rule.shown())));
    }
}

fn selector(detail: String) -> Refusal {
    let label = "node(s) didn't match Pod's node affinity/selector";
    Refusal::new(Obstacle::Selector, label, detail)
}

/// A node that is ill but does not carry the taint yet: it is about to.
fn untainted_illness(pod: &Pod, node: &Node, refusals: &mut Vec<Refusal>) {
    let mut marks = Vec::new();
    if node.unready().is_some() {
        marks.push((
            "node.kubernetes.io/not-ready",
            "the node is NotReady".to_owned(),
        ));
    }
    for pressure in node.pressures() {
        let key = match pressure.kind.as_str() {
            // Pods that ask for anything tolerate the pressure by an admission rule.
            "MemoryPressure" if pod.requests.iter().any(|(_, a)| a.is_positive()) => continue,
            "MemoryPressure" => "node.kubernetes.io/memory-pressure",
            "DiskPressure" => "node.kubernetes.io/disk-pressure",
            "PIDPressure" => "node.kubernetes.io/pid-pressure",
            _ => "node.kubernetes.io/network-unavailable",
        };
        marks.push((key, format!("the node has {}", pressure.kind)));
    }
    for (key, detail) in marks {
        if !pod.placement.tolerates(&taint(key)) {
            let label = format!("node(s) had untolerated taint {{{key}: }}");
            refusals.push(Refusal::new(Obstacle::Health, label, detail));
        }
    }
}

fn taint(key: &str) -> Taint {
    Taint {
        key: key.to_owned(),
        value: String::new(),
        effect: "NoSchedule".to_owned(),
    }
}

fn ports(pod: &Pod, here: &Slot<'_>, refusals: &mut Vec<Refusal>) {
    let wanted = pod.host_ports();
    if wanted.is_empty() {
        return;
    }
    for other in &here.pods {
        let taken = other.host_ports();
        if let Some(port) = wanted.iter().find(|w| taken.iter().any(|t| t.collides(w))) {
            let label = "node(s) didn't have free ports for the requested pod ports";
            let detail = format!(
                "host port {}/{} is taken by {}",
                port.port, port.protocol, other.key
            );
            refusals.push(Refusal::new(Obstacle::Port, label, detail));
            return;
        }
    }
}

fn room(pod: &Pod, here: &Slot<'_>, refusals: &mut Vec<Refusal>) {
    let promised: Vec<&&Pod> = here
        .promised
        .iter()
        .filter(|p| p.key != pod.key && p.priority >= pod.priority)
        .collect();
    let allocatable = &here.node.allocatable;
    let count = i64::try_from(here.pods.len() + promised.len()).unwrap_or(i64::MAX);
    let places = allocatable.get("pods");
    if allocatable.has("pods") && Quantity::whole(count) + Quantity::whole(1) > places {
        refusals.push(Refusal::short(Shortfall {
            resource: "pods".to_owned(),
            needs: Quantity::whole(1),
            free: places - Quantity::whole(count),
            allocatable: places,
        }));
    }
    for (resource, needs) in pod
        .requests
        .iter()
        .filter(|(_, amount)| amount.is_positive())
    {
        let held = promised
            .iter()
            .fold(Quantity::ZERO, |sum, p| sum + p.requests.get(resource));
        let free = here.free(resource) - held;
        if needs > free {
            refusals.push(Refusal::short(Shortfall {
                resource: resource.to_owned(),
                needs,
                free,
                allocatable: allocatable.get(resource),
            }));
        }
    }
}

/// The labels by which a namespace can be chosen.
pub fn namespace_labels(cluster: &Cluster, name: &str) -> crate::kube::label::Labels {
    let mut labels = cluster.namespaces.get(name).cloned().unwrap_or_default();
    labels
        .entry("kubernetes.io/metadata.name".to_owned())
        .or_insert_with(|| name.to_owned());
    labels
}

/// The pods of a cluster that wait for a node, by key.
pub fn unplaced(cluster: &Cluster) -> impl Iterator<Item = (&Key, &Pod)> {
    cluster.pods.iter().filter(|(_, pod)| pod.is_unplaced())
}
