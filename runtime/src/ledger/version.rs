//! The version of the rules' behaviour: raised by whoever leads, refused by a release too old for it.

use rules::{Command, Principal, Proposal, State, Who, version};

use super::Inner;
use crate::clock;

/// Why a state cannot be used by this release.
pub(super) fn check(state: &State) -> Result<(), String> {
    if state.version <= version::NEWEST {
        return Ok(());
    }
    Err(format!(
        "the cluster uses version {} of the rules, and this release knows {} at most: run a newer one",
        state.version,
        version::NEWEST
    ))
}

impl Inner {
    /// Raises the version, step by step, where this node leads and every node knows the next one.
    pub(super) async fn raise_version(&self) {
        while self.is_leader() && self.raise_to_next().await {}
    }

    /// Whether it was raised.
    async fn raise_to_next(&self) -> bool {
        let next = self.machine.read(version::next);
        let Some(to) = next.filter(|to| *to <= version::NEWEST) else {
            return false;
        };
        let raise = Proposal {
            request: None,
            principal: Principal::own(Who::Ledger),
            wall_ms: clock::wall().0,
            command: Command::RaiseVersion { to },
            decision: None,
        };
        match self.propose(raise).await {
            Ok(Ok(_)) => tracing::info!(to, "the version of the rules was raised"),
            Ok(Err(rejection)) => {
                tracing::debug!(%rejection, "the version stays for now");
                return false;
            }
            Err(error) => {
                tracing::debug!(%error, "the version stays for now");
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_newer_rules_is_refused_with_both_versions() {
        let mut state = State::default();
        assert_eq!(check(&state), Ok(()));
        state.version = version::NEWEST + 1;
        let refused = check(&state).unwrap_err();
        assert!(refused.contains("run a newer one"), "{refused}");
    }
}
