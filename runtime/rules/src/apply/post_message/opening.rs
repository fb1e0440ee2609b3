//! The butler is spoken to: a case is opened, or the one in whose thread it is said is amended.

use crate::attempt::Body;
use crate::case::Brief;
use crate::command::Command;
use crate::id::{CaseId, TeamName};
use crate::limits;
use crate::mention::Addressed;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection};

use super::super::{amend_case, fence, open_case};
use super::Said;

/// Opens or amends the case that the butler is spoken to about.
pub(super) fn set_going(
    step: &mut Step<'_>,
    said: &Said<'_>,
    addressed: &Addressed,
) -> Result<Option<CaseId>, Rejection> {
    let Some(team) = &addressed.butler else {
        return Ok(None);
    };
    match said.thread {
        Some(case) => amend(step, said, case).map(Some),
        None => open(step, said, team).map(Some),
    }
}

fn open(step: &mut Step<'_>, said: &Said<'_>, team: &TeamName) -> Result<CaseId, Rejection> {
    let opening = Command::OpenCase {
        team: Some(team.clone()),
        title: title(said.text),
        brief: Brief {
            text: Body::Inline(said.text.to_owned()),
        },
        attachments: said.attachments.to_vec(),
        playbook: None,
    };
    let outcome = open_case::apply(step, &opening)?;
    let Outcome::Opened(case) = outcome else {
        return Err(Rejection::Invalid(vec![format!("{outcome:?} is no case")]));
    };
    Ok(case)
}

/// The brief as it was, and below it who added what.
fn amend(step: &mut Step<'_>, said: &Said<'_>, id: CaseId) -> Result<CaseId, Rejection> {
    let case = fence::unfinished(step, id)?;
    let added = format!("{} added in the thread:\n\n{}", said.by, said.text);
    let text = match case.briefs.last().map(|brief| &brief.text) {
        Some(Body::Inline(before))
            if before.len() + added.len() + 8 <= limits::MAX_INLINE_BYTES =>
        {
            format!("{before}\n\n---\n\n{added}")
        }
        Some(_) => format!(
            "As in version {} of the brief.\n\n{added}",
            case.brief_version()
        ),
        None => added,
    };
    let brief = Brief {
        text: Body::Inline(cut(text, limits::MAX_INLINE_BYTES)),
    };
    amend_case::apply(step, id, &brief, said.attachments)?;
    Ok(id)
}

/// The first line that says something, without whom it speaks to.
fn title(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line
            .split_whitespace()
            .filter(|word| !word.starts_with('@'));
        words.collect::<Vec<_>>().join(" ")
    });
    let mut title = lines
        .into_iter()
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if title.is_empty() {
        "said in the room".clone_into(&mut title);
    }
    cut(title, limits::MAX_LINE_BYTES)
}

fn cut(mut text: String, most_bytes: usize) -> String {
    let mut end = text.len().min(most_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
