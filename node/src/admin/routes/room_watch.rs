//! `GET /v1/rooms/{room}/watch`: what is said and done in a room, as it is.
//!
//! # Why
//! A look costs what is new: open cases and the room are read behind the last entry that was told, and
//! the archive only for cases that were open at the look before, or were opened since.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use rules::id::{CaseId, TeamName};
use rules::room::RoomName;
use runtime::archive::Filter;
use runtime::ledger::Watch;

use super::room_past::CLOSED_AT_ONCE;
use super::rooms::{newer_shelved, thread_of};
use super::{blocking, name};
use crate::admin::attended::{Attendance, Whereabouts};
use crate::admin::convert::room::{Entries, add_case, add_post};
use crate::admin::desk::Shared;
use crate::admin::extract::{PathOf, QueryOf};
use crate::admin::limits;
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::room_name::resolve;
use crate::admin::standing::Standing;
use crate::admin::stream::{Ready, Source, answer};
use crate::admin::wire::{ErrorBody, RoomEvent, RoomWatchQuery};

/// What is said and done in a room, or in the thread of a case: a JSON object a line.
#[utoipa::path(get, path = "/v1/rooms/{room}/watch", tag = "rooms",
    params(("room" = String, Path, description = "`sre`, `manager`, `@sre` or `sre/disk`", example = "sre"), RoomWatchQuery),
    responses((status = 200, description = "one event a line",
               body = RoomEvent, content_type = "application/x-ndjson"),
              (status = 404, description = "there is no such room or thread", body = ErrorBody),
              (status = 503, description = "there are too many streams", body = ErrorBody)))]
pub(super) async fn watch(
    State(desk): State<Shared>,
    asker: Asker,
    standing: Standing,
    PathOf(room): PathOf<String>,
    QueryOf(query): QueryOf<RoomWatchQuery>,
) -> Answered<Response> {
    let room = resolve(&asker, &room)?;
    let thread = query.thread.as_deref().map(name::<CaseId>).transpose()?;
    let place = desk.stream()?;
    let woken = desk.ledger.watch_room(room.clone());
    if let Some(case) = thread {
        thread_of(&desk, &room, case, u64::MAX).await?;
    }
    let stop = desk.stop.clone();
    let watching = Watching {
        desk,
        room,
        thread,
        from: query.from.unwrap_or(0),
        woken,
        open: thread.into_iter().collect(),
        next_case: CaseId(0),
        shelved: 0,
        attendance: Attendance::default(),
    };
    Ok(answer(watching, place, stop, standing))
}

struct Watching {
    desk: Shared,
    room: RoomName,
    thread: Option<CaseId>,
    /// The last entry that was told.
    from: u64,
    woken: Watch,
    /// The cases that were open at the last look.
    open: BTreeSet<CaseId>,
    /// The number of the next case, then.
    next_case: CaseId,
    /// How many posts had left the state, then.
    shelved: u64,
    attendance: Attendance,
}

/// What one look finds in the state.
struct Glance {
    entries: Entries,
    open: BTreeSet<CaseId>,
    next_case: CaseId,
    shelved: u64,
    running: Vec<Whereabouts>,
}

impl Source for Watching {
    type Line = RoomEvent;

    async fn look(&mut self, ready: &mut Ready<RoomEvent>) {
        let found = match self.glance() {
            Ok(glance) => self.complete(glance).await,
            Err(refused) => Err(refused),
        };
        let (entries, running) = match found {
            Ok(found) => found,
            Err(refused) => {
                let reason = refused.0.message;
                ready.push(RoomEvent::Ended { reason });
                return ready.end();
            }
        };
        let heard = self.attendance.hear(&self.desk, &running).await;
        ready.extend(heard.into_iter().map(|heard| RoomEvent::Progress {
            attempt: heard.attempt.to_string(),
            stage: heard.stage,
            text: heard.text,
        }));
        for entry in entries.into_values() {
            self.from = self.from.max(entry.index);
            ready.push(RoomEvent::Entry(entry));
        }
    }

    async fn rest(&mut self, ready: &mut Ready<RoomEvent>) {
        tokio::select! {
            () = self.woken.changed() => {}
            () = self.attendance.moved() => {}
            () = tokio::time::sleep(limits::QUIET) => ready.push(RoomEvent::Quiet),
        }
    }

    fn last_words(why: &str) -> Option<RoomEvent> {
        Some(RoomEvent::Ended {
            reason: why.to_owned(),
        })
    }
}

impl Watching {
    fn glance(&self) -> Answered<Glance> {
        let node = self.desk.node;
        self.desk.ledger.read(|state| {
            let open: Vec<CaseId> = match (&self.room, self.thread) {
                (_, Some(case)) => vec![case],
                (RoomName::Team(team), None) => {
                    let known = state.teams.get(team);
                    let known = known.ok_or_else(|| Refused::no_team(state, team))?;
                    known.cases.iter().copied().collect()
                }
                (RoomName::Direct(..), None) => Vec::new(),
            };
            let mut glance = Glance {
                entries: Entries::new(),
                open: BTreeSet::new(),
                next_case: state.next_case,
                shelved: state.rooms.shelved,
                running: Vec::new(),
            };
            for case in open.into_iter().filter_map(|id| state.cases.get(&id)) {
                add_case(&mut glance.entries, case, self.from);
                glance.open.insert(case.id);
                let live = case.live_attempts();
                let live = live.map(|(number, attempt)| Whereabouts::of(case.id, number, attempt));
                glance
                    .running
                    .extend(live.filter(|at| at.is_running && at.node == node));
            }
            let known = state.rooms.rooms.get(&self.room);
            let known = known.filter(|_| self.thread.is_none());
            let posts = known.into_iter().flat_map(|room| room.posts.iter().rev());
            let new = posts.take_while(|post| post.index > self.from);
            new.for_each(|post| add_post(&mut glance.entries, post, None));
            Ok(glance)
        })
    }

    /// Adds what has left the state since the last look.
    async fn complete(&mut self, glance: Glance) -> Answered<(Entries, Vec<Whereabouts>)> {
        let Glance {
            mut entries,
            open,
            next_case,
            shelved,
            running,
        } = glance;
        let gone: Vec<CaseId> = self.open.difference(&open).copied().collect();
        let may_be_new = self.next_case < next_case && self.thread.is_none();
        let has_shelved = self.shelved < shelved && self.thread.is_none();
        if !gone.is_empty() || may_be_new || has_shelved {
            let (desk, room, from) = (self.desk.clone(), self.room.clone(), self.from);
            let (since, is_open) = (self.next_case, open.clone());
            entries = blocking(move || {
                if has_shelved {
                    newer_shelved(&desk, &room, from, &mut entries)?;
                }
                let mut closed: BTreeSet<CaseId> = gone.into_iter().collect();
                if let RoomName::Team(team) = &room
                    && may_be_new
                {
                    closed.extend(closed_since(&desk, team, since)?);
                }
                for id in closed.difference(&is_open) {
                    if let Some(case) = desk.ledger.archive().case(*id)? {
                        add_case(&mut entries, &case, from);
                    }
                }
                Ok(entries)
            })
            .await?;
        }
        (self.open, self.next_case, self.shelved) = (open, next_case, shelved);
        Ok((entries, running))
    }
}

/// Closed cases of a team that were opened since.
fn closed_since(desk: &Shared, team: &TeamName, since: CaseId) -> Answered<Vec<CaseId>> {
    let filter = Filter {
        team: Some(team.clone()),
        ..Filter::default()
    };
    let newest = desk.ledger.archive().list(&filter, CLOSED_AT_ONCE)?;
    let ids = newest.into_iter().map(|summary| summary.id);
    Ok(ids.take_while(|id| *id >= since).collect())
}
