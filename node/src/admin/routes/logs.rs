//! `GET …/logs`: what agents wrote to their outputs, from this node's folders.
//!
//! # Why
//! Logs are local and bounded, and never pass the ledger. What is elsewhere, or gone with its
//! container, is said in a line of its own instead of being silently left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rules::Rejection;
use rules::id::CaseId;
use runtime::clock::Deadline;
use runtime::ledger::Watch;
use runtime::spool::Spool;
use runtime::workshop::Bench;

use super::case::{look, look_soon};
use super::name;
use super::workers::worker_id;
use crate::admin::attended::{Attended, Whereabouts, moved, note, quiet};
use crate::admin::desk::Shared;
use crate::admin::extract::{PathOf, QueryOf};
use crate::admin::limits;
use crate::admin::refused::{Answered, Refused};
use crate::admin::standing::Standing;
use crate::admin::stream::{Ready, Source, answer};
use crate::admin::wire::{Code, ErrorBody, LogLine, LogQuery, WorkerLogQuery};

/// What a case's agents wrote to their outputs, as far as it is on this node.
#[utoipa::path(get, path = "/v1/cases/{case}/logs", tag = "cases",
    params(("case" = String, Path, description = "its number", example = "c-1"), LogQuery),
    responses((status = 200, description = "a piece of output a line",
               body = LogLine, content_type = "application/x-ndjson"),
              (status = 404, description = "there is no such case or attempt", body = ErrorBody)))]
pub(super) async fn of_case(
    State(desk): State<Shared>,
    standing: Standing,
    PathOf(case): PathOf<String>,
    QueryOf(query): QueryOf<LogQuery>,
) -> Answered<Response> {
    let id: CaseId = name(&case)?;
    let place = desk.stream()?;
    let woken = desk.ledger.watch_case(id);
    if let Some(number) = query.attempt {
        let has = look_soon(&desk, id, move |case| case.attempts.contains_key(&number)).await?;
        if !has {
            let what = format!("case {id} has no attempt {number}");
            return Err(Refused::new(Code::NotFound, what));
        }
    } else {
        look_soon(&desk, id, |_| ()).await?;
    }
    let stop = desk.stop.clone();
    let log = CaseLog {
        desk,
        id,
        only: query.attempt,
        is_followed: query.follow,
        woken,
        seen: BTreeSet::new(),
        attended: BTreeMap::new(),
    };
    Ok(answer(log, place, stop, standing))
}

struct CaseLog {
    desk: Shared,
    id: CaseId,
    only: Option<u32>,
    is_followed: bool,
    woken: Watch,
    /// Attempts that are attended, or of which it was said why not.
    seen: BTreeSet<u32>,
    attended: BTreeMap<u32, Attended>,
}

impl Source for CaseLog {
    type Line = LogLine;

    async fn look(&mut self, ready: &mut Ready<LogLine>) {
        let only = self.only;
        let glance = look(&self.desk, self.id, move |case| {
            let wanted = case
                .attempts
                .iter()
                .filter(|(number, _)| only.is_none_or(|n| n == **number));
            let all = wanted.map(|(number, attempt)| Whereabouts::of(case.id, *number, attempt));
            (all.collect::<Vec<_>>(), case.is_closed())
        });
        let Ok((attempts, is_closed)) = glance.await else {
            return ready.end();
        };
        self.attend(&attempts, ready).await;
        let is_live = |number: u32| {
            attempts
                .iter()
                .any(|at| at.attempt.number == number && at.is_live)
        };
        let mut spent = Vec::new();
        for (number, attended) in &mut self.attended {
            let lines = attended.output(!is_live(*number)).await;
            let has_more = !lines.is_empty();
            ready.extend(lines);
            if !has_more && !is_live(*number) {
                spent.push(*number);
            }
            if has_more && !self.is_followed {
                // One after the other, so that they read as they ran.
                return;
            }
        }
        for number in spent {
            self.attended.remove(&number);
        }
        let is_over = is_closed || self.only.is_some_and(|number| !is_live(number));
        if ready.is_empty() && (!self.is_followed || (is_over && self.attended.is_empty())) {
            ready.end();
        }
    }

    async fn rest(&mut self, ready: &mut Ready<LogLine>) {
        tokio::select! {
            () = self.woken.changed() => {}
            () = moved(self.attended.values()) => {}
            () = tokio::time::sleep(limits::QUIET) => ready.push(quiet()),
        }
    }

    fn last_words(why: &str) -> Option<LogLine> {
        Some(note(None, None, format!("{why}\n")))
    }
}

impl CaseLog {
    async fn attend(&mut self, attempts: &[Whereabouts], ready: &mut Ready<LogLine>) {
        for at in attempts {
            let number = at.attempt.number;
            if self.seen.contains(&number) || self.attended.len() >= limits::FOLLOWED {
                continue;
            }
            let (attempt, stage) = (Some(at.attempt.to_string()), Some(at.stage.to_string()));
            if at.node != self.desk.node {
                let text = format!("attempt {} ran on {}: ask that node\n", at.attempt, at.node);
                ready.push(note(attempt, stage, text));
            } else if let Some(found) = Attended::find(&self.desk, at).await {
                self.attended.insert(number, found);
            } else if at.is_live {
                // Its folders are still to come.
                continue;
            } else {
                let text = format!("nothing is left here of attempt {}\n", at.attempt);
                ready.push(note(attempt, stage, text));
            }
            self.seen.insert(number);
        }
    }
}

/// What the agent of a worker's present container wrote, attempt by attempt, as far as it is on
/// this node.
#[utoipa::path(get, path = "/v1/workers/{team}/{worker}/logs", tag = "workers",
    params(("team" = String, Path, description = "its team"),
           ("worker" = String, Path, description = "its name there"), WorkerLogQuery),
    responses((status = 200, description = "a piece of output a line",
               body = LogLine, content_type = "application/x-ndjson"),
              (status = 404, description = "there is no such worker", body = ErrorBody)))]
pub(super) async fn of_worker(
    State(desk): State<Shared>,
    standing: Standing,
    PathOf((team, worker)): PathOf<(String, String)>,
    QueryOf(query): QueryOf<WorkerLogQuery>,
) -> Answered<Response> {
    let worker = worker_id(&team, &worker)?;
    let found = desk.ledger.read(|state| {
        let found = state.workers.get(&worker)?;
        Some((found.epoch, found.placed.as_ref().map(|(node, _)| *node)))
    });
    let (epoch, node) = found.ok_or_else(|| Refused::from(&Rejection::NoWorker(worker.clone())))?;
    let place = desk.stream()?;
    let mut opening = None;
    if node.is_some_and(|node| node != desk.node) {
        let node = node.map(|node| node.to_string()).unwrap_or_default();
        opening = Some(format!("worker {worker} is on {node}: ask that node\n"));
    }
    let spool = desk
        .here
        .spool(&Bench {
            worker: worker.clone(),
            epoch,
        })
        .await
        .map(Arc::new);
    if spool.is_none() && opening.is_none() {
        opening = Some(format!("worker {worker} has no container here now\n"));
    }
    let stop = desk.stop.clone();
    let is_followed = query.follow && spool.is_some();
    let (seen, attended) = (BTreeSet::new(), Vec::new());
    let log = WorkerLog {
        desk,
        spool,
        opening,
        is_followed,
        seen,
        attended,
        quiet_at: None,
    };
    Ok(answer(log, place, stop, standing))
}

struct WorkerLog {
    desk: Shared,
    spool: Option<Arc<Spool>>,
    opening: Option<String>,
    is_followed: bool,
    seen: BTreeSet<String>,
    attended: Vec<Attended>,
    /// When a line is due that says nothing.
    quiet_at: Option<Deadline>,
}

/// How often a followed worker is looked at for attempts that are new.
const NEW_ATTEMPTS: std::time::Duration = std::time::Duration::from_secs(1);

impl Source for WorkerLog {
    type Line = LogLine;

    async fn look(&mut self, ready: &mut Ready<LogLine>) {
        if let Some(text) = self.opening.take() {
            ready.push(note(None, None, text));
        }
        self.attend().await;
        for attended in &mut self.attended {
            let lines = attended.output(!self.is_followed).await;
            let has_more = !lines.is_empty();
            ready.extend(lines);
            if has_more && !self.is_followed {
                return;
            }
        }
        if ready.is_empty() && !self.is_followed {
            ready.end();
        }
    }

    async fn rest(&mut self, ready: &mut Ready<LogLine>) {
        let quiet_at = *self
            .quiet_at
            .get_or_insert_with(|| Deadline::after(limits::QUIET));
        if quiet_at.is_over() {
            self.quiet_at = None;
            return ready.push(quiet());
        }
        tokio::select! {
            () = moved(self.attended.iter()) => {}
            () = tokio::time::sleep(NEW_ATTEMPTS) => {}
        }
    }

    fn last_words(why: &str) -> Option<LogLine> {
        Some(note(None, None, format!("{why}\n")))
    }
}

impl WorkerLog {
    /// Begins to read attempts that have come since; of very many, the last ones.
    async fn attend(&mut self) {
        let Some(spool) = &self.spool else { return };
        let listing = Arc::clone(spool);
        let listed = tokio::task::spawn_blocking(move || listing.attempts());
        let Ok(Ok(names)) = listed.await else { return };
        let new = names
            .into_iter()
            .filter(|name| !self.seen.contains(name.as_str()));
        let new: Vec<_> = new.collect();
        for name in new {
            self.seen.insert(name.as_str().to_owned());
            let attempt = runtime::workshop::boxes::attempt_id(&name).map(|id| id.to_string());
            let attended = Attended::of(&self.desk, Arc::clone(spool), name, attempt, None);
            self.attended.push(attended);
            if self.attended.len() > limits::FOLLOWED {
                self.attended.remove(0);
            }
        }
    }
}
