//! What one pod shows; equal symptoms of one workload become one fault.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::pod::Pod;
use crate::kube::workload::WorkloadId;
use crate::outcome::Severity;
use crate::phrase;

use super::fault::{Cause, Fault};
use super::population::Population;

/// Pods that are named in one line.
const MAX_NAMED_PODS: usize = 8;
/// Lines of evidence that are taken from the pods of one fault.
const MAX_LINES: usize = 16;

/// What one pod shows.
#[derive(Debug, Clone)]
pub struct Symptom {
    /// Its kind.
    pub cause: Cause,
    /// Symptoms of the same kind and sign in one workload are one fault.
    pub sign: String,
    /// As it stands in a title after "Deployment shop/web (2 of 3 pods): ".
    pub phrase: String,
    /// Why, in whole sentences.
    pub explanation: String,
    /// Numbers and names, about this pod.
    pub evidence: Vec<String>,
    /// What to do.
    pub cure: String,
    /// Only a trace of something that is over?
    pub is_over: bool,
    /// How sure this is.
    pub confidence: f64,
    /// Objects by name that it touches.
    pub objects: Vec<String>,
}

impl Symptom {
    /// A symptom that is present.
    pub fn new(cause: Cause, sign: impl Into<String>, phrase: impl Into<String>) -> Self {
        Self {
            cause,
            sign: sign.into(),
            phrase: phrase.into(),
            explanation: String::new(),
            evidence: Vec::new(),
            cure: String::new(),
            is_over: false,
            confidence: 0.9,
            objects: Vec::new(),
        }
    }

    /// With its reason and what to do.
    #[must_use]
    pub fn because(mut self, explanation: impl Into<String>, cure: impl Into<String>) -> Self {
        self.explanation = explanation.into();
        self.cure = cure.into();
        self
    }

    /// With these lines of evidence.
    #[must_use]
    pub fn seen(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// One fault for each workload, kind and sign.
pub fn faults(population: &Population<'_>, symptoms: Vec<(&Pod, Symptom)>) -> Vec<Fault> {
    type Sign = (WorkloadId, bool, Cause, String);
    let mut groups: BTreeMap<Sign, Vec<(&Pod, Symptom)>> = BTreeMap::new();
    for (pod, symptom) in symptoms {
        let id = population.workload(pod);
        let sign = (id, symptom.is_over, symptom.cause, symptom.sign.clone());
        groups.entry(sign).or_default().push((pod, symptom));
    }
    groups
        .into_iter()
        .map(|((id, ..), group)| fault(population, &id, group))
        .collect()
}

fn fault(population: &Population<'_>, id: &WorkloadId, group: Vec<(&Pod, Symptom)>) -> Fault {
    let standing = population.standing(id);
    let (first_pod, first) = &group[0];
    let severity = if first.is_over {
        Severity::Info
    } else {
        population.severity([id])
    };
    let all = standing.alive.max(group.len());
    let who = if id.kind == "Pod" || all == 1 && group.len() == 1 {
        population.pod_in_words(first_pod)
    } else {
        format!("{id} ({} of {})", group.len(), phrase::count(all, "pod"))
    };
    let mut fault = Fault::new(first.cause, severity, format!("{who}: {}", first.phrase));
    fault.explanation.clone_from(&first.explanation);
    fault.cure.clone_from(&first.cure);
    fault.confidence = first.confidence;
    fault.workloads = BTreeSet::from([id.clone()]);
    if group.len() > 1 {
        let names = phrase::names(group.iter().map(|(p, _)| &p.key.name), MAX_NAMED_PODS);
        fault.evidence.push(format!("pods: {names}"));
    }
    for (pod, symptom) in group {
        fault.pods.insert(pod.key.clone());
        fault.objects.extend(symptom.objects);
        for line in symptom.evidence {
            if fault.evidence.len() < MAX_LINES && !fault.evidence.contains(&line) {
                fault.evidence.push(line);
            }
        }
    }
    fault
}
