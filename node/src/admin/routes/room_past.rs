//! The closed cases of a team whose histories a page of its room shows: those around its place.
//!
//! # Why
//! The archive knows its cases by their numbers, which rise with the entry that opened them; so the
//! place of a page is found by halving. A case that stayed open while a hundred others of its team
//! came and went may stand on no page with what happened to it last: its thread is whole.

use rules::case::Case;
use rules::id::{CaseId, TeamName};
use runtime::archive::{Archive, ArchiveError, Filter};

use crate::admin::convert::room::{Entries, add_case};
use crate::admin::refused::Answered;

/// Closed cases that are read in one go.
pub(super) const CLOSED_AT_ONCE: usize = 50;
/// How often that is done for one page: then the answer says where to go on.
const MAX_GOES: usize = 8;

/// Which part of a room a page shows.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Entries with a smaller place in the ledger.
    pub before: Option<u64>,
    /// Entries with a greater one.
    pub after: u64,
    /// How many.
    pub limit: usize,
}

/// Adds what happened in closed cases; says whether there may be more.
pub(super) fn closed(
    archive: &Archive,
    team: &TeamName,
    part: Part,
    entries: &mut Entries,
) -> Answered<bool> {
    let mut filter = Filter {
        team: Some(team.clone()),
        before: part
            .before
            .map(|place| first_at(archive, place))
            .transpose()?,
        ..Filter::default()
    };
    let below = (part.before.unwrap_or(u64::MAX), 0);
    let mut had_enough = false;
    for _ in 0..MAX_GOES {
        let summaries = archive.list(&filter, CLOSED_AT_ONCE)?;
        let mut opened = u64::MAX;
        for summary in &summaries {
            filter.before = Some(summary.id);
            if let Some(case) = archive.case(summary.id)? {
                opened = opened_at(&case);
                add_case(entries, &case, part.after);
            }
        }
        if summaries.len() < CLOSED_AT_ONCE {
            return Ok(false);
        }
        // Once more when the page is full: what was opened before may have been closed later.
        if had_enough || opened <= part.after {
            return Ok(true);
        }
        had_enough = entries.range(..below).count() >= part.limit;
    }
    Ok(true)
}

/// The place of the entry that opened a case.
fn opened_at(case: &Case) -> u64 {
    case.history.events.first().map_or(0, |event| event.index)
}

/// The first case that was opened at a place in the ledger or behind it.
fn first_at(archive: &Archive, place: u64) -> Result<CaseId, ArchiveError> {
    let newest = archive.list(&Filter::default(), 1)?;
    let (mut known, mut end) = (0, newest.first().map_or(0, |case| case.id.0) + 1);
    while known + 1 < end {
        let middle = known + (end - known) / 2;
        let filter = Filter {
            before: Some(CaseId(middle + 1)),
            ..Filter::default()
        };
        let nearest = archive.list(&filter, 1)?;
        let nearest = nearest.first().map(|summary| summary.id);
        let case = nearest.map(|id| archive.case(id)).transpose()?.flatten();
        match case.filter(|case| case.id.0 > known) {
            Some(case) if opened_at(&case) >= place => end = case.id.0,
            Some(_) | None => known = middle,
        }
    }
    Ok(CaseId(end))
}
