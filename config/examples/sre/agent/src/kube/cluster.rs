//! A cluster as it was recorded: all objects, sorted by name, events sorted by time.
//!
//! # Invariant
//! The order in which objects were taken makes no difference. Of two versions of one object the
//! newer (by `resourceVersion`) stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde_json::Value;

use super::Key;
use super::event::Event;
use super::label::Labels;
use super::moment::Moment;
use super::node::Node;
use super::place::Place;
use super::pod::Pod;
use super::storage::{Claim, StorageClass, Volume};
use super::workload::{Quota, WORKLOAD_KINDS, Workload, WorkloadId, workload_of};

/// More objects than this are not kept: four times the largest cluster that Kubernetes supports
/// would not fit into an agent's memory.
pub const MAX_OBJECTS: usize = 600_000;

/// All objects of a recording.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// By namespace and name.
    pub pods: BTreeMap<Key, Pod>,
    /// By namespace and name.
    pub claims: BTreeMap<Key, Claim>,
    /// By name.
    pub volumes: BTreeMap<String, Volume>,
    /// By name.
    pub classes: BTreeMap<String, StorageClass>,
    /// By kind and name.
    pub workloads: BTreeMap<WorkloadId, Workload>,
    /// By namespace and name.
    pub quotas: BTreeMap<Key, Quota>,
    /// Labels of the recorded namespaces.
    pub namespaces: BTreeMap<String, Labels>,
    /// Sorted by time.
    pub events: Vec<Event>,
    /// The latest moment that any object speaks of: the time of the recording.
    pub now: Option<Moment>,
    /// Kinds of which something, or an empty list, was recorded.
    kinds: BTreeSet<String>,
    /// How many objects were taken, versions of one object counted once.
    objects: usize,
    versions: BTreeMap<(String, Key), u64>,
    /// Places in `events` by kind and name of the object that they speak of.
    spoken_of: BTreeMap<String, BTreeMap<Key, Vec<usize>>>,
}

impl Cluster {
    /// Takes one object of kind `kind`; answers whether the kind is one that matters here.
    pub fn take(&mut self, kind: &str, value: &Value) -> bool {
        let object = Place::of(value);
        let meta = object.at("metadata");
        let key = Key {
            namespace: meta.at("namespace").string(),
            name: meta.at("name").string(),
        };
        if key.name.is_empty() || self.objects >= MAX_OBJECTS {
            return false;
        }
        let version = meta
            .at("resourceVersion")
            .whole()
            .and_then(|v| u64::try_from(v).ok());
        let rank = Rank {
            known: self.versions.get(&(kind.to_owned(), key.clone())),
            version,
        };
        let taken = match kind {
            "Node" => keep(&mut self.nodes, key.name.clone(), Node::read(object), &rank),
            "Pod" => keep(&mut self.pods, key.clone(), Pod::read(object), &rank),
            "PersistentVolumeClaim" => {
                keep(&mut self.claims, key.clone(), Claim::read(object), &rank)
            }
            "PersistentVolume" => keep(
                &mut self.volumes,
                key.name.clone(),
                Volume::read(object),
                &rank,
            ),
            "StorageClass" => keep(
                &mut self.classes,
                key.name.clone(),
                StorageClass::read(object),
                &rank,
            ),
            "ResourceQuota" => keep(&mut self.quotas, key.clone(), Quota::read(object), &rank),
            "Namespace" => {
                let labels = meta.at("labels").labels();
                keep(&mut self.namespaces, key.name.clone(), labels, &rank)
            }
            "Event" => {
                self.events.push(Event::read(object));
                Kept::New
            }
            _ if WORKLOAD_KINDS.contains(&kind) => {
                let id = WorkloadId {
                    key: key.clone(),
                    kind: kind.to_owned(),
                };
                keep(&mut self.workloads, id, Workload::read(kind, object), &rank)
            }
            _ => return false,
        };
        if taken == Kept::New {
            self.objects += 1;
        }
        if taken != Kept::Older && kind != "Event" {
            self.versions
                .insert((kind.to_owned(), key), version.unwrap_or(0));
        }
        self.note_kind(kind);
        self.note_time(object);
        true
    }

    /// Notes that `kind` was recorded, though perhaps none of it is there.
    pub fn note_kind(&mut self, kind: &str) {
        if !self.kinds.contains(kind) {
            self.kinds.insert(kind.to_owned());
        }
    }

    fn note_time(&mut self, object: Place<'_>) {
        let status = object.at("status");
        let mut latest = object.at("metadata").at("creationTimestamp").moment();
        let mut see = |moment: Option<Moment>| latest = latest.max(moment);
        for condition in status.at("conditions").list() {
            for field in ["lastTransitionTime", "lastHeartbeatTime", "lastProbeTime"] {
                see(condition.at(field).moment());
            }
        }
        for list in ["containerStatuses", "initContainerStatuses"] {
            for container in status.at(list).list() {
                let state = container.at("state");
                see(state.at("running").at("startedAt").moment());
                see(state.at("terminated").at("finishedAt").moment());
            }
        }
        for field in ["lastTimestamp", "deprecatedLastTimestamp", "eventTime"] {
            see(object.at(field).moment());
        }
        see(object.at("series").at("lastObservedTime").moment());
        self.now = self.now.max(latest);
    }

    /// Puts everything into its final order.
    pub fn finish(&mut self) {
        let before = self.events.len();
        self.events.sort();
        self.events.dedup();
        self.objects -= before - self.events.len();
        self.versions.clear();
        self.spoken_of.clear();
        for (index, event) in self.events.iter().enumerate() {
            let of_kind = self.spoken_of.entry(event.kind.clone()).or_default();
            of_kind.entry(event.object.clone()).or_default().push(index);
        }
    }

    /// Was this kind recorded, even if none of it exists?
    pub fn has_recorded(&self, kind: &str) -> bool {
        self.kinds.contains(kind)
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Seconds from `moment` to the time of the recording.
    pub fn age_s(&self, moment: Option<Moment>) -> Option<i64> {
        Some(self.now?.seconds_since(moment?))
    }

    /// The events that speak of this pod, not of an earlier one of the same name; oldest first.
    pub fn events_of<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a Event> {
        self.events_about("Pod", &pod.key)
            .filter(|e| e.uid.is_empty() || pod.uids.is_empty() || pod.uids.contains(&e.uid))
    }

    /// The events that speak of an object of `kind` at `key`, oldest first.
    pub fn events_about(&self, kind: &str, key: &Key) -> impl Iterator<Item = &Event> {
        let places = self
            .spoken_of
            .get(kind)
            .and_then(|of_kind| of_kind.get(key));
        places
            .into_iter()
            .flatten()
            .filter_map(|index| self.events.get(*index))
    }

    /// The workload that a pod belongs to, by recorded controllers where there are any.
    pub fn workload_of(&self, pod: &Pod) -> WorkloadId {
        let Some(owner) = &pod.owner else {
            return workload_of(pod);
        };
        let direct = WorkloadId {
            key: Key::new(&pod.key.namespace, &owner.name),
            kind: owner.kind.clone(),
        };
        match self.workloads.get(&direct).map(|w| &w.owner) {
            None => workload_of(pod),
            Some(None) => direct,
            Some(Some(above)) => WorkloadId {
                key: Key::new(&pod.key.namespace, &above.name),
                kind: above.kind.clone(),
            },
        }
    }
}

#[derive(PartialEq, Eq)]
enum Kept {
    New,
    Newer,
    Older,
}

struct Rank<'a> {
    known: Option<&'a u64>,
    version: Option<u64>,
}

/// Keeps the newer of two versions; of two equally new ones the one that is written later in the
/// alphabet, so that the order of reading makes no difference.
fn keep<K: Ord, V: Debug + PartialEq>(
    all: &mut BTreeMap<K, V>,
    key: K,
    new: V,
    rank: &Rank<'_>,
) -> Kept {
    let Some(old) = all.get(&key) else {
        all.insert(key, new);
        return Kept::New;
    };
    let version = rank.version.unwrap_or(0);
    let is_newer = match rank.known {
        Some(known) if *known != version => *known < version,
        _ => *old != new && format!("{old:?}") < format!("{new:?}"),
    };
    if !is_newer {
        return Kept::Older;
    }
    all.insert(key, new);
    Kept::Newer
}
