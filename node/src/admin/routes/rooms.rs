//! `/v1/rooms`: where people and personas talk, and what was said and done there.
//!
//! # Why
//! A page is made of the posts and of the histories of cases, in the order of the ledger: what was
//! done is shown from the entries that did it. A page of a room shows its open cases and the closed
//! ones around its place, [`super::room_past`] says which.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::id::{CaseId, HumanName};
use rules::right::Right;
use rules::room::{Persona, RoomName};
use rules::{Command, Outcome, demand};
use runtime::redact::redacted;

use super::case::look_soon;
use super::change_case::{attachments, done};
use super::room_past::{Part, closed};
use super::unread::{self, Unread};
use super::{blocking, name, page};

use crate::admin::convert::room::{Entries, add_case, add_post};
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf, QueryOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::room_name::{called, resolve};
use crate::admin::wire::{
    Code, Done, ErrorBody, MarkRead, PostMessage, Posted, RoomLine, RoomPage, RoomQuery, RoomView,
    parse_moment_ms,
};
use crate::admin::wish::Wish;

/// Posts that are read from the archive in one go.
const SHELF: usize = 256;
/// How often that is done for one page: then the answer says where to go on.
const MAX_SHELVES: usize = 8;

/// The rooms that the asker may enter.
#[utoipa::path(get, path = "/v1/rooms", tag = "rooms",
    responses((status = 200, description = "rooms", body = RoomPage)))]
pub(super) async fn list(State(desk): State<Shared>, asker: Asker) -> Answered<Json<RoomPage>> {
    let freshness = desk.freshness(false);
    let human = asker.human();
    let rooms = desk.ledger.read(|state| {
        let mut rooms = Vec::new();
        let governs = demand::cluster(Right::Manage);
        if desk.ledger.may(state, &asker.principal(), governs) {
            let own = RoomName::Direct(human.clone(), Persona::Manager);
            rooms.push(line(state, human, &own));
        }
        let own = state.rooms.rooms.keys().filter(|room| match room {
            RoomName::Direct(whose, Persona::Butler(_) | Persona::Worker(_)) => whose == human,
            RoomName::Direct(_, Persona::Manager) | RoomName::Team(_) => false,
        });
        rooms.extend(own.map(|room| line(state, human, room)));
        let teams = state.teams.keys();
        let teams = teams.filter(|team| desk.sees(state, &asker, Some(team)));
        rooms.extend(teams.map(|team| line(state, human, &RoomName::Team(team.clone()))));
        rooms
    });
    let rooms = blocking(move || unread::count(&desk, rooms)).await?;
    Ok(Json(RoomPage { rooms, freshness }))
}

/// What was said and done in a room, or in the thread of a case.
#[utoipa::path(get, path = "/v1/rooms/{room}", tag = "rooms",
    params(("room" = String, Path, description = "`sre`, `manager`, `@sre` or `sre/disk`", example = "sre"), RoomQuery),
    responses((status = 200, description = "entries, the oldest first", body = RoomView),
              (status = 404, description = "there is no such room or thread", body = ErrorBody)))]
pub(super) async fn read(
    State(desk): State<Shared>,
    asker: Asker,
    PathOf(text): PathOf<String>,
    QueryOf(query): QueryOf<RoomQuery>,
) -> Answered<Json<RoomView>> {
    let room = resolve(&asker, &text)?;
    let limit = page(query.limit)?;
    let since_ms = since(query.since.as_deref())?;
    let freshness = desk.freshness(false);
    let after = query.after.unwrap_or(0);
    let thread = query.thread.as_deref().map(name::<CaseId>).transpose()?;
    let part = Part {
        before: query.before,
        after,
        limit,
    };
    let (entries, mut is_cut) = match thread {
        Some(case) => (thread_of(&desk, &room, case, after).await?, false),
        None => whole(&desk, &room, part).await?,
    };
    let mut entries: Vec<_> = entries
        .into_values()
        .filter(|entry| query.after.is_none_or(|after| entry.index > after))
        .filter(|entry| query.before.is_none_or(|before| entry.index < before))
        .filter(|entry| entry.at.ms >= since_ms)
        .collect();
    // A page has all lines of an entry, or none: the next one goes on behind its place.
    if query.after.is_some() {
        let last = entries.get(limit - 1).map_or(u64::MAX, |entry| entry.index);
        entries.retain(|entry| entry.index <= last);
        is_cut = false;
    } else if entries.len() > limit {
        let first = entries[entries.len() - limit].index;
        entries.retain(|entry| entry.index >= first);
        is_cut = true;
    }
    let before = entries.first().map(|entry| entry.index).filter(|_| is_cut);
    let read_up_to = desk
        .ledger
        .read(|state| state.rooms.read_up_to(&room, asker.human()));
    Ok(Json(RoomView {
        room: text,
        entries,
        before,
        read_up_to,
        freshness,
    }))
}

/// Says something. Once it is answered, a quorum has it on disk.
#[utoipa::path(post, path = "/v1/rooms/{room}/posts", tag = "rooms", request_body = PostMessage,
    params(("room" = String, Path, description = "`sre`, `manager`, `@sre` or `sre/disk`", example = "sre"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 201, description = "it stands there", body = Posted),
              (status = 400, description = "the post is wrong in itself", body = ErrorBody),
              (status = 404, description = "there is no such room or thread", body = ErrorBody),
              (status = 429, description = "a limit is reached", body = ErrorBody)))]
pub(super) async fn post(
    State(desk): State<Shared>,
    asker: Asker,
    wish: Wish,
    PathOf(room): PathOf<String>,
    JsonOf(said): JsonOf<PostMessage>,
) -> Answered<Response> {
    let command = Command::PostMessage {
        room: resolve(&asker, &room)?,
        thread: said.thread.as_deref().map(name::<CaseId>).transpose()?,
        text: redacted(said.text),
        attachments: attachments(&desk, said.attachments).await?,
        answers: None,
    };
    let outcome = wish.propose(&desk, command, "").await?;
    let Outcome::Posted {
        number,
        case,
        heard_by,
        unheard,
    } = outcome
    else {
        let refused = Refused::new(Code::Failed, "the ledger answered another question");
        return Err(wish.refused(refused));
    };
    let posted = Posted {
        number,
        case: case.map(|case| case.to_string()),
        heard_by: heard_by.iter().map(ToString::to_string).collect(),
        unheard: unheard.iter().map(ToString::to_string).collect(),
        request_id: wish.id.to_string(),
    };
    Ok(wish.answer(StatusCode::CREATED, &posted))
}

/// Says how far the asker has read; a marker never goes back.
#[utoipa::path(post, path = "/v1/rooms/{room}/read", tag = "rooms", request_body = MarkRead,
    params(("room" = String, Path, description = "`sre`, `manager`, `@sre` or `sre/disk`", example = "sre"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such room", body = ErrorBody)))]
pub(super) async fn mark(
    State(desk): State<Shared>,
    asker: Asker,
    wish: Wish,
    PathOf(room): PathOf<String>,
    JsonOf(mark): JsonOf<MarkRead>,
) -> Answered<Response> {
    let room = resolve(&asker, &room)?;
    let up_to = mark.up_to;
    done(&desk, &wish, Command::MarkRead { room, up_to }).await
}

fn line(state: &rules::State, asker: &HumanName, room: &RoomName) -> (RoomName, Unread, RoomLine) {
    let (title, threads) = match room {
        RoomName::Direct(_, persona) => (format!("the {persona}"), 0),
        RoomName::Team(team) => {
            let known = state.teams.get(team);
            let title = known.map(|team| team.spec.title.clone());
            let threads = known.map_or(0, |team| team.cases.len() as u64);
            (title.unwrap_or_default(), threads)
        }
    };
    let posts = state.rooms.rooms.get(room).map(|room| &room.posts);
    let last = posts.and_then(|posts| posts.back());
    let line = RoomLine {
        name: called(room),
        title,
        last_post: last.map(|post| post.number),
        unread: 0,
        threads,
    };
    (room.clone(), Unread::of(state, room, asker), line)
}

fn since(text: Option<&str>) -> Answered<u64> {
    let Some(text) = text else { return Ok(0) };
    parse_moment_ms(text).ok_or_else(|| {
        let what = format!("since {} is no moment", config::mistake::shown(text));
        Refused::new(Code::Invalid, what)
            .hint("write 2026-03-01, 2026-03-01T09:30Z or milliseconds since 1970")
    })
}

pub(super) async fn thread_of(
    desk: &Shared,
    room: &RoomName,
    id: CaseId,
    after: u64,
) -> Answered<Entries> {
    let (entries, team) = look_soon(desk, id, move |case| {
        let mut entries = Entries::new();
        add_case(&mut entries, case, after);
        (entries, case.team.clone())
    })
    .await?;
    if team.map(RoomName::Team).as_ref() != Some(room) {
        let what = format!("case {id} is no thread of room {room}");
        return Err(Refused::new(Code::NotFound, what));
    }
    Ok(entries)
}

/// Everything of a room that a page may show, and whether there is more.
async fn whole(desk: &Shared, room: &RoomName, part: Part) -> Answered<(Entries, bool)> {
    let mut entries = Entries::new();
    let kept = desk.ledger.read(|state| {
        if let RoomName::Team(team) = room {
            let known = state.teams.get(team);
            let known = known.ok_or_else(|| Refused::no_team(state, team))?;
            let open = known.cases.iter().filter_map(|id| state.cases.get(id));
            open.for_each(|case| add_case(&mut entries, case, part.after));
        }
        let known = state.rooms.rooms.get(room);
        let posts = known.into_iter().flat_map(|room| &room.posts);
        posts.for_each(|post| add_post(&mut entries, post, None));
        Ok::<_, Refused>(known.map(|room| room.since))
    });
    let since = kept?;
    let (desk, room) = (Arc::clone(desk), room.clone());
    blocking(move || {
        let mut is_more = false;
        if let RoomName::Team(team) = &room {
            is_more |= closed(desk.ledger.archive(), team, part, &mut entries)?;
        }
        if let Some(since) = since {
            is_more |= shelved(&desk, &room, (since, part.before), &mut entries)?;
        }
        Ok((entries, is_more))
    })
    .await
}

/// Adds posts that have left the state; says whether there are more. A post's number is never above
/// its place in the ledger, so numbers from `before` on need not be read.
fn shelved(
    desk: &Desk,
    room: &RoomName,
    (since, before): (u64, Option<u64>),
    entries: &mut Entries,
) -> Answered<bool> {
    let mut until = before.unwrap_or(u64::MAX);
    for _ in 0..MAX_SHELVES {
        let posts = desk.ledger.archive().posts(room, (since, until), SHELF)?;
        for post in &posts {
            add_post(entries, post, None);
        }
        match posts.last() {
            Some(last) if posts.len() == SHELF => until = last.number,
            Some(_) | None => return Ok(false),
        }
    }
    Ok(true)
}

/// Adds posts that have left the state and stand behind a place in the ledger.
pub(super) fn newer_shelved(
    desk: &Desk,
    room: &RoomName,
    after: u64,
    entries: &mut Entries,
) -> Answered<()> {
    let known = desk.ledger.read(|state| {
        let room = state.rooms.rooms.get(room)?;
        Some(room.since)
    });
    let (since, mut until) = (known.unwrap_or(u64::MAX), u64::MAX);
    for _ in 0..MAX_SHELVES {
        let posts = desk.ledger.archive().posts(room, (since, until), SHELF)?;
        let new = posts.iter().take_while(|post| post.index > after);
        new.for_each(|post| add_post(entries, post, None));
        match posts.last() {
            Some(last) if posts.len() == SHELF && last.index > after => until = last.number,
            Some(_) | None => break,
        }
    }
    Ok(())
}
