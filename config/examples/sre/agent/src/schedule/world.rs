//! The nodes with what runs on each.
//!
//! # Why
//! A world can be changed and changed back: nodes are added, pods are put onto nodes. So the
//! question "would it fit then?" is answered by the same filters as "why does it not fit now?",
//! and nothing is copied for it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kube::cluster::Cluster;
use crate::kube::node::{HOSTNAME, Node};
use crate::kube::placement::Taint;
use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;
use crate::kube::resources::Resources;
use crate::kube::{Condition, Key};

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
    pub promised: Vec<&'a Pod>,
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

/// A state of a world that it can come back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    slots: usize,
    guarded: usize,
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

    /// The world as it is now, to come back to.
    pub fn mark(&self) -> Mark {
        Mark {
            slots: self.slots.len(),
            guarded: self.guarded.len(),
        }
    }

    /// Comes back to what was marked: `placed` are the slots onto which pods were put since then,
    /// in order.
    pub fn restore(&mut self, mark: Mark, placed: &[usize]) {
        for slot in placed.iter().rev().filter(|s| **s < mark.slots) {
            if let Some(pod) = self.slots[*slot].pods.pop() {
                self.slots[*slot].used.remove(&pod.requests);
            }
        }
        self.slots.truncate(mark.slots);
        self.guarded.truncate(mark.guarded);
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
