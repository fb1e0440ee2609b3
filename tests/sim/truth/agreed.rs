//! The same entries lead to the same bytes on every node, and to the same head of the record.

use std::collections::BTreeMap;

use crate::sim::oracle::Evidence;

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = Vec::new();
    let mut heads = BTreeMap::new();
    for sighting in &evidence.sightings {
        let seen = (sighting.count, sighting.head);
        let (node, known) = *heads.entry(sighting.index).or_insert((sighting.node, seen));
        if known != seen {
            wrongs.push(format!(
                "after entry {} {node} and {} have other heads",
                sighting.index, sighting.node
            ));
        }
    }
    for two in evidence.finals.windows(2) {
        let [one, other] = two else { continue };
        if (one.index, &one.state) != (other.index, &other.state) {
            wrongs.push(format!("{} and {} are not the same", one.node, other.node));
        }
        if one.titles != other.titles {
            wrongs.push(format!(
                "{} and {} do not have the same cases",
                one.node, other.node
            ));
        }
    }
    for last in &evidence.finals {
        if last.archived != last.closed {
            wrongs.push(format!(
                "{} has archived {} of {} closed cases",
                last.node, last.archived, last.closed
            ));
        }
        let record = last.record.iter();
        wrongs.extend(record.map(|what| format!("the record of {}: {what}", last.node)));
    }
    wrongs
}
