//! `GET /v1/workers…`, `POST …/replace`: workers.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::id::{TeamName, WorkerId, WorkerName};
use rules::place::{self, Placed};
use rules::read::Read;
use rules::worker::Worker;
use rules::{Command, Rejection, demand};
use runtime::redact::redacted;

use super::{name, page};
use crate::admin::convert::team::{worker_line, worker_status, worker_view};
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf, QueryOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    Code, Done, ErrorBody, Explained, ReplaceWorker, WorkerLine, WorkerPage, WorkerQuery,
    WorkerStatus, WorkerView,
};
use crate::admin::wish::Wish;

/// Workers that are looked at while the state is held.
const SLICE: usize = 4096;

/// Workers in the order of their teams and names.
#[utoipa::path(get, path = "/v1/workers", tag = "workers", params(WorkerQuery),
    responses((status = 200, description = "a page of workers", body = WorkerPage),
              (status = 400, description = "the query is wrong", body = ErrorBody)))]
pub(super) async fn list(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<WorkerQuery>,
) -> Answered<Json<WorkerPage>> {
    let limit = page(query.limit)?;
    let team = query.team.as_deref().map(name::<TeamName>).transpose()?;
    let wanted = statuses(query.status.as_deref())?;
    let after = query.after.as_deref().map(name::<WorkerId>).transpose()?;
    let fits = |worker: &Worker| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&worker_status(worker)))
    };
    let mut workers = match &team {
        Some(team) => {
            desk.demand(&asker, demand::in_team(Read::Workers.right(), team))?;
            of_team(&desk, team, after.as_ref(), &fits, limit + 1)?
        }
        None => of_all(&desk, &asker, after, &fits, limit + 1),
    };
    let has_more = workers.len() > limit;
    workers.truncate(limit);
    let next = workers
        .last()
        .filter(|_| has_more)
        .map(|worker| worker.id.clone());
    let freshness = desk.freshness(false);
    Ok(Json(WorkerPage {
        workers,
        next,
        freshness,
    }))
}

fn of_team(
    desk: &Desk,
    team: &TeamName,
    after: Option<&WorkerId>,
    fits: &impl Fn(&Worker) -> bool,
    most: usize,
) -> Answered<Vec<WorkerLine>> {
    desk.ledger.read(|state| {
        let Some(found) = state.teams.get(team) else {
            return Err(Refused::no_team(state, team));
        };
        let own = found.workers.iter().map(|name| WorkerId {
            team: team.clone(),
            name: name.clone(),
        });
        let own = own.filter(|id| after.is_none_or(|after| id > after));
        let own = own.filter_map(|id| state.workers.get(&id));
        Ok(own
            .filter(|worker| fits(worker))
            .take(most)
            .map(worker_line)
            .collect())
    })
}

fn of_all(
    desk: &Desk,
    asker: &Asker,
    mut after: Option<WorkerId>,
    fits: &impl Fn(&Worker) -> bool,
    most: usize,
) -> Vec<WorkerLine> {
    let mut rows = Vec::new();
    loop {
        let from = after.take().map_or(Bound::Unbounded, Bound::Excluded);
        let seen = desk.ledger.read(|state| {
            let mut seen = 0;
            for (id, worker) in state.workers.range((from, Bound::Unbounded)).take(SLICE) {
                seen += 1;
                after = Some(id.clone());
                if fits(worker) && desk.sees(state, asker, Some(&id.team)) {
                    rows.push(worker_line(worker));
                    if rows.len() == most {
                        break;
                    }
                }
            }
            seen
        });
        if seen < SLICE || rows.len() == most {
            return rows;
        }
    }
}

fn statuses(text: Option<&str>) -> Answered<Option<Vec<WorkerStatus>>> {
    const WORDS: [(&str, WorkerStatus); 4] = [
        ("homeless", WorkerStatus::Homeless),
        ("asleep", WorkerStatus::Asleep),
        ("idle", WorkerStatus::Idle),
        ("busy", WorkerStatus::Busy),
    ];
    let Some(text) = text else { return Ok(None) };
    let each = text.split(',').map(|word| {
        let known = WORDS.iter().find(|(known, _)| *known == word.trim());
        known.map(|(_, status)| *status).ok_or_else(|| {
            let all = WORDS.map(|(known, _)| known);
            let hint = config::near::hint(word, all);
            let word = config::mistake::shown(word);
            let what = format!("status {word} is none of {}{hint}", all.join(", "));
            Refused::new(Code::Invalid, what)
        })
    });
    each.collect::<Answered<Vec<_>>>().map(Some)
}

/// Everything about a worker.
#[utoipa::path(get, path = "/v1/workers/{team}/{worker}", tag = "workers",
    params(("team" = String, Path, description = "its team"),
           ("worker" = String, Path, description = "its name there")),
    responses((status = 200, description = "the worker", body = WorkerView),
              (status = 404, description = "there is no such worker", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    PathOf((team, worker)): PathOf<(String, String)>,
) -> Answered<Json<WorkerView>> {
    let id = worker_id(&team, &worker)?;
    let freshness = desk.freshness(false);
    let found = desk.ledger.read(|state| {
        state
            .workers
            .get(&id)
            .map(|worker| worker_view(worker, freshness))
    });
    found
        .map(Json)
        .ok_or_else(|| Refused::from(&Rejection::NoWorker(id)))
}

/// Where it could be, and why it is where it is.
#[utoipa::path(get, path = "/v1/workers/{team}/{worker}/explain", tag = "workers",
    params(("team" = String, Path, description = "its team"),
           ("worker" = String, Path, description = "its name there")),
    responses((status = 200, description = "what speaks for and against each node", body = Explained),
              (status = 404, description = "there is no such worker", body = ErrorBody)))]
pub(super) async fn explain(
    State(desk): State<Shared>,
    PathOf((team, worker)): PathOf<(String, String)>,
) -> Answered<Json<Explained>> {
    let id = worker_id(&team, &worker)?;
    let who = Placed::Worker(id.clone());
    let explained = desk.ledger.read(|state| place::explain(state, &who));
    let explained = explained.map_err(|_| Refused::from(&Rejection::NoWorker(id)))?;
    Ok(Json(super::teams::explanation(explained)))
}

/// Gives a worker a new container; what it was doing is done anew.
#[utoipa::path(post, path = "/v1/workers/{team}/{worker}/replace", tag = "workers",
    params(("team" = String, Path, description = "its team"),
           ("worker" = String, Path, description = "its name there"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = ReplaceWorker,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such worker", body = ErrorBody)))]
pub(super) async fn replace(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((team, worker)): PathOf<(String, String)>,
    JsonOf(why): JsonOf<ReplaceWorker>,
) -> Answered<Response> {
    let worker = worker_id(&team, &worker)?;
    let command = Command::ReplaceWorker {
        worker,
        reason: redacted(why.reason),
    };
    wish.propose(&desk, command, "").await?;
    Ok(wish.answer(
        StatusCode::OK,
        &Done {
            request_id: wish.id.to_string(),
        },
    ))
}

/// The worker that a path names.
pub(super) fn worker_id(team: &str, worker: &str) -> Answered<WorkerId> {
    let (team, name) = (name(team)?, name::<WorkerName>(worker)?);
    Ok(WorkerId { team, name })
}
