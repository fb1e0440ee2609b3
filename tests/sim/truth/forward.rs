//! No node that runs ever goes back.

use std::collections::BTreeMap;

use crate::sim::oracle::Evidence;

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut last = BTreeMap::new();
    let mut wrongs = Vec::new();
    for sighting in &evidence.sightings {
        let run = (sighting.node, sighting.start);
        let seen = (sighting.index, sighting.count);
        let before = last.insert(run, seen).unwrap_or_default();
        if seen.0 < before.0 || seen.1 < before.1 {
            wrongs.push(format!(
                "{} went from {before:?} to {seen:?} at {} ms",
                sighting.node, sighting.at_ms
            ));
        }
    }
    wrongs
}
