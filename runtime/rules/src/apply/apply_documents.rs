//! A human describes teams, workers and playbooks: all of it, or nothing.
//!
//! # Why
//! Everything is checked against what would be before anything is changed. The road not taken,
//! an entry for each document, leaves half a team behind when the second one is refused.
//!
//! What goes, goes first: its name may be taken by something else in the same entry.

mod put;
mod remove;
mod whole;

use crate::limits;
use crate::state::State;
use crate::step::Step;
use crate::team::{Document, DocumentName};
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

/// What a document would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create,
    /// It is different from what is there.
    Update,
    /// It is there already, just so.
    Same,
}

/// What the state holds under a document's name.
fn present(state: &State, name: &DocumentName) -> Option<Document> {
    match name {
        DocumentName::Team(team) => state
            .teams
            .get(team)
            .map(|team| Document::Team(team.spec.clone())),
        DocumentName::Worker(id) => state
            .workers
            .get(id)
            .filter(|worker| !worker.is_butler_slot)
            .map(|worker| Document::Worker(worker.spec.clone())),
        DocumentName::Playbook(team, name) => state
            .teams
            .get(team)
            .and_then(|team| team.playbooks.get(name))
            .map(|playbook| Document::Playbook(playbook.clone())),
    }
}

/// What each of the documents would do, and what it would replace.
pub fn difference(
    state: &State,
    put: &[Document],
) -> Vec<(DocumentName, Change, Option<Document>)> {
    put.iter()
        .map(|document| {
            let name = document.name();
            let before = present(state, &name);
            let change = match &before {
                None => Change::Create,
                Some(same) if same == document => Change::Same,
                Some(_) => Change::Update,
            };
            (name, change, before)
        })
        .collect()
}

/// Whether the documents would be taken; nothing is changed.
pub fn check(state: &State, put: &[Document], remove: &[DocumentName]) -> Result<(), Rejection> {
    if put.len() + remove.len() > limits::MAX_DOCUMENTS {
        return Err(over("max_documents", limits::MAX_DOCUMENTS));
    }
    let mut faults = whole::faults(state, put, remove)?;
    if faults.is_empty() {
        return Ok(());
    }
    faults.truncate(limits::MAX_REASONS);
    Err(Rejection::Invalid(faults))
}

pub(super) fn apply(step: &mut Step<'_>, put: &[Document], remove: &[DocumentName]) -> Verdict {
    fence::human(step)?;
    check(step.state, put, remove)?;
    let (mut created, mut changed, mut unchanged) = (0, 0, 0);
    let mut wanted = Vec::new();
    for (document, (name, change, _)) in put.iter().zip(difference(step.state, put)) {
        match change {
            Change::Create => created += 1,
            Change::Update => changed += 1,
            Change::Same => unchanged += 1,
        }
        if change != Change::Same {
            wanted.push((name, document));
        }
    }
    // What leans on another goes before it, and comes after it.
    let mut gone: Vec<&DocumentName> = remove.iter().collect();
    gone.sort();
    for name in gone {
        remove::one(step, name);
    }
    wanted.sort_by(|(one, _), (other, _)| other.cmp(one));
    for (_, document) in wanted {
        put::one(step, document);
    }
    Ok(Outcome::Applied {
        created,
        changed,
        unchanged,
        removed: u32::try_from(remove.len()).unwrap_or(u32::MAX),
    })
}
