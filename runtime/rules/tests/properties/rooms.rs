//! What is said in rooms, by people and by personas.

use rules::attempt::AttemptStatus;
use rules::case::Attachment;
use rules::id::{AttemptId, CaseId};
use rules::room::{Persona, RoomName};
use rules::{Command, Principal, State, Who};

use crate::lab::Lab;
use crate::pool::{self, one, raw};
use crate::wish::Pick;

/// Texts that speak to somebody, to nobody, or only say that something was heard.
const TEXTS: [&str; 12] = [
    "@jeeves look at the pod",
    "@b1 hurry",
    "@w0 what do you see?",
    "@w1 and you?",
    "@w0 @w1 @w2 tell each other",
    "@jeeves thanks!",
    "ok",
    "nothing new",
    "@nobody are you there?",
    "@w2 @jeeves do it anew",
    " ",
    "mail ann@w0",
];

/// What somebody says or has read.
pub fn command(lab: &Lab, who: Pick, room: Pick, what: Pick) -> Option<(Principal, Command)> {
    let state = &lab.state;
    let name = name(state, room);
    if who.is_multiple_of(8) {
        let up_to = u64::from(what) % (state.rooms.last_post + 2);
        return Some((pool::sam(), Command::MarkRead { room: name, up_to }));
    }
    if who % 8 > 4 {
        return agent(state, who, what);
    }
    let cases: Vec<CaseId> = state.cases.keys().copied().collect();
    let in_thread = matches!(name, RoomName::Team(_)) && !room.is_multiple_of(3);
    let post = Command::PostMessage {
        thread: one(&cases, who / 8).filter(|_| in_thread),
        room: name,
        text: text(state, what),
        attachments: attachments(what),
        answers: (who == 9).then_some(u64::from(what)),
    };
    Some((
        if who == 17 {
            pool::anybody(what)
        } else {
            pool::sam()
        },
        post,
    ))
}

/// The Manager answers.
pub fn answer(room: RoomName, post: u64) -> Command {
    Command::PostMessage {
        room,
        thread: None,
        text: "done".to_owned(),
        attachments: Vec::new(),
        answers: Some(post),
    }
}

/// An agent says something in the thread of its case; most often while it runs.
fn agent(state: &State, who: Pick, what: Pick) -> Option<(Principal, Command)> {
    let attempts = state.cases.values().flat_map(|case| {
        let told = |(number, attempt): (&u32, &rules::attempt::Attempt)| {
            let (case, number) = (case.id, *number);
            (AttemptId { case, number }, attempt.clone())
        };
        case.attempts.iter().map(told)
    });
    let wants_live = who % 8 < 7;
    let attempts: Vec<_> = attempts
        .filter(|(_, attempt)| !wants_live || attempt.status <= AttemptStatus::Running)
        .collect();
    let (id, attempt) = one(&attempts, who / 8)?;
    let team = attempt.worker.team.clone();
    let principal = Principal::own(Who::Worker {
        worker: attempt.worker,
        epoch: attempt.epoch,
    });
    let post = Command::PostMessage {
        room: RoomName::Team(team),
        thread: Some(id.case),
        text: text(state, what),
        attachments: Vec::new(),
        answers: None,
    };
    Some((principal, post))
}

fn name(state: &State, pick: Pick) -> RoomName {
    let workers: Vec<_> = state.workers.keys().cloned().collect();
    let with = match pick % 16 {
        0 => Persona::Manager,
        1 => Persona::Butler(pool::team(pick / 16)),
        2 => match one(&workers, pick / 16) {
            Some(worker) => Persona::Worker(worker),
            None => Persona::Manager,
        },
        _ => return RoomName::Team(pool::team(pick / 16)),
    };
    RoomName::Direct(raw("sam"), with)
}

/// A text, with the names of those who are there in the place of the usual ones.
fn text(state: &State, pick: Pick) -> String {
    let text = TEXTS[usize::from(pick) % TEXTS.len()];
    let workers: Vec<_> = state
        .workers
        .keys()
        .map(|worker| worker.name.to_string())
        .collect();
    let butlers: Vec<_> = state
        .teams
        .values()
        .map(|team| team.spec.butler.to_string())
        .collect();
    let present = |text: &str, word: &str, names: &[String], pick| match one(names, pick) {
        Some(name) => text.replace(word, &format!("@{name}")),
        None => text.to_owned(),
    };
    let text = present(text, "@jeeves", &butlers, pick / 16);
    let text = present(&text, "@w0", &workers, pick / 16);
    present(&text, "@w1", &workers, pick / 4)
}

fn attachments(pick: Pick) -> Vec<Attachment> {
    let attachment = Attachment {
        path: format!("p-{pick}.txt"),
        blob: rules::id::BlobRef {
            sha256: [pick; 32],
            bytes: 1,
        },
    };
    if pick.is_multiple_of(5) {
        vec![attachment]
    } else {
        Vec::new()
    }
}
