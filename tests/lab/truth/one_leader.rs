//! In each term at most one node thinks that it leads: the Manager acts there and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut leaders: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for seen in &evidence.sightings {
        if let Some(leader) = &seen.leader {
            leaders.entry(seen.term).or_default().insert(leader);
        }
    }
    let doubled = leaders.into_iter().filter(|(_, who)| who.len() > 1);
    doubled
        .map(|(term, who)| format!("in term {term} these led: {who:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Sighting;

    fn sighting(node: usize, leader: Option<&str>, term: u64) -> Sighting {
        Sighting {
            node,
            id: format!("n-{node}"),
            started: "now".to_owned(),
            leader: leader.map(str::to_owned),
            term,
            applied: 0,
        }
    }

    #[test]
    fn two_leaders_are_one_too_many_only_in_one_term() {
        let seen = [(1, Some("n-1"), 1), (2, Some("n-2"), 2), (3, None, 2)];
        let mut evidence = Evidence {
            sightings: seen
                .map(|(node, who, term)| sighting(node, who, term))
                .to_vec(),
            ..Evidence::default()
        };
        assert!(broken(&evidence).is_empty());
        evidence.sightings.push(sighting(1, Some("n-1"), 2));
        assert_eq!(broken(&evidence).len(), 1);
    }
}
