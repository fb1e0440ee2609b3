//! A human hands over a case.

use std::collections::{BTreeMap, BTreeSet};

use crate::attempt::Body;
use crate::blobs;
use crate::case::{Attachment, Case, CaseStatus};
use crate::command::Command;
use crate::history::{Happened, History};
use crate::id::{BlobRef, PlaybookName, TeamName};
use crate::limits;
use crate::planning;
use crate::room::Thread;
use crate::state::State;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, command: &Command) -> Verdict {
    let Command::OpenCase {
        team,
        title,
        brief,
        attachments,
        playbook,
    } = command
    else {
        return Err(Rejection::Invalid(vec!["not an opening".to_owned()]));
    };
    fence::human(step)?;
    fence::line("title", title)?;
    text("brief", &brief.text)?;
    attachable(attachments)?;
    let named = blobs::of_wish(brief, attachments);
    let blob_bytes = affordable(step.state, team.as_ref(), None, named)?;
    if step.state.cases.len() >= limits::MAX_OPEN_CASES {
        return Err(over("max_open_cases", limits::MAX_OPEN_CASES));
    }
    if let Some(team) = team {
        taken_by(step.state, team, playbook.as_ref())?;
    }
    let id = step.state.next_case;
    step.state.next_case.0 += 1;
    let mut case = Case {
        id,
        team: None,
        title: title.clone(),
        opened_by: step.principal.to_string(),
        opened_wall_ms: step.wall_ms,
        briefs: vec![brief.clone()],
        attachments: attachments.clone(),
        playbook: playbook.clone(),
        generation: 1,
        status: CaseStatus::Open,
        is_planned: false,
        is_paused: false,
        ending: None,
        ending_reason: None,
        planning: None,
        stages: Vec::new(),
        attempts: BTreeMap::new(),
        plan_refusals: Vec::new(),
        requests: Vec::new(),
        report: None,
        closed_wall_ms: None,
        history: History::default(),
        effects: BTreeMap::new(),
        blob_bytes,
        thread: Thread::default(),
    };
    step.note(&mut case, Happened::Opened);
    if let Some(team) = team {
        give(step, &mut case, team);
    }
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::Opened(id))
}

/// Whether a team can take a case: it exists, has room, and can come to a plan.
pub(crate) fn taken_by(
    state: &State,
    name: &TeamName,
    playbook: Option<&PlaybookName>,
) -> Result<(), Rejection> {
    let team = state
        .teams
        .get(name)
        .ok_or_else(|| Rejection::NoTeam(name.clone()))?;
    if team.cases.len() >= limits::MAX_OPEN_CASES_PER_TEAM {
        return Err(over(
            "max_open_cases_per_team",
            limits::MAX_OPEN_CASES_PER_TEAM,
        ));
    }
    planning::is_possible(team, playbook)
}

/// Gives a case to a team that takes it.
pub(super) fn give(step: &mut Step<'_>, case: &mut Case, name: &TeamName) {
    let Some(team) = step.state.teams.get_mut(name) else {
        return;
    };
    team.cases.insert(case.id);
    team.blob_bytes = team.blob_bytes.saturating_add(case.blob_bytes);
    case.team = Some(name.clone());
    planning::prepare(team, case);
}

/// A text within its limits.
pub(super) fn text(name: &str, body: &Body) -> Result<(), Rejection> {
    if matches!(body, Body::Inline(text) if text.trim().is_empty()) {
        return Err(Rejection::Invalid(vec![format!("the {name} is empty")]));
    }
    if !body.fits() {
        return Err(over(
            &format!("max_inline_bytes ({name})"),
            limits::MAX_INLINE_BYTES,
        ));
    }
    Ok(())
}

/// What a case names with `more`, within its own limit and its team's.
///
/// A case that the Manager gives to a team later is the team's with all that it has.
pub(super) fn affordable(
    state: &State,
    team: Option<&TeamName>,
    case: Option<&Case>,
    more: Vec<BlobRef>,
) -> Result<u64, Rejection> {
    let over = |limit: &str, max| {
        Err(Rejection::Limit {
            limit: limit.to_owned(),
            max,
        })
    };
    let bytes = blobs::bytes_with(case, more);
    if bytes > limits::MAX_CASE_BYTES {
        return over("max_case_bytes", limits::MAX_CASE_BYTES);
    }
    let charged = case.map_or(0, |case| case.blob_bytes);
    let grows = bytes.saturating_sub(charged);
    let has = team.and_then(|team| state.teams.get(team));
    let has = has.map_or(0, |team| team.blob_bytes);
    if grows > 0 && has.saturating_add(grows) > limits::MAX_TEAM_BYTES {
        return over("max_team_bytes", limits::MAX_TEAM_BYTES);
    }
    Ok(bytes)
}

/// Charges a case's team with what the case names now.
pub(super) fn charge(step: &mut Step<'_>, case: &mut Case, bytes: u64) {
    let grows = bytes.saturating_sub(case.blob_bytes);
    case.blob_bytes += grows;
    let team = case.team.as_ref();
    if let Some(team) = team.and_then(|team| step.state.teams.get_mut(team)) {
        team.blob_bytes = team.blob_bytes.saturating_add(grows);
    }
}

/// Attachments that an agent can be given: relative paths without tricks, each once.
pub(super) fn attachable(attachments: &[Attachment]) -> Result<(), Rejection> {
    if attachments.len() > limits::MAX_ATTACHMENTS {
        return Err(over("max_attachments", limits::MAX_ATTACHMENTS));
    }
    let mut seen = BTreeSet::new();
    for attachment in attachments {
        let path = &attachment.path;
        if !fence::is_plain_path(path) {
            return Err(Rejection::Invalid(vec![format!(
                "attachment {path:?} has no plain relative path"
            )]));
        }
        if !seen.insert(path) {
            return Err(Rejection::Invalid(vec![format!(
                "attachment {path:?} stands twice"
            )]));
        }
    }
    Ok(())
}
