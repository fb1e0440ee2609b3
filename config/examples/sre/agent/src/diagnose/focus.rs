//! What a brief speaks of: pods, workloads, nodes and other objects that it names.
//!
//! # Why
//! People write `mse-gateway-0`, `pod/web-7d9c`, `checkout` or `the store pod`. An exact name
//! counts most, then one whose ordinal or hash is wrong, then a part of a name; and a name that
//! nothing matches is said to be missing rather than passed over.

use std::collections::BTreeSet;

use crate::kube::Key;
use crate::kube::workload::WorkloadId;

use super::brief;
use super::fault::{Cause, Fault};
use super::names::Names;
use super::population::Population;

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
    pub fn of(text: &str, population: &Population<'_>) -> Self {
        let names = Names::of(population);
        let mut focus = Self {
            hints: brief::hints(text),
            ..Self::default()
        };
        let words = brief::words(text);
        let unmatched: Vec<&brief::Word> = words
            .iter()
            .filter(|w| !focus.take_exact(&w.text, &names))
            .collect();
        let exact = !focus.is_empty();
        for word in unmatched {
            let near = word.is_name() && focus.take_near(&word.text, population);
            if near || (!exact || word.is_pointed) && focus.take_part(&word.text, population) {
                continue;
            }
            if word.is_pointed || word.has_tail() {
                focus.missing.insert(word.text.clone());
            }
        }
        focus.narrow();
        focus
    }

    /// Does the brief name nothing that was recorded?
    pub fn is_empty(&self) -> bool {
        self.size() == 0
    }

    fn size(&self) -> usize {
        self.pods.len()
            + self.workloads.len()
            + self.nodes.len()
            + self.namespaces.len()
            + self.objects.len()
    }

    /// Are whole namespaces meant, because no pod or workload is named?
    fn means_namespaces(&self) -> bool {
        self.pods.is_empty() && self.workloads.is_empty()
    }

    /// The pods that the brief speaks of.
    pub fn pods<'a>(&'a self, population: &'a Population<'_>) -> BTreeSet<&'a Key> {
        let mut pods: BTreeSet<&Key> = self.pods.iter().collect();
        for (id, members) in &population.by_workload {
            let inside = self.means_namespaces() && self.namespaces.contains(&id.key.namespace);
            if self.workloads.contains(id) || inside {
                pods.extend(members.iter().map(|p| &p.key));
            }
        }
        pods
    }

    /// Does the brief speak of what this fault touches?
    pub fn concerns(&self, fault: &Fault) -> bool {
        let inside =
            |key: &Key| self.means_namespaces() && self.namespaces.contains(&key.namespace);
        !self.pods.is_disjoint(&fault.pods)
            || !self.workloads.is_disjoint(&fault.workloads)
            || !self.nodes.is_disjoint(&fault.nodes)
            || !self.objects.is_disjoint(&fault.objects)
            || fault.pods.iter().any(inside)
            || fault.workloads.iter().any(|w| inside(&w.key))
    }

    /// Does the brief hint at this kind of fault?
    pub fn asks_for(&self, fault: &Fault) -> bool {
        self.hints.contains(&fault.cause)
    }

    /// The place of a fault: what the brief names first, then the worst, then what it hints at.
    pub fn rank(&self, fault: &Fault) -> impl Ord + use<> {
        (
            !self.concerns(fault),
            std::cmp::Reverse(fault.severity),
            !self.asks_for(fault),
            std::cmp::Reverse(fault.pods.len()),
            fault.cause,
            fault.title.clone(),
        )
    }

    fn take_exact(&mut self, word: &str, names: &Names) -> bool {
        let (namespace, name) = match word.split_once('/') {
            Some((kind, name)) if brief::is_kind(kind) => (None, name),
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, word),
        };
        let Some(meaning) = names.meaning(name) else {
            return false;
        };
        let here = |key: &Key| namespace.is_none_or(|n| n == key.namespace);
        let before = self.size();
        self.pods
            .extend(meaning.pods.iter().filter(|k| here(k)).cloned());
        if self.size() > before {
            self.understood.insert(format!("pod {name}"));
            return true;
        }
        let workloads = meaning.workloads.iter().filter(|id| here(&id.key));
        self.workloads.extend(workloads.cloned());
        self.nodes.extend(meaning.nodes.iter().cloned());
        self.objects.extend(meaning.objects.iter().cloned());
        if self.size() == before && meaning.is_namespace {
            self.namespaces.insert(name.to_owned());
        }
        // Named a second time it adds nothing, but it is known.
        self.understood.insert(name.to_owned());
        true
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
        /// Shorter parts mean anything.
        const MIN_PART: usize = 3;
        if word.len() < MIN_PART || word.contains('/') {
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
        let names: BTreeSet<&String> = found.iter().map(|id| &id.key.name).collect();
        self.understood.insert(crate::phrase::names(names, 4));
        self.workloads.extend(found);
        true
    }

    /// A workload and a namespace together mean the workload in that namespace.
    fn narrow(&mut self) {
        let spaces = &self.namespaces;
        if self
            .workloads
            .iter()
            .any(|w| spaces.contains(&w.key.namespace))
        {
            self.workloads.retain(|w| spaces.contains(&w.key.namespace));
        }
        if self.pods.iter().any(|p| spaces.contains(&p.namespace)) {
            self.pods.retain(|p| spaces.contains(&p.namespace));
        }
    }
}
