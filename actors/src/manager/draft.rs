//! What a wish becomes: the documents, accounts and words that it is carried out with.

use config::roster::{Listed, Roster};
use rules::human::TeamRole;
use rules::id::{EmployeeId, HumanName, TeamName, WorkerId, WorkerName};
use rules::roster::HumanSpec;
use rules::team::{Document, Team, TeamSpec, WorkerSpec};

use super::deed::MOST_NAMED;

/// A team with the workers and playbooks of another.
pub(super) fn documents(
    spec: TeamSpec,
    workers: Vec<WorkerSpec>,
    like: Option<&Team>,
) -> Vec<Document> {
    let team = spec.name.clone();
    let mut put = vec![Document::Team(spec)];
    put.extend(workers.into_iter().map(|worker| {
        let (team, name) = (team.clone(), worker.id.name.clone());
        let id = WorkerId { team, name };
        Document::Worker(WorkerSpec { id, ..worker })
    }));
    let playbooks = like.iter().flat_map(|like| like.playbooks.values());
    put.extend(playbooks.cloned().map(|mut playbook| {
        playbook.team = team.clone();
        Document::Playbook(playbook)
    }));
    put
}

pub(super) fn team_spec(
    team: &TeamName,
    purpose: Option<String>,
    butler: WorkerName,
    like: Option<&Team>,
) -> TeamSpec {
    let base = like.map(|like| like.spec.clone());
    TeamSpec {
        name: team.clone(),
        title: purpose
            .or_else(|| base.as_ref().map(|base| base.title.clone()))
            .unwrap_or_else(|| format!("team {team}")),
        topics: base
            .as_ref()
            .map(|base| base.topics.clone())
            .unwrap_or_default(),
        butler,
        agent: base.as_ref().and_then(|base| base.agent.clone()),
        playbook: base.as_ref().and_then(|base| base.playbook.clone()),
        labels: base.map(|base| base.labels).unwrap_or_default(),
    }
}

/// What those who come into a team are told in its room.
pub(super) fn welcome(spec: &TeamSpec, people: &[HumanName]) -> String {
    let (team, butler) = (&spec.name, &spec.butler);
    let mut named: Vec<_> = people
        .iter()
        .take(MOST_NAMED)
        .map(HumanName::as_str)
        .collect();
    let more = (people.len() > MOST_NAMED).then(|| format!("{} more", people.len() - MOST_NAMED));
    named.extend(more.as_deref());
    let who = named.join(", ");
    let comma = if who.is_empty() { "" } else { ", " };
    format!(
        "welcome to team {team} ({}){comma}{who}: @{butler} and what is to be done opens a case, and each case is a thread here",
        spec.title
    )
}

/// `sre-bot` for team `sre`; the team's own name where that is too long.
pub(super) fn usual_butler(team: &TeamName) -> Option<WorkerName> {
    let usual = WorkerName::new(&format!("{team}-bot"));
    usual.or_else(|_| WorkerName::new(team.as_str())).ok()
}

/// The people of a roster as the rules know them; none where one of them has a name that they do not.
pub(super) fn specs(roster: Roster, team: &TeamName, role: TeamRole) -> Option<Vec<HumanSpec>> {
    let spec = |listed: Listed| {
        Some(HumanSpec {
            name: HumanName::new(&listed.username).ok()?,
            display: listed.display,
            employee: Some(EmployeeId::new(&listed.employee).ok()?),
            teams: std::iter::once((team.clone(), role)).collect(),
        })
    };
    roster.people.into_iter().map(spec).collect()
}
