//! Without faults everything comes to rest, and nothing ever broke that no fault explains.

use crate::sim::oracle::Evidence;

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let restless = evidence.restless.iter();
    let restless = restless.map(|what| format!("not at rest: {what}"));
    evidence.wrong.iter().cloned().chain(restless).collect()
}
