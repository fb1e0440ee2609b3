//! Whom a post speaks to: the names behind its `@`, and what comes of them.
//!
//! # Why
//! Whom a post speaks to is read off its text here and not said by whoever posts: nobody can say one
//! thing to people and another to the rules. What it may set going is what its *speaker* may: a text
//! that an agent wrote opens and amends nothing, whatever it says.

use std::collections::BTreeSet;

use crate::id::{AttemptId, CaseId, TeamName, WorkerId, WorkerName};
use crate::limits;
use crate::room::{Persona, RoomName, Speaker};
use crate::state::State;

/// Whom a post has act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressed {
    /// The Manager owes an answer.
    pub manager: bool,
    /// The butler of this team opens or amends a case.
    pub butler: Option<TeamName>,
    /// These attempts hear it.
    pub attempts: Vec<AttemptId>,
    /// Workers that are spoken to, whether they run anything or not.
    pub workers: BTreeSet<WorkerId>,
}

/// Whom a post speaks to so that they act; what is only an acknowledgement has nobody act.
pub fn addressed(
    state: &State,
    speaker: &Speaker,
    room: &RoomName,
    thread: Option<CaseId>,
    text: &str,
) -> Addressed {
    let mut found = Addressed::default();
    if is_acknowledgement(text) {
        return found;
    }
    let is_human = matches!(speaker, Speaker::Human(_));
    match room {
        RoomName::Direct(_, _) if !is_human => {}
        RoomName::Direct(_, Persona::Manager) => found.manager = true,
        RoomName::Direct(_, Persona::Butler(team)) => found.butler = Some(team.clone()),
        RoomName::Direct(_, Persona::Worker(worker)) => {
            found.workers.insert(worker.clone());
        }
        RoomName::Team(team) => {
            let Some(known) = state.teams.get(team) else {
                return found;
            };
            for name in mentions(text) {
                if name == known.spec.butler {
                    // An agent's text opens and amends nothing.
                    found.butler = is_human.then(|| team.clone()).or(found.butler);
                } else if known.workers.contains(&name) {
                    let team = team.clone();
                    found.workers.insert(WorkerId { team, name });
                }
            }
        }
    }
    if let Speaker::Persona(Persona::Worker(own)) = speaker {
        found.workers.remove(own);
    }
    found.attempts = found
        .workers
        .iter()
        .filter_map(|worker| state.workers.get(worker))
        .flat_map(|worker| worker.running.iter().copied())
        .filter(|attempt| thread.is_none_or(|case| case == attempt.case))
        .collect();
    found
}

/// The names that stand behind an `@`, each once, the first of them up to a limit.
pub fn mentions(text: &str) -> Vec<WorkerName> {
    let mut found: Vec<WorkerName> = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_start =
            c == '@' && !(before.is_ascii_alphanumeric() || matches!(before, '.' | '-' | '_'));
        before = c;
        if !is_start || found.len() >= limits::MAX_MENTIONS {
            continue;
        }
        let rest = &text[at + 1..];
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if let Ok(name) = WorkerName::new(rest[..end].trim_end_matches('-'))
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// Words that only say that something was heard.
const ACKNOWLEDGEMENTS: [&str; 26] = [
    "ack",
    "cheers",
    "cool",
    "good",
    "got it",
    "great",
    "k",
    "nice",
    "noted",
    "ok",
    "okay",
    "perfect",
    "roger",
    "thank you",
    "thanks",
    "thx",
    "ty",
    "understood",
    "will do",
    "wilco",
    "好",
    "好的",
    "收到",
    "明白",
    "谢谢",
    "了解",
];

/// Whether a text says no more than that something was heard, mentions aside.
pub fn is_acknowledgement(text: &str) -> bool {
    let words = text
        .split_whitespace()
        .filter(|word| !word.starts_with('@'));
    let plain: String = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let parts = plain.split(|c: char| !(c.is_alphanumeric() || c == ' ' || c == '\''));
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .all(|part| ACKNOWLEDGEMENTS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::{is_acknowledgement, mentions};

    #[test]
    fn names_behind_an_at_are_mentions_and_addresses_are_none() {
        let found = |text: &str| {
            mentions(text)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("@sre-bot, ask @disk. (@disk!)"), ["sre-bot", "disk"]);
        assert_eq!(found("ann@sre-bot @ @Disk x@y"), [""; 0]);
        assert_eq!(found("请@sre-bot- 看"), ["sre-bot"]);
    }

    #[test]
    fn what_only_says_that_something_was_heard_is_an_acknowledgement() {
        for text in [
            "ok",
            "@sre-bot 👍",
            "Thanks!",
            "OK, got it. 🙏",
            "",
            "@disk",
            "收到，谢谢！",
        ] {
            assert!(is_acknowledgement(text), "{text}");
        }
        for text in ["ok, and the disk?", "no", "@sre-bot the disk is full", "2"] {
            assert!(!is_acknowledgement(text), "{text}");
        }
    }
}
