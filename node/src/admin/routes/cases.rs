//! `GET /v1/cases`: open cases from the state and closed ones from the archive, the newest first.
//!
//! # Invariant
//! A case that is closed while a page is made stands on it once: the state is read before the
//! archive, and what is in both is shown closed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rules::State as Truth;
use rules::case::Case;
use rules::demand;
use rules::id::{CaseId, TeamName};
use rules::read::Read;
use runtime::archive::{CaseSummary, Filter, MAX_LIST};

use super::{blocking, name, page};
use crate::admin::convert::case::{closed_line, line, outcome, status};
use crate::admin::desk::Shared;
use crate::admin::extract::QueryOf;
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    CaseLine, CaseOutcome, CasePage, CaseQuery, CaseStatus, Code, ErrorBody, parse_moment_ms,
};

/// Open cases that are looked at while the state is held.
const SLICE: usize = 4096;
/// Pages of the archive that one request reads in search of rows that fit; the answer then says
/// where to go on.
const MAX_ARCHIVE_PAGES: usize = 10;

/// What is looked for.
struct Wanted {
    asker: Asker,
    team: Option<TeamName>,
    since_ms: u64,
    /// How far; none: however far.
    open: Option<Vec<CaseStatus>>,
    /// How it ended; none: however.
    closed: Option<Vec<CaseOutcome>>,
    limit: usize,
}

/// Rows, and how far down the list they reach when there are more below.
struct Rows {
    rows: BTreeMap<CaseId, CaseLine>,
    /// Everything from this number on has been looked at; none: everything.
    down_to: Option<CaseId>,
}

/// Cases, the newest first.
#[utoipa::path(get, path = "/v1/cases", tag = "cases", params(CaseQuery),
    responses((status = 200, description = "a page of cases", body = CasePage),
              (status = 400, description = "the query is wrong", body = ErrorBody)))]
pub(super) async fn list(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<CaseQuery>,
) -> Answered<Json<CasePage>> {
    let wanted = wanted(&query, asker)?;
    if let Some(team) = &wanted.team {
        desk.demand(&wanted.asker, demand::in_team(Read::Cases.right(), team))?;
    }
    let before = query.after.as_deref().map(name::<CaseId>).transpose()?;
    let before = before.unwrap_or(CaseId(u64::MAX));
    let freshness = desk.freshness(false);
    let Rows {
        mut rows,
        mut down_to,
    } = open_rows(&desk, &wanted, before);
    let limit = wanted.limit;
    let closed = {
        let desk = Arc::clone(&desk);
        blocking(move || closed_rows(&desk, &wanted, before)).await?
    };
    rows.extend(closed.rows);
    down_to = down_to.max(closed.down_to);
    let mut cases: Vec<CaseLine> = Vec::new();
    let mut next = None;
    for (id, case) in rows.into_iter().rev() {
        if down_to.is_some_and(|down_to| id < down_to) {
            break;
        }
        if cases.len() == limit {
            next = cases.last().map(|case| case.id.clone());
            break;
        }
        cases.push(case);
    }
    let next = next.or_else(|| down_to.map(|down_to| down_to.to_string()));
    Ok(Json(CasePage {
        cases,
        next,
        freshness,
    }))
}

fn wanted(query: &CaseQuery, asker: Asker) -> Answered<Wanted> {
    let since_ms = match query.since.as_deref() {
        None => 0,
        Some(text) => parse_moment_ms(text).ok_or_else(|| {
            let what = format!("since {} is no moment", config::mistake::shown(text));
            Refused::new(Code::Invalid, what)
                .hint("write 2026-03-01, 2026-03-01T09:30Z or milliseconds since 1970")
        })?,
    };
    let (open, closed) = statuses(query.status.as_deref())?;
    Ok(Wanted {
        asker,
        team: query.team.as_deref().map(name).transpose()?,
        since_ms,
        open,
        closed,
        limit: page(query.limit)?,
    })
}

type Statuses = (Option<Vec<CaseStatus>>, Option<Vec<CaseOutcome>>);

fn statuses(text: Option<&str>) -> Answered<Statuses> {
    const ALL: [&str; 9] = [
        "open",
        "planned",
        "running",
        "waiting",
        "reporting",
        "closed",
        "succeeded",
        "failed",
        "cancelled",
    ];
    let Some(text) = text else {
        return Ok((None, None));
    };
    let (mut open, mut closed, mut is_any_closed) = (Vec::new(), Vec::new(), false);
    for word in text.split(',').map(str::trim) {
        match word {
            "open" => open.push(CaseStatus::Open),
            "planned" => open.push(CaseStatus::Planned),
            "running" => open.push(CaseStatus::Running),
            "waiting" => open.push(CaseStatus::Waiting),
            "reporting" => open.push(CaseStatus::Reporting),
            "closed" => is_any_closed = true,
            "succeeded" => closed.push(CaseOutcome::Succeeded),
            "failed" => closed.push(CaseOutcome::Failed),
            "cancelled" => closed.push(CaseOutcome::Cancelled),
            other => {
                let hint = config::near::hint(other, ALL);
                let other = config::mistake::shown(other);
                let what = format!("status {other} is none of {}{hint}", ALL.join(", "));
                return Err(Refused::new(Code::Invalid, what));
            }
        }
    }
    Ok((Some(open), (!is_any_closed).then_some(closed)))
}

impl Wanted {
    fn fits_open(&self, case: &Case) -> bool {
        case.opened_wall_ms >= self.since_ms
            && self
                .open
                .as_ref()
                .is_none_or(|open| open.contains(&status(case.status).0))
    }

    fn fits_closed(&self, case: &CaseSummary) -> bool {
        case.opened_wall_ms >= self.since_ms
            && self
                .closed
                .as_ref()
                .is_none_or(|closed| closed.contains(&outcome(case.outcome)))
    }
}

fn open_rows(desk: &Shared, wanted: &Wanted, mut before: CaseId) -> Rows {
    let mut rows = BTreeMap::new();
    if wanted.open.as_ref().is_some_and(Vec::is_empty) {
        return Rows {
            rows,
            down_to: None,
        };
    }
    loop {
        let seen = desk.ledger.read(|state| {
            let mut seen = 0;
            for case in newest(state, wanted.team.as_ref(), before).take(SLICE) {
                (seen, before) = (seen + 1, case.id);
                if wanted.fits_open(case) && desk.sees(state, &wanted.asker, case.team.as_ref()) {
                    rows.insert(case.id, line(case));
                    if rows.len() > wanted.limit {
                        break;
                    }
                }
            }
            seen
        });
        if seen < SLICE || rows.len() > wanted.limit {
            // One row more than asked for says that there is more; it needs no mark.
            return Rows {
                rows,
                down_to: None,
            };
        }
    }
}

/// Open cases with a smaller number, the newest first.
fn newest<'a>(
    state: &'a Truth,
    team: Option<&TeamName>,
    before: CaseId,
) -> Box<dyn Iterator<Item = &'a Case> + 'a> {
    match team {
        None => Box::new(state.cases.range(..before).rev().map(|(_, case)| case)),
        Some(team) => match state.teams.get(team) {
            None => Box::new(std::iter::empty()),
            Some(team) => {
                let own = team.cases.range(..before).rev();
                Box::new(own.filter_map(|id| state.cases.get(id)))
            }
        },
    }
}

fn closed_rows(desk: &Shared, wanted: &Wanted, before: CaseId) -> Answered<Rows> {
    let mut rows = BTreeMap::new();
    if wanted.closed.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Rows {
            rows,
            down_to: None,
        });
    }
    let mut filter = Filter {
        team: wanted.team.clone(),
        before: Some(before),
        ..Filter::default()
    };
    for _ in 0..MAX_ARCHIVE_PAGES {
        let page = desk.ledger.archive().list(&filter, MAX_LIST)?;
        let is_end = page.len() < MAX_LIST;
        // Cases are numbered as they are opened: behind an older one there are only older ones.
        let is_past = page
            .last()
            .is_some_and(|case| case.opened_wall_ms < wanted.since_ms);
        for case in &page {
            filter.before = Some(case.id);
            let is_seen = || {
                desk.ledger
                    .read(|state| desk.sees(state, &wanted.asker, case.team.as_ref()))
            };
            if wanted.fits_closed(case) && is_seen() {
                rows.insert(case.id, closed_line(case));
                if rows.len() > wanted.limit {
                    return Ok(Rows {
                        rows,
                        down_to: None,
                    });
                }
            }
        }
        if is_end || is_past {
            return Ok(Rows {
                rows,
                down_to: None,
            });
        }
    }
    Ok(Rows {
        rows,
        down_to: filter.before,
    })
}
