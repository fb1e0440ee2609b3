//! What is near its limit: said before somebody is refused by it.

use rules::State;
use rules::id::TeamName;
use rules::limits;
use runtime::clock;
use runtime::ledger::Limits;

use super::desk::Desk;
use super::wire::{Moment, Trouble};
use config::measure::show_bytes;

/// A limit is near when less than one part in so many of it is left.
const NEAR: u64 = 10;
/// The disk is nearly full when less is free than so many times what the ledger needs.
const FREE_TIMES: u64 = 4;

/// How much of a limit is used.
struct Gauge {
    name: String,
    used: u64,
    max: u64,
    hint: String,
}

impl Gauge {
    fn is_near(&self) -> bool {
        self.max > 0 && self.max - self.max / NEAR <= self.used
    }

    fn trouble(self) -> Trouble {
        let Self {
            name, used, max, ..
        } = self;
        trouble(format!("limit {name} = {max} is near: {used}"), self.hint)
    }
}

/// What is near its limit now.
pub(super) fn troubles(desk: &Desk) -> Vec<Trouble> {
    let mut gauges = desk.ledger.read(in_state);
    gauges.push(Gauge {
        name: "archived_cases".to_owned(),
        used: desk.ledger.archive().count(),
        max: desk.ledger.archived_cases(),
        hint: "the oldest closed cases are forgotten next: take a backup, or raise \
               limits.archived_cases in the settings"
            .to_owned(),
    });
    gauges.extend(on_disk(desk));
    let near = gauges.into_iter().filter(Gauge::is_near);
    near.map(Gauge::trouble).chain(disk(desk)).collect()
}

/// What of this node's disk is bounded.
fn on_disk(desk: &Desk) -> Vec<Gauge> {
    let blobs = desk.blobs.used().map(|(used, max)| Gauge {
        name: "blobs_bytes".to_owned(),
        used,
        max,
        hint:
            "more is refused then: end cases with large files, have closed ones forgotten sooner \
               (limits.archived_ms), or raise limits.blobs_bytes in the settings"
                .to_owned(),
    });
    let spools = Gauge {
        name: "spools_bytes".to_owned(),
        used: desk.here.left_bytes(),
        max: desk.limits.spools_bytes,
        hint: "the logs of the oldest attempts go next, those of open cases stay: raise \
               limits.spools_bytes in the settings to keep more"
            .to_owned(),
    };
    blobs.into_iter().chain([spools]).collect()
}

fn in_state(state: &State) -> Vec<Gauge> {
    let gauge = |name: &str, used: usize, max: usize, hint: &str| Gauge {
        name: name.to_owned(),
        used: used as u64,
        max: max as u64,
        hint: hint.to_owned(),
    };
    let mut gauges = vec![
        gauge(
            "max_open_cases",
            state.cases.len(),
            limits::MAX_OPEN_CASES,
            "cancel cases that nobody needs: `domo case list`",
        ),
        gauge(
            "max_teams",
            state.teams.len(),
            limits::MAX_TEAMS,
            "remove teams that nobody needs: `domo team list`",
        ),
        gauge(
            "max_workers",
            state.workers.len(),
            limits::MAX_WORKERS,
            "remove workers that nobody needs: `domo worker list`",
        ),
        gauge(
            "max_nodes",
            state.nodes.len(),
            limits::MAX_NODES,
            "remove nodes that are gone: `domo node list`",
        ),
    ];
    let fullest = state.teams.iter().max_by_key(|(_, team)| team.cases.len());
    gauges.extend(fullest.map(|(name, team)| of_team(name, team.cases.len())));
    let heaviest = state.teams.iter().max_by_key(|(_, team)| team.blob_bytes);
    gauges.extend(heaviest.map(|(name, team)| Gauge {
        name: format!("max_team_bytes ({name})"),
        used: team.blob_bytes,
        max: limits::MAX_TEAM_BYTES,
        hint: format!("end cases with large files: `domo case list --team {name}`"),
    }));
    gauges
}

fn of_team(team: &TeamName, cases: usize) -> Gauge {
    Gauge {
        name: format!("max_open_cases_per_team ({team})"),
        used: cases as u64,
        max: limits::MAX_OPEN_CASES_PER_TEAM as u64,
        hint: format!("cancel cases that nobody needs: `domo case list --team {team}`"),
    }
}

fn disk(desk: &Desk) -> Option<Trouble> {
    let needed = Limits::default().free_bytes;
    // A disk that does not say is seen to where it is written.
    let free = desk.blobs.free_bytes().ok()?;
    (free < needed.saturating_mul(FREE_TIMES)).then(|| {
        let (free, needed) = (show_bytes(free), show_bytes(needed));
        let what = format!(
            "the disk of the data folder has {free} left; below {needed} the ledger takes no commands"
        );
        trouble(what, "make room on the disk".to_owned())
    })
}

fn trouble(what: String, hint: String) -> Trouble {
    Trouble {
        what,
        hint,
        seen: Moment::from_ms(clock::wall().0),
        count: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(used: u64, max: u64) -> Gauge {
        let (name, hint) = ("max_teams".to_owned(), "remove some".to_owned());
        Gauge {
            name,
            used,
            max,
            hint,
        }
    }

    #[test]
    fn a_limit_is_near_when_a_tenth_of_it_is_left() {
        assert!(!gauge(89, 100).is_near());
        assert!(gauge(90, 100).is_near());
        assert!(gauge(3, 3).is_near() && !gauge(2, 3).is_near());
        assert!(!gauge(0, 0).is_near(), "who keeps nothing lacks nothing");
        let told = gauge(90, 100).trouble();
        assert_eq!(told.what, "limit max_teams = 100 is near: 90");
    }

    #[test]
    fn an_empty_cluster_is_near_nothing_and_the_fullest_team_is_named() {
        let state = State::default();
        assert!(!in_state(&state).iter().any(Gauge::is_near));
        assert_eq!(in_state(&state).len(), 4, "no team, no fullest one");
        let team = TeamName::new("sre").unwrap();
        let near = of_team(&team, limits::MAX_OPEN_CASES_PER_TEAM);
        assert!(near.is_near() && near.trouble().what.contains("(sre)"));
    }
}
