//! What is wrong with a recorded cluster, and what follows from what.
//!
//! ```text
//!   pods ─┬─ waiting for a node ─► pending ─► obstacle, room ─┐
//!         ├─ placed ─► containers, starting, probes ─► symptom ┼─► faults ─► link ─► focus
//!         └─ ended, being deleted ─► lifecycle ───────────────┤   (cause and consequence)
//!   nodes, claims, creation ──────────────────────────────────┘
//! ```
//!
//! # Invariant
//! Every fault is present now by the objects' own state; traces of earlier ones have severity info.

mod brief;
mod claims;
mod containers;
mod creation;
mod ending;
pub mod fault;
pub mod focus;
mod groups;
mod image;
mod lifecycle;
pub mod link;
mod names;
mod nodes;
mod obstacle;
mod pending;
pub mod population;
mod probes;
pub mod room;
mod starting;
mod symptom;
mod wording;

use crate::kube::cluster::Cluster;

use fault::Fault;
use focus::Focus;
use population::Population;

/// A cluster's faults.
#[derive(Debug)]
pub struct Diagnosis<'a> {
    /// The pods by workload.
    pub population: Population<'a>,
    /// What the brief speaks of.
    pub focus: Focus,
    /// The faults, what the brief speaks of first, and after them the traces.
    pub faults: Vec<Fault>,
}

impl<'a> Diagnosis<'a> {
    /// Diagnoses a cluster for somebody who asks with this brief.
    pub fn of(cluster: &'a Cluster, brief: &str) -> Self {
        let population = Population::of(cluster);
        let focus = Focus::of(brief, &population);
        let mut symptoms = Vec::new();
        for pod in cluster.pods.values() {
            symptoms.extend(
                containers::symptoms(cluster, pod)
                    .into_iter()
                    .map(|s| (pod, s)),
            );
            symptoms.extend(lifecycle::symptom(&population, pod).map(|s| (pod, s)));
        }
        let mut faults = symptom::faults(&population, symptoms);
        faults.extend(nodes::faults(&population));
        faults.extend(claims::faults(&population));
        faults.extend(pending::faults(&population, &focus));
        faults.extend(creation::faults(&population));
        faults.extend(creation::unexplained(&population, &faults));
        faults.extend(creation::idle(&population));
        faults.extend(lifecycle::deleted_claims(&population));
        faults.sort_by_cached_key(|f| (!f.is_present(), focus.rank(f)));
        link::link(cluster, &mut faults);
        Self {
            population,
            focus,
            faults,
        }
    }

    /// The faults that are present, what the brief speaks of first.
    pub fn present(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|f| f.is_present())
    }

    /// The place of the fault that answers the brief: the first that it speaks of; the first of
    /// all, when it speaks of nothing that was recorded.
    pub fn primary(&self) -> Option<usize> {
        let asked = |f: &Fault| self.focus.is_empty() || self.focus.concerns(f);
        let present = self.faults.iter().position(|f| f.is_present() && asked(f));
        // A trace answers when the brief asks for just that, and what led to it is still there.
        let trace = |f: &Fault| {
            f.follows_from.is_some() && self.focus.concerns(f) && self.focus.asks_for(f)
        };
        present.or_else(|| self.faults.iter().position(trace))
    }
}
