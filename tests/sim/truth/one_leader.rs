//! In each term one node leads at most.

use crate::sim::oracle::Evidence;

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let led = evidence.leaders.iter();
    let led = led.filter(|(_, nodes)| nodes.len() > 1);
    led.map(|(term, nodes)| format!("{nodes:?} led in term {term}"))
        .collect()
}
