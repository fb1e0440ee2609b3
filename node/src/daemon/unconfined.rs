//! A node whose agents nothing confines: what it refuses, what it says, and whom its door takes for whom.
//!
//! # Why
//! Such an agent is the daemon's own user. It may read the node's keys and could replace the daemon, so
//! nothing that is done at the door keeps out one that means harm. But none is handed the built-in
//! admin's rights for merely finding the socket: these are root's then, and no agent runs as root.
//! `--dev` is one's own cluster for trying things out, where the daemon's user is who types; there it
//! is said, and no more.

use config::settings::Settings;
use runtime::engine::{self, Confinement, EngineError};

use super::{DaemonError, Mode};
use crate::admin::People;

/// Refuses to have agents run as root, and says what unconfined ones could do.
pub(super) fn check(mode: &Mode, agents: Confinement) -> Result<(), EngineError> {
    let is_root = nix::unistd::geteuid().is_root();
    check_as(is_root, mode.is_dev, agents)
}

fn check_as(is_root: bool, is_dev: bool, agents: Confinement) -> Result<(), EngineError> {
    if agents != Confinement::Nothing {
        return Ok(());
    }
    if is_root && !is_dev {
        return Err(EngineError::Refused {
            why: "without confinement, agents would run as root".to_owned(),
            cure: "install bubblewrap or Docker, have the agents' users pass the data folder \
                   (chmod o+x), or start the daemon as a user of its own"
                .to_owned(),
        });
    }
    tracing::warn!(
        "agents run as the daemon's own user without any confinement: each may do whatever an admin \
         may, and could take this node over; run only agents that you trust as yourself, or install \
         bubblewrap or Docker"
    );
    Ok(())
}

/// Which users of this host are which humans.
pub(super) fn people(
    settings: &Settings,
    mode: &Mode,
    agents: Confinement,
) -> Result<People, DaemonError> {
    let mut users = settings.people.users.keys();
    if let Some(uid) = users.find(|uid| engine::is_agents_user(**uid)) {
        return Err(DaemonError::AgentsUser { uid: *uid });
    }
    let users = settings.people.users.iter();
    // The settings were checked: what is no name there is no user here.
    let named = users.filter_map(|(uid, human)| Some((*uid, human.parse().ok()?)));
    let people = People::new(named.collect());
    let is_for_trials = mode.is_dev || mode.stub_agent.is_some();
    if agents == Confinement::Nothing && !is_for_trials {
        return Ok(people.beside_own_agents());
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::{Confinement, check_as};

    #[test]
    fn no_agent_runs_as_root_but_where_somebody_tries_things_out() {
        let refused = check_as(true, false, Confinement::Nothing).unwrap_err();
        assert!(refused.to_string().contains("run as root"), "{refused}");
        for (is_root, is_dev) in [(true, true), (false, false), (false, true)] {
            assert!(check_as(is_root, is_dev, Confinement::Nothing).is_ok());
        }
        for agents in [
            Confinement::Bubblewrap,
            Confinement::OwnUid,
            Confinement::Container,
        ] {
            assert!(check_as(true, false, agents).is_ok());
        }
    }
}
