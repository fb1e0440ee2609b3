//! When all is over and all workers sleep, no container and no process of an agent is left.

use crate::oracle::Evidence;

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    evidence.left.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named() {
        let mut evidence = Evidence::default();
        assert!(broken(&evidence).is_empty());
        evidence.left.push("n1: container 1234".to_owned());
        assert_eq!(broken(&evidence), ["n1: container 1234"]);
    }
}
