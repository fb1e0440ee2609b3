//! In each term one node leads at most, and nobody leads in a later term before the moment at which a
//! quorum last followed an earlier leader.

use std::time::Duration;

use crate::sim::oracle::Evidence;

/// What reading a clock in milliseconds, and one that goes wrong by a fiftieth, may make of a second.
const READING: Duration = Duration::from_millis(60);

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let led = evidence.leaders.iter();
    let led = led.filter(|(_, nodes)| nodes.len() > 1);
    let mut wrongs: Vec<String> = led
        .map(|(term, nodes)| format!("{nodes:?} led in term {term}"))
        .collect();
    for (term, (_, followed)) in &evidence.reigns {
        let later = evidence.reigns.range(term + 1..);
        for (next, (begun, _)) in later {
            if *begun + READING < *followed {
                wrongs.push(format!(
                    "a quorum followed the leader of term {term} at {followed:?}, and somebody led \
                     in term {next} at {begun:?}"
                ));
            }
        }
    }
    wrongs
}
