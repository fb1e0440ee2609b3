//! `GET /v1/cases/{case}/watch`: what happens to a case, as it happens, until it is closed.
//!
//! # Why
//! Every look reads the state anew and tells what is new since the last one: a line can come late,
//! never twice, and a client that comes back goes on where it was, at whatever node.

use axum::extract::State;
use axum::response::Response;
use rules::case::Case;
use rules::id::{CaseId, NodeId};
use runtime::ledger::Watch;

use super::case::{look, look_soon};
use super::name;
use crate::admin::attended::{Attendance, Whereabouts};
use crate::admin::convert::case::{stages_done, status, view};
use crate::admin::convert::history;
use crate::admin::desk::Shared;
use crate::admin::extract::{PathOf, QueryOf};
use crate::admin::limits;
use crate::admin::refused::Answered;
use crate::admin::standing::Standing;
use crate::admin::stream::{Ready, Source, answer};
use crate::admin::wire::{CaseView, ErrorBody, Freshness, HistoryLine, WatchEvent, WatchQuery};

/// What happens to a case: a JSON object a line, until it is closed.
#[utoipa::path(get, path = "/v1/cases/{case}/watch", tag = "cases",
    params(("case" = String, Path, description = "its number", example = "c-1"), WatchQuery),
    responses((status = 200, description = "one event a line",
               body = WatchEvent, content_type = "application/x-ndjson"),
              (status = 404, description = "there is no such case", body = ErrorBody),
              (status = 503, description = "there are too many streams", body = ErrorBody)))]
pub(super) async fn watch(
    State(desk): State<Shared>,
    standing: Standing,
    PathOf(case): PathOf<String>,
    QueryOf(query): QueryOf<WatchQuery>,
) -> Answered<Response> {
    let id: CaseId = name(&case)?;
    let place = desk.stream()?;
    let woken = desk.ledger.watch_case(id);
    look_soon(&desk, id, |_| ()).await?;
    let stop = desk.stop.clone();
    let watching = Watching {
        desk,
        id,
        from: query.from.unwrap_or(0),
        woken,
        attendance: Attendance::default(),
        shown: None,
    };
    Ok(answer(watching, place, stop, standing))
}

struct Watching {
    desk: Shared,
    id: CaseId,
    /// The last entry of the history that was told.
    from: u64,
    woken: Watch,
    attendance: Attendance,
    /// How far the case was when that was told last.
    shown: Option<WatchEvent>,
}

/// What one look at the case finds.
struct Glance {
    history: Vec<HistoryLine>,
    status: WatchEvent,
    running: Vec<Whereabouts>,
    /// The case, when it is over.
    closed: Option<Box<CaseView>>,
}

impl Source for Watching {
    type Line = WatchEvent;

    async fn look(&mut self, ready: &mut Ready<WatchEvent>) {
        let (node, from, freshness) = (self.desk.node, self.from, self.desk.freshness(false));
        let glance = look(&self.desk, self.id, move |case| {
            glance(node, case, from, freshness)
        })
        .await;
        let glance = match glance {
            Ok(glance) => glance,
            Err(refused) => {
                ready.push(WatchEvent::Ended {
                    reason: refused.0.message,
                });
                return ready.end();
            }
        };
        let heard = self.attendance.hear(&self.desk, &glance.running).await;
        ready.extend(heard.into_iter().map(|heard| WatchEvent::Progress {
            attempt: heard.attempt.to_string(),
            stage: heard.stage,
            text: heard.text,
        }));
        for line in glance.history {
            self.from = self.from.max(line.index);
            ready.push(WatchEvent::History(line));
        }
        if let Some(case) = glance.closed {
            ready.push(WatchEvent::Closed { case });
            return ready.end();
        }
        if self.shown.as_ref() != Some(&glance.status) {
            self.shown = Some(glance.status.clone());
            ready.push(glance.status);
        }
    }

    async fn rest(&mut self, ready: &mut Ready<WatchEvent>) {
        tokio::select! {
            () = self.woken.changed() => {}
            () = self.attendance.moved() => {}
            () = tokio::time::sleep(limits::QUIET) => ready.push(WatchEvent::Quiet),
        }
    }

    fn last_words(why: &str) -> Option<WatchEvent> {
        Some(WatchEvent::Ended {
            reason: why.to_owned(),
        })
    }
}

fn glance(node: NodeId, case: &Case, from: u64, freshness: Freshness) -> Glance {
    let events = &case.history.events;
    let new = events.partition_point(|event| event.index <= from);
    let (how_far, _, waiting_for) = status(case.status);
    let running = case
        .live_attempts()
        .map(|(number, attempt)| Whereabouts::of(case.id, number, attempt))
        .filter(|at| at.is_running && at.node == node);
    Glance {
        history: events[new..].iter().map(history::line).collect(),
        status: WatchEvent::Status {
            status: how_far,
            waiting_for,
            stages_done: stages_done(case),
            stages: case.stages.len() as u64,
        },
        running: running.collect(),
        closed: case.is_closed().then(|| Box::new(view(case, freshness))),
    }
}
