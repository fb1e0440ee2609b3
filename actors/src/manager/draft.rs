//! What a wish becomes: the documents, accounts and words that it is carried out with.

use config::roster::{Listed, Roster};
use rules::State;
use rules::human::TeamRole;
use rules::id::{EmployeeId, HumanName, TeamName, WorkerId, WorkerName};
use rules::roster::HumanSpec;
use rules::team::{Document, Team, TeamSpec, WorkerSpec};

use super::deed::MOST_NAMED;

/// Teams that an answer names as ones to be like.
const MOST_MODELS: usize = 3;

/// What there is where a team is to be made.
pub(super) struct Ground {
    /// The team as it is already.
    pub present: Option<TeamSpec>,
    /// The one that it shall be like.
    pub like: Option<Team>,
    /// That one's workers, its butler's own not among them.
    pub workers: Vec<WorkerSpec>,
    /// Some of those that it could be like.
    pub models: Vec<TeamName>,
}

/// What there is; the team that it shall be like is named where there is none.
pub(super) fn ground(
    state: &State,
    team: &TeamName,
    like: Option<&TeamName>,
) -> Result<Ground, TeamName> {
    let like = like.map(|like| state.teams.get(like).cloned().ok_or_else(|| like.clone()));
    let like = like.transpose()?;
    let workers = like.iter().flat_map(|like| {
        let others = like.workers.iter();
        let others = others.filter(|name| **name != like.spec.butler);
        others.filter_map(|name| {
            let (team, name) = (like.spec.name.clone(), name.clone());
            Some(state.workers.get(&WorkerId { team, name })?.spec.clone())
        })
    });
    let workers = workers.collect();
    let others = state.teams.values().map(|team| &team.spec);
    let models = others.filter(|spec| spec.name != *team && !is_bare(spec));
    Ok(Ground {
        present: state.teams.get(team).map(|team| team.spec.clone()),
        workers,
        models: models
            .map(|spec| spec.name.clone())
            .take(MOST_MODELS)
            .collect(),
        like,
    })
}

/// Whether a team takes no cases yet: nothing of it says how one is worked on.
pub(super) fn is_bare(spec: &TeamSpec) -> bool {
    spec.agent.is_none() && spec.playbook.is_none()
}

/// What to say next to have a bare team take cases.
pub(super) fn what_it_lacks(team: &TeamName, models: &[TeamName]) -> String {
    let lacks = format!("{team} takes no cases yet: it has no playbook, and its butler no agent");
    let Some((first, others)) = models.split_first() else {
        return format!("{lacks}; `domo apply -f FILE` describes them");
    };
    let others: Vec<String> = others.iter().map(|other| format!(" or {other}")).collect();
    let others = others.concat();
    format!(
        "{lacks}. Say: create team {team} like {first}{others}. It gets the agent, the playbooks and the workers of that team; or describe its own with `domo apply -f FILE`"
    )
}

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

/// Those of a roster who lead a team in which it would have them be less.
pub(super) fn leads(state: &State, put: &[HumanSpec]) -> Vec<HumanName> {
    let leads = put
        .iter()
        .filter(|spec| !spec.becoming(state).stays_lead_of.is_empty());
    leads.map(|spec| spec.name.clone()).collect()
}

/// That they lead it still.
pub(super) fn stay_leads(team: &TeamName, leads: &[HumanName]) -> String {
    let named: Vec<_> = leads
        .iter()
        .take(MOST_NAMED)
        .map(HumanName::as_str)
        .collect();
    format!(
        "{}: still lead of {team}; only `domo human set-role` makes a member of a lead",
        named.join(", ")
    )
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
