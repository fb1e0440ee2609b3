//! What a brief speaks of: pods, workloads, nodes and other objects that it names.
//!
//! # Why
//! People write `mse-gateway-0`, `pod/web-7d9c`, `checkout` or `the store pod`. An exact name
//! counts most, then one whose ordinal or hash is wrong, then a part of a name; and a name that
//! nothing matches is said to be missing rather than passed over.

use std::collections::BTreeSet;

use crate::kube::Key;
use crate::kube::workload::WorkloadId;

use super::fault::{Cause, Fault};
use super::population::Population;

/// More words of a brief are not looked at.
const MAX_WORDS: usize = 5000;
/// Words that say what kind of object the next word names.
const KIND_WORDS: [&str; 26] = [
    "pod",
    "pods",
    "po",
    "deployment",
    "deployments",
    "deploy",
    "statefulset",
    "statefulsets",
    "sts",
    "daemonset",
    "daemonsets",
    "ds",
    "job",
    "jobs",
    "cronjob",
    "cronjobs",
    "workload",
    "workloads",
    "service",
    "svc",
    "node",
    "nodes",
    "pvc",
    "claim",
    "namespace",
    "ns",
];
/// Words that stand beside those but name nothing, and words that are too common as a name.
const COMMON_WORDS: [&str; 124] = [
    "a",
    "about",
    "after",
    "again",
    "all",
    "already",
    "also",
    "an",
    "and",
    "any",
    "app",
    "are",
    "as",
    "at",
    "available",
    "backoff",
    "be",
    "been",
    "before",
    "broken",
    "but",
    "by",
    "can",
    "cannot",
    "case",
    "check",
    "claim",
    "claims",
    "cluster",
    "container",
    "containers",
    "cpu",
    "crash",
    "crashing",
    "crashloopbackoff",
    "creating",
    "default",
    "diagnose",
    "did",
    "do",
    "does",
    "down",
    "error",
    "errors",
    "every",
    "evicted",
    "fail",
    "failed",
    "failing",
    "fails",
    "find",
    "for",
    "from",
    "get",
    "gets",
    "has",
    "have",
    "healthy",
    "help",
    "hour",
    "how",
    "image",
    "in",
    "instance",
    "instances",
    "is",
    "it",
    "its",
    "keep",
    "keeps",
    "kubernetes",
    "look",
    "many",
    "memory",
    "minutes",
    "more",
    "my",
    "new",
    "no",
    "not",
    "notready",
    "of",
    "on",
    "one",
    "oom",
    "oomkilled",
    "or",
    "our",
    "out",
    "pending",
    "please",
    "problem",
    "ready",
    "restart",
    "restarting",
    "restarts",
    "root",
    "running",
    "runs",
    "several",
    "since",
    "slow",
    "so",
    "some",
    "start",
    "starting",
    "state",
    "status",
    "stays",
    "still",
    "stuck",
    "team",
    "that",
    "the",
    "their",
    "there",
    "these",
    "this",
    "to",
    "unhealthy",
    "volume",
    "was",
    "we",
    "what",
];
/// The labels by which people call a workload.
const NAME_LABELS: [&str; 5] = [
    "app",
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "k8s-app",
    "app.kubernetes.io/component",
];

/// What a brief speaks of.
#[derive(Debug, Default)]
pub struct Focus {
    pods: BTreeSet<Key>,
    workloads: BTreeSet<WorkloadId>,
    nodes: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    objects: BTreeSet<String>,
    /// The names as the brief has them, with what they were taken for.
    pub understood: BTreeSet<String>,
    /// Names that nothing in the recording bears.
    pub missing: BTreeSet<String>,
    hints: BTreeSet<Cause>,
}

impl Focus {
    /// Reads a brief against what was recorded.
    pub fn of(brief: &str, population: &Population<'_>) -> Self {
        let mut focus = Self {
            hints: hints(brief),
            ..Self::default()
        };
        let words = words(brief);
        let mut unmatched: Vec<(String, bool)> = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map(|i| words[i].as_str());
            let after = words.get(index + 1).map(String::as_str);
            let is_kind = |w: Option<&str>| w.is_some_and(|w| KIND_WORDS.contains(&w));
            if KIND_WORDS.contains(&word.as_str()) && !is_kind(before) {
                continue;
            }
            let pointed = is_kind(before);
            if COMMON_WORDS.contains(&word.as_str())
                && !(word == "default" && matches!(before.or(after), Some("namespace" | "ns")))
            {
                continue;
            }
            if !focus.take_exact(word, population) {
                unmatched.push((word.clone(), pointed || is_kind(after)));
            }
        }
        let exact = !focus.is_empty();
        for (word, pointed) in unmatched {
            let is_name = looks_like_name(&word) || pointed;
            let near = is_name && focus.take_near(&word, population);
            if !near && (!exact || pointed) && focus.take_part(&word, population) {
                continue;
            }
            if !near && is_name && (pointed || has_tail(&word)) {
                focus.missing.insert(word);
            }
        }
        focus.narrow();
        focus
    }

    /// Does the brief name nothing that was recorded?
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
            && self.workloads.is_empty()
            && self.nodes.is_empty()
            && self.namespaces.is_empty()
            && self.objects.is_empty()
    }

    /// The pods that the brief speaks of.
    pub fn pods<'a>(&'a self, population: &'a Population<'_>) -> BTreeSet<&'a Key> {
        let mut pods: BTreeSet<&Key> = self.pods.iter().collect();
        for (id, members) in &population.by_workload {
            let of_namespace = self.workloads.is_empty()
                && self.pods.is_empty()
                && self.namespaces.contains(&id.key.namespace);
            if self.workloads.contains(id) || of_namespace {
                pods.extend(members.iter().map(|p| &p.key));
            }
        }
        pods
    }

    /// Does the brief speak of what this fault touches?
    pub fn concerns(&self, fault: &Fault) -> bool {
        let whole_namespace = self.pods.is_empty() && self.workloads.is_empty();
        let inside = |key: &Key| whole_namespace && self.namespaces.contains(&key.namespace);
        !self.pods.is_disjoint(&fault.pods)
            || !self.workloads.is_disjoint(&fault.workloads)
            || !self.nodes.is_disjoint(&fault.nodes)
            || !self.objects.is_disjoint(&fault.objects)
            || fault.pods.iter().any(inside)
            || fault.workloads.iter().any(|w| inside(&w.key))
    }

    /// The place of a fault when nothing else decides: what the brief's words hint at comes first.
    pub fn rank(&self, fault: &Fault) -> impl Ord + use<> {
        (
            !self.concerns(fault),
            std::cmp::Reverse(fault.severity),
            !self.hints.contains(&fault.cause),
            fault.follows_from.is_some(),
            std::cmp::Reverse(fault.pods.len()),
            fault.cause,
            fault.title.clone(),
        )
    }

    fn take_exact(&mut self, word: &str, population: &Population<'_>) -> bool {
        let (namespace, name) = match word.split_once('/') {
            Some((kind, name)) if KIND_WORDS.contains(&kind) => (None, name),
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, word),
        };
        let here = |n: &str| namespace.is_none_or(|wanted| wanted == n);
        let cluster = population.cluster;
        let before = self.size();
        let pods = cluster
            .pods
            .keys()
            .filter(|k| k.name == name && here(&k.namespace));
        self.pods.extend(pods.cloned());
        if self.size() > before {
            self.understood.insert(format!("pod {name}"));
            return true;
        }
        for (id, members) in population
            .by_workload
            .iter()
            .filter(|(id, _)| here(&id.key.namespace))
        {
            let by_owner = members
                .iter()
                .any(|p| p.owner.as_ref().is_some_and(|o| o.name == name));
            let by_label = members.iter().any(|p| {
                NAME_LABELS
                    .iter()
                    .any(|l| p.labels.get(*l).is_some_and(|v| v == name))
            });
            if id.key.name == name || by_owner || by_label {
                self.workloads.insert(id.clone());
            }
        }
        let recorded = cluster
            .workloads
            .keys()
            .filter(|id| id.key.name == name && here(&id.key.namespace));
        self.workloads.extend(recorded.cloned());
        let node = |n: &&String| n.as_str() == name || n.split('.').next() == Some(name);
        self.nodes
            .extend(cluster.nodes.keys().filter(node).cloned());
        let objects = cluster
            .claims
            .keys()
            .chain(cluster.quotas.keys())
            .map(|k| &k.name)
            .chain(cluster.volumes.keys())
            .chain(cluster.classes.keys())
            .chain(
                cluster
                    .events
                    .iter()
                    .filter(|e| e.reason == "FailedCreate")
                    .map(|e| &e.object.name),
            );
        self.objects.extend(objects.filter(|n| *n == name).cloned());
        if self.size() == before {
            let spaces = cluster
                .pods
                .keys()
                .chain(cluster.claims.keys())
                .map(|k| &k.namespace);
            self.namespaces
                .extend(spaces.filter(|n| *n == name).cloned());
        }
        let found = self.size() > before;
        if found {
            self.understood.insert(name.to_owned());
        }
        found
    }

    /// A pod that was replaced: its ordinal or hash is not there, but its workload is.
    fn take_near(&mut self, word: &str, population: &Population<'_>) -> bool {
        let mut stem = word.rsplit('/').next().unwrap_or(word);
        while let Some((shorter, _)) = stem.rsplit_once('-') {
            stem = shorter;
            let found: Vec<WorkloadId> = population
                .by_workload
                .keys()
                .filter(|id| id.key.name == stem)
                .cloned()
                .collect();
            if !found.is_empty() {
                self.missing.insert(word.to_owned());
                self.understood.insert(format!("workload {stem}"));
                self.workloads.extend(found);
                return true;
            }
        }
        false
    }

    /// `store` of `mse-store`, `checkout` of `checkout-api`.
    fn take_part(&mut self, word: &str, population: &Population<'_>) -> bool {
        if word.len() < 3 || word.contains('/') {
            return false;
        }
        let padded = format!("-{word}-");
        let found: Vec<WorkloadId> = population
            .by_workload
            .keys()
            .filter(|id| format!("-{}-", id.key.name).contains(&padded))
            .cloned()
            .collect();
        if found.is_empty() {
            return false;
        }
        let names = crate::phrase::names(found.iter().map(|id| &id.key.name), 4);
        self.understood
            .insert(format!("{word} (taken for {names})"));
        self.workloads.extend(found);
        true
    }

    /// A workload and a namespace together mean the workload in that namespace.
    fn narrow(&mut self) {
        let spaces = &self.namespaces;
        let inside = |n: &String| spaces.contains(n);
        if self.workloads.iter().any(|w| inside(&w.key.namespace)) {
            self.workloads.retain(|w| spaces.contains(&w.key.namespace));
        }
        if self.pods.iter().any(|p| inside(&p.namespace)) {
            self.pods.retain(|p| spaces.contains(&p.namespace));
        }
    }

    fn size(&self) -> usize {
        self.pods.len()
            + self.workloads.len()
            + self.nodes.len()
            + self.namespaces.len()
            + self.objects.len()
    }
}

/// The words of a brief in small letters, without the punctuation around them.
fn words(brief: &str) -> Vec<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
    brief
        .split(|c: char| !inside(c))
        .map(|w| {
            w.trim_matches(|c: char| !c.is_ascii_alphanumeric())
                .to_ascii_lowercase()
        })
        .filter(|w| !w.is_empty())
        .take(MAX_WORDS)
        .collect()
}

/// Is the word built like the name of an object rather than like an English word?
fn looks_like_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.len() > 1 && parts.iter().all(|p| !p.is_empty()) && !is_date(word)
}

fn is_date(word: &str) -> bool {
    word.bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'/'))
}

/// Does the word end as pods do, in an ordinal or a hash?
fn has_tail(word: &str) -> bool {
    let tail = word.rsplit('-').next().unwrap_or_default();
    word.contains('-') && tail.bytes().any(|b| b.is_ascii_digit())
}

/// What the words of a brief hint at.
fn hints(brief: &str) -> BTreeSet<Cause> {
    let text = brief.to_ascii_lowercase();
    let table: [(&[&str], &[Cause]); 9] = [
        (
            &["pending", "schedul", "no room", "capacity"],
            &[
                Cause::Cordon,
                Cause::Shortage,
                Cause::TooLarge,
                Cause::Taint,
                Cause::Selector,
                Cause::Apart,
                Cause::Spread,
                Cause::Near,
                Cause::HostPort,
                Cause::Volume,
                Cause::Gate,
                Cause::Scheduler,
            ],
        ),
        (
            &["restart", "crash"],
            &[
                Cause::Crash,
                Cause::OutOfMemory,
                Cause::Liveness,
                Cause::Init,
            ],
        ),
        (
            &["oom", "memory"],
            &[Cause::OutOfMemory, Cause::Evicted, Cause::NodePressure],
        ),
        (&["image", "pull", "registry"], &[Cause::Image]),
        (
            &["not ready", "unready", "notready", "probe"],
            &[Cause::Readiness, Cause::Liveness, Cause::NodeDown],
        ),
        (&["evict"], &[Cause::Evicted, Cause::NodePressure]),
        (&["terminating", "delet"], &[Cause::Terminating]),
        (
            &["volume", "pvc", "claim", "storage", "disk", "mount"],
            &[Cause::Volume, Cause::Mount, Cause::NodePressure],
        ),
        (&["quota", "create"], &[Cause::Creation]),
    ];
    let hit = table
        .iter()
        .filter(|(words, _)| words.iter().any(|w| text.contains(w)));
    hit.flat_map(|(_, causes)| causes.iter().copied()).collect()
}
