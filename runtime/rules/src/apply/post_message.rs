//! Somebody says something in a room: it stands there, and whoever it speaks to has to act.
//!
//! # Why
//! What a post sets going is in the same entry: a case that it opens is acknowledged with it, and a
//! post that comes twice opens no second one.

mod opening;

use crate::attempt::Attempt;
use crate::blobs;
use crate::case::{Attachment, Case};
use crate::command::{Command, Who};
use crate::demand::talk;
use crate::duty::Subject;
use crate::id::{AttemptId, BlobRef, CaseId, WorkerId};
use crate::limits;
use crate::mention::{self, Addressed};
use crate::room::{Message, Persona, Post, Room, RoomName, Shelved, Speaker};
use crate::state::State;
use crate::step::Step;
use crate::verdict::{OF_PACE, Outcome, Rejection, Verdict, over};
use crate::version;

use super::{fence, open_case};

/// What is said, and where.
struct Said<'a> {
    room: &'a RoomName,
    thread: Option<CaseId>,
    text: &'a str,
    attachments: &'a [Attachment],
    answers: Option<u64>,
    by: Speaker,
}

pub(super) fn apply(step: &mut Step<'_>, command: &Command) -> Verdict {
    let Command::PostMessage {
        room,
        thread,
        text,
        attachments,
        answers,
    } = command
    else {
        return Err(Rejection::Invalid(vec!["not a post".to_owned()]));
    };
    let by = speaker(step, room, *thread, *answers)?;
    let said = Said {
        room,
        thread: *thread,
        text,
        attachments,
        answers: *answers,
        by,
    };
    let addressed = check(step, &said)?;
    let case = opening::set_going(step, &said, &addressed)?;
    Ok(stand(step, &said, &addressed, case))
}

/// Who speaks, if they are still who they were and may speak here.
fn speaker(
    step: &Step<'_>,
    room: &RoomName,
    thread: Option<CaseId>,
    answers: Option<u64>,
) -> Result<Speaker, Rejection> {
    let not_here = |whose: &str| {
        Err(Rejection::NotYours {
            whose: whose.to_owned(),
        })
    };
    match &step.principal.who {
        // A persona speaks for itself also where it acts for a human: that it was asked is no
        // reason to put words into their mouth.
        Who::Manager { .. } => {
            fence::manager(step)?;
            if answers.is_none() && !talk::is_for_human(step.state, step.principal, room) {
                return not_here("a human, or the Manager in answer to one,");
            }
        }
        Who::Butler { team, .. } => fence::butler(step, team)?,
        Who::Worker { worker, epoch } => {
            let case = thread.and_then(|case| step.state.cases.get(&case));
            let is_at_work = |(_, attempt): (u32, &Attempt)| {
                attempt.worker == *worker && attempt.epoch == *epoch
            };
            if !case.is_some_and(|case| case.live_attempts().any(is_at_work)) {
                return not_here("a worker that runs an attempt of the case");
            }
        }
        Who::Human(_) | Who::Node(_) | Who::Ledger => fence::human(step)?,
    }
    Speaker::of(step.principal).ok_or_else(|| Rejection::NotYours {
        whose: "whoever can talk".to_owned(),
    })
}

/// Whether it may be said so; changes nothing.
fn check(step: &Step<'_>, said: &Said<'_>) -> Result<Addressed, Rejection> {
    let state = &*step.state;
    enter(state, &said.by, said.room)?;
    if said.text.trim().is_empty() {
        return Err(Rejection::Invalid(vec!["the post is empty".to_owned()]));
    }
    if said.text.len() > limits::MAX_INLINE_BYTES {
        return Err(over("max_inline_bytes (post)", limits::MAX_INLINE_BYTES));
    }
    open_case::attachable(said.attachments)?;
    if let Some(id) = said.thread {
        let case = thread_of(state, said.room, id)?;
        open_case::affordable(state, case.team.as_ref(), Some(case), brought(said))?;
        let thread = &case.thread;
        let bytes: usize = thread.posts.iter().map(|post| post.text.len()).sum();
        if thread.posts.len() >= limits::MAX_THREAD_POSTS {
            return Err(over("max_thread_posts", limits::MAX_THREAD_POSTS));
        }
        if bytes + said.text.len() > limits::MAX_THREAD_BYTES {
            return Err(over("max_thread_bytes", limits::MAX_THREAD_BYTES));
        }
    }
    let addressed = mention::addressed(state, &said.by, said.room, said.thread, said.text);
    if let Some(number) = said.answers
        && state.rooms.unanswered(said.room, number).is_none()
    {
        return Err(Rejection::WrongState {
            what: format!("post {number} of room {}", said.room),
            is: "no post that waits for an answer".to_owned(),
        });
    }
    if let Speaker::Persona(persona) = &said.by {
        // An answer is one for each post of a person: it leads to no loop.
        if said.answers.is_none() {
            pace(step, persona)?;
        }
        if !addressed.attempts.is_empty() && chain(state, said) >= limits::MAX_CHAIN {
            return Err(over("max_chain", limits::MAX_CHAIN as usize));
        }
    }
    let known = state.rooms.rooms.get(said.room);
    let waiting = known.map_or(0, |room| room.unanswered.len());
    if addressed.manager && waiting >= limits::MAX_UNANSWERED {
        return Err(over("max_unanswered", limits::MAX_UNANSWERED));
    }
    hearable(state, &addressed.attempts)?;
    Ok(addressed)
}

/// The blobs that come with it.
fn brought(said: &Said<'_>) -> Vec<BlobRef> {
    let attachments = said.attachments.iter();
    attachments.map(|attachment| attachment.blob).collect()
}

/// Whether the attempts can be told one thing more.
fn hearable(state: &State, attempts: &[AttemptId]) -> Result<(), Rejection> {
    let is_full = |id: &AttemptId| {
        let attempt = state.cases.get(&id.case)?.attempts.get(&id.number)?;
        Some(attempt.messages.len() >= limits::MAX_ATTEMPT_MESSAGES)
    };
    if attempts.iter().any(|id| is_full(id) == Some(true)) {
        return Err(over("max_attempt_messages", limits::MAX_ATTEMPT_MESSAGES));
    }
    Ok(())
}

/// Whether somebody may be in a room at all: it is there, and theirs where it is one of two.
pub(super) fn enter(state: &State, speaker: &Speaker, name: &RoomName) -> Result<(), Rejection> {
    let team = match name {
        RoomName::Team(team) | RoomName::Direct(_, Persona::Butler(team)) => Some(team),
        RoomName::Direct(_, Persona::Worker(worker)) => {
            if !state.workers.contains_key(worker) {
                return Err(Rejection::NoWorker(worker.clone()));
            }
            None
        }
        RoomName::Direct(_, Persona::Manager) => None,
    };
    let rooms = &state.rooms.rooms;
    if rooms.len() >= limits::MAX_ROOMS && !rooms.contains_key(name) {
        return Err(over("max_rooms", limits::MAX_ROOMS));
    }
    if let Some(team) = team.filter(|team| !state.teams.contains_key(*team)) {
        return Err(Rejection::NoTeam(team.clone()));
    }
    if let RoomName::Direct(human, persona) = name {
        let is_theirs = match speaker {
            Speaker::Human(speaks) => speaks == human,
            Speaker::Persona(speaks) => speaks == persona,
        };
        if !is_theirs {
            return Err(Rejection::NotYours {
                whose: format!("{human} or the {persona}"),
            });
        }
    }
    if let (RoomName::Team(team), Speaker::Persona(persona)) = (name, speaker) {
        let is_own = match persona {
            Persona::Manager => state.version >= version::WELCOMES,
            Persona::Butler(own) => own == team,
            Persona::Worker(own) => own.team == *team,
        };
        if !is_own {
            return Err(Rejection::NotYours {
                whose: format!("the people and personas of team {team}"),
            });
        }
    }
    Ok(())
}

/// The case in whose thread something is said: it is the room's own, and open.
fn thread_of<'a>(state: &'a State, room: &RoomName, id: CaseId) -> Result<&'a Case, Rejection> {
    let case = state.cases.get(&id).ok_or(Rejection::NoCase(id))?;
    match (room, &case.team) {
        (RoomName::Team(room), Some(team)) if room == team => Ok(case),
        (RoomName::Team(_) | RoomName::Direct(..), _) => Err(Rejection::WrongState {
            what: format!("case {id}"),
            is: format!("no thread of room {room}"),
        }),
    }
}

/// A room to be changed; where nothing was said in it yet, it begins with that post.
pub(super) fn room_mut<'a>(state: &'a mut State, name: &RoomName, since: u64) -> &'a mut Room {
    let rooms = &mut state.rooms.rooms;
    rooms.entry(name.clone()).or_insert_with(|| Room {
        since,
        ..Room::default()
    })
}

/// Whether a persona has said enough for this minute.
fn pace(step: &Step<'_>, persona: &Persona) -> Result<(), Rejection> {
    let pace = step.state.rooms.paces.get(persona).copied();
    let now = step.state.clock;
    let is_over = pace.is_some_and(|pace| {
        now < pace.since.plus(limits::PACE_MS) && pace.posts >= limits::MAX_PACE_POSTS
    });
    if is_over {
        return Err(over(OF_PACE, limits::MAX_PACE_POSTS as usize));
    }
    Ok(())
}

fn chain(state: &State, said: &Said<'_>) -> u32 {
    if let Some(case) = said.thread.and_then(|case| state.cases.get(&case)) {
        return case.thread.chain;
    }
    let room = state.rooms.rooms.get(said.room);
    room.map_or(0, |room| room.chain)
}

/// Puts the post where it belongs and lets those hear it who are spoken to.
fn stand(
    step: &mut Step<'_>,
    said: &Said<'_>,
    addressed: &Addressed,
    case: Option<CaseId>,
) -> Outcome {
    step.state.rooms.last_post += 1;
    let number = step.state.rooms.last_post;
    // An amendment has ended what ran: nobody hears what they could not answer any more.
    let heard_by: Vec<AttemptId> = addressed
        .attempts
        .iter()
        .copied()
        .filter(|id| hear(step, *id, number, said))
        .collect();
    let post = Post {
        number,
        index: step.index,
        wall_ms: step.wall_ms,
        by: said.by.clone(),
        text: said.text.to_owned(),
        attachments: said.attachments.to_vec(),
        answers: said.answers,
        case,
        heard_by: heard_by.clone(),
    };
    if said.answers.is_none() || step.state.version < version::PEOPLE {
        count(step, &said.by);
    }
    let has_woken = !heard_by.is_empty();
    let link = |chain: u32| match said.by {
        Speaker::Human(_) => 0,
        Speaker::Persona(_) => chain + u32::from(has_woken),
    };
    if let Some(mut case) = said.thread.and_then(|id| step.state.cases.remove(&id)) {
        let bytes = blobs::bytes_with(Some(&case), brought(said));
        open_case::charge(step, &mut case, bytes);
        case.thread.chain = link(case.thread.chain);
        case.thread.posts.push(post);
        step.touched.insert(Subject::Case(case.id));
        step.state.cases.insert(case.id, case);
    } else {
        let room = room_mut(step.state, said.room, number);
        room.chain = link(room.chain);
        room.posts.push_back(post);
        if addressed.manager {
            room.unanswered.insert(number);
        }
        if let Some(answered) = said.answers {
            room.unanswered.remove(&answered);
        }
        let shelved = room.shelve();
        step.state.rooms.shelved += shelved.len() as u64;
        let shelve = |post| Shelved {
            room: said.room.clone(),
            post,
        };
        step.shelved.extend(shelved.into_iter().map(shelve));
    }
    step.touched.insert(Subject::Room(said.room.clone()));
    Outcome::Posted {
        number,
        case,
        heard_by,
        unheard: unheard(step.state, addressed),
    }
}

/// The workers that are spoken to and run nothing that could hear it.
fn unheard(state: &State, addressed: &Addressed) -> Vec<WorkerId> {
    let works = |worker: &WorkerId| {
        let running = state.workers.get(worker).map(|worker| &worker.running);
        let heard = |id: &AttemptId| running.is_some_and(|running| running.contains(id));
        addressed.attempts.iter().any(heard)
    };
    let workers = addressed.workers.iter();
    workers.filter(|worker| !works(worker)).cloned().collect()
}

/// Tells a running attempt; `false` where it runs no more.
fn hear(step: &mut Step<'_>, id: AttemptId, post: u64, said: &Said<'_>) -> bool {
    let case = step.state.cases.get_mut(&id.case);
    let attempt = case.and_then(|case| case.attempts.get_mut(&id.number));
    let Some(attempt) = attempt.filter(|attempt| attempt.status.is_live()) else {
        return false;
    };
    attempt.messages.push(Message {
        post,
        by: said.by.clone(),
        text: said.text.to_owned(),
    });
    step.touched.insert(Subject::Case(id.case));
    true
}

/// Counts a persona's post into its minute.
fn count(step: &mut Step<'_>, speaker: &Speaker) {
    let Speaker::Persona(persona) = speaker else {
        return;
    };
    let now = step.state.clock;
    let paces = &mut step.state.rooms.paces;
    // Whoever has been silent for a minute need not be remembered.
    paces.retain(|_, pace| now < pace.since.plus(limits::PACE_MS));
    let pace = paces.entry(persona.clone()).or_default();
    if pace.posts == 0 {
        pace.since = now;
    }
    pace.posts += 1;
}
