//! What people and agents say stands where they said it, and sets going only what it may.

use std::collections::BTreeSet;

use rules::room::Post;
use rules::verdict::Outcome;
use rules::{Command, State, Who, limits};

use super::broken;
use crate::lab::Told;

fn posts(state: &State) -> impl Iterator<Item = &Post> {
    let rooms = state.rooms.rooms.values().flat_map(|room| &room.posts);
    let threads = state.cases.values().flat_map(|case| &case.thread.posts);
    rooms.chain(threads)
}

pub fn a_post_has_a_number_of_its_own(told: &Told<'_>) -> Result<(), String> {
    let last = told.after.rooms.last_post;
    let mut seen = BTreeSet::new();
    for post in posts(told.after) {
        if post.number > last || !seen.insert(post.number) {
            return broken(format!("there is another post {}", post.number));
        }
    }
    let numbers: BTreeSet<u64> = posts(told.before).map(|post| post.number).collect();
    let new: Vec<&Post> = posts(told.after)
        .filter(|post| !numbers.contains(&post.number))
        .collect();
    let shelved = told
        .applied
        .shelved
        .iter()
        .map(|shelved| shelved.post.number);
    let gone: BTreeSet<u64> = shelved.collect();
    let closed = told
        .applied
        .closed
        .iter()
        .flat_map(|case| &case.thread.posts);
    let gone: BTreeSet<u64> = gone
        .into_iter()
        .chain(closed.map(|post| post.number))
        .collect();
    let lost = numbers
        .iter()
        .find(|number| !seen.contains(number) && !gone.contains(number));
    if let Some(lost) = lost {
        return broken(format!("post {lost} is nowhere"));
    }
    let came = last - told.before.rooms.last_post;
    if came > 1 || new.len() as u64 > came {
        return broken(format!("{came} posts came, and {} are new", new.len()));
    }
    let known = told.before.rooms.shelved + told.applied.shelved.len() as u64;
    if told.after.rooms.shelved != known {
        return broken("the posts in the archive are miscounted");
    }
    Ok(())
}

pub fn only_what_runs_is_told_anything(told: &Told<'_>) -> Result<(), String> {
    for case in told.after.cases.values() {
        for (number, attempt) in &case.attempts {
            if !attempt.messages.is_empty() && !attempt.status.is_live() {
                return broken(format!("{}.{number} runs no more and is told", case.id));
            }
        }
    }
    Ok(())
}

pub fn what_an_agent_says_opens_and_amends_nothing(told: &Told<'_>) -> Result<(), String> {
    let proposal = &told.entry.proposal;
    let is_agents = matches!(proposal.principal.who, Who::Worker { .. })
        && matches!(proposal.command, Command::PostMessage { .. });
    if !is_agents {
        return Ok(());
    }
    let briefs = |state: &State| -> Vec<_> {
        let cases = state.cases.values();
        cases.map(|case| (case.id, case.brief_version())).collect()
    };
    if let Ok(Outcome::Posted {
        case: Some(case), ..
    }) = &told.applied.verdict
        // What is only said again is answered as it was, and nothing comes of it.
        && told.after.rooms.last_post > told.before.rooms.last_post
    {
        return broken(format!("an agent's text did something to {case}"));
    }
    if briefs(told.before) != briefs(told.after) {
        return broken("an agent's text opened or amended a case");
    }
    Ok(())
}

pub fn what_is_kept_is_bounded(told: &Told<'_>) -> Result<(), String> {
    for (name, room) in &told.after.rooms.rooms {
        let most = limits::MAX_KEPT_POSTS + room.unanswered.len();
        if room.posts.len() > most || room.unanswered.len() > limits::MAX_UNANSWERED {
            return broken(format!("room {name} keeps {}", room.posts.len()));
        }
        let waits = |number: &u64| room.posts.iter().any(|post| post.number == *number);
        if !room.unanswered.iter().all(waits) {
            return broken(format!("room {name} waits for what is not there"));
        }
        for (human, mark) in &room.marks {
            let before = told.before.rooms.read_up_to(name, human);
            if *mark > told.after.rooms.last_post || *mark < before && room.since <= before {
                return broken(format!("{human} has read {mark} in {name}"));
            }
        }
    }
    for case in told.after.cases.values() {
        let chain = case.thread.chain;
        if chain > limits::MAX_CHAIN || case.thread.posts.len() > limits::MAX_THREAD_POSTS {
            return broken(format!("thread {} goes on for ever", case.id));
        }
        let messages = case.attempts.values().map(|attempt| attempt.messages.len());
        if messages.max() > Some(limits::MAX_ATTEMPT_MESSAGES) {
            return broken(format!("an attempt of {} is told too much", case.id));
        }
    }
    Ok(())
}
