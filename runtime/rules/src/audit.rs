//! The record of what was asked and what came of it: a chain whose end is a part of the state.
//!
//! ```text
//! entry + verdict ─► record (one line of JSON) ─► head = SHA-256(head before │ record)
//!                         │                                   └─► state
//!                         └─► the node's files of records
//! ```
//!
//! # Invariant
//! Each entry that anyone proposed has one record, refused ones too, at the same place and in the
//! same bytes on every node and in every replay. No text that a person or an agent wrote is in it:
//! texts are there as digests, salted with what came with the entry.
//!
//! # Why
//! The record is JSON in a fixed form and not bincode, so that whoever holds an export can check the
//! chain with what every language has. What is told of a command is read off it by its types: names
//! and numbers are subjects, every other text is private, so that a command that is new tomorrow
//! cannot leak by being forgotten here.
//!
//! Time that passes while nothing happens makes no record: a tick that rings no alarm is counted in
//! the record that follows it, or a cluster in which nothing happens would fill its disks.

mod canon;
mod line;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::command::{Command, Entry, Proposal};
use crate::human::RoleChange;
use crate::id::{HumanName, TeamName};
use crate::right::{Decision, Denial, Judged, Right};
use crate::state::State;
use crate::verdict::{Outcome, Rejection, Verdict};
use crate::version;
use crate::who::{Principal, Who};
pub use canon::{Canon, Subjects};
use line::Line;

/// What hides a text: as many bits as nobody guesses.
pub const SALT_BYTES: usize = 16;
/// What a rejection says of itself in a record, so that none grows with what was asked.
const MAX_REASON_BYTES: usize = 256;

/// The end of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// How many records there are.
    pub count: u64,
    /// The SHA-256 of the head before and the last record; zeros while there is none.
    pub head: [u8; 32],
    /// The entry of the last record.
    pub index: u64,
    /// Ticks since then that rang nothing.
    ticks: u64,
    /// Time that they brought.
    elapsed_ms: u64,
}

/// A record as it is handed to the node's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 1.
    pub count: u64,
    /// The head before it.
    pub before: [u8; 32],
    /// The head with it.
    pub head: [u8; 32],
    /// What its texts are salted with.
    pub salt: [u8; SALT_BYTES],
    /// Its canonical bytes.
    pub line: String,
}

/// How an entry went, beside its verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// The request was answered before, and nothing was done again.
    pub is_repeated: bool,
    /// An alarm was due.
    pub rang: bool,
}

/// The head that follows from the one before and a record.
pub fn head_after(before: &[u8; 32], record: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(record);
    sha.finalize().into()
}

/// The digest under which a text, or a whole command in its canonical bytes, stands in a record.
pub fn salted(salt: &[u8; SALT_BYTES], bytes: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(salt);
    sha.update(bytes);
    sha.finalize().into()
}

/// Adds an entry to the chain as its verdict tells it, and nothing else of what it would do: for
/// whoever measures what a record costs.
pub fn append(state: &mut State, entry: &Entry, verdict: &Verdict) -> Option<Recorded> {
    let canon = read(state, &entry.proposal);
    add(&mut state.audit, entry, canon, verdict, Manner::default())
}

/// What a proposal speaks of, before it is applied: the case may be gone afterwards.
pub(crate) fn read(state: &State, proposal: &Proposal) -> Canon {
    let mut canon = Canon::of(&proposal.command);
    let teams: Vec<String> = canon
        .cases
        .iter()
        .filter_map(|case| state.cases.get(case)?.team.as_ref())
        .map(|team| team.as_str().to_owned())
        .collect();
    canon.subjects.entry("teams").or_default().extend(teams);
    if let Who::Butler { team, .. } = &proposal.principal.who {
        let teams = canon.subjects.entry("teams").or_default();
        teams.insert(team.as_str().to_owned());
    }
    if state.version >= version::PEOPLE {
        let teams = concerned(state, proposal).map(|team| team.as_str().to_owned());
        canon.subjects.entry("teams").or_default().extend(teams);
    }
    canon
}

/// The teams that a proposal concerns without naming them: those that a human is in whose account
/// it changes as a whole, and the one of a worker who asks.
fn concerned<'a>(state: &'a State, proposal: &'a Proposal) -> impl Iterator<Item = &'a TeamName> {
    let human = if let Command::RemoveHuman { human }
    | Command::MintHumanToken {
        human, team: None, ..
    }
    | Command::RevokeHumanToken { human, .. }
    | Command::SetHumanRole {
        human,
        change: RoleChange::Admin { .. },
    } = &proposal.command
    {
        state.people.humans.get(human)
    } else {
        None
    };
    let worker = if let Who::Worker { worker, .. } = &proposal.principal.who {
        Some(&worker.team)
    } else {
        None
    };
    human
        .into_iter()
        .flat_map(|human| &human.teams)
        .chain(worker)
}

/// Adds an entry to the chain; none for a tick that rang nothing.
pub(crate) fn add(
    chain: &mut Chain,
    entry: &Entry,
    mut canon: Canon,
    verdict: &Verdict,
    manner: Manner,
) -> Option<Recorded> {
    chain.elapsed_ms = chain.elapsed_ms.saturating_add(entry.elapsed_ms);
    let is_tick = matches!(entry.proposal.command, Command::Tick);
    if is_tick && verdict.is_ok() && !manner.rang {
        chain.ticks += 1;
        return None;
    }
    if let Command::RecordDenials { denials } = &entry.proposal.command {
        let humans = denials
            .iter()
            .filter(|denial| HumanName::new(&denial.who).is_ok());
        let names = humans.map(|denial| denial.who.clone());
        canon.subjects.entry("humans").or_default().extend(names);
    }
    if let Ok(Outcome::Opened(case)) = verdict {
        let cases = canon.subjects.entry("cases").or_default();
        cases.insert(case.to_string());
    }
    let line = record(chain, entry, &canon, verdict, manner);
    let before = chain.head;
    *chain = Chain {
        count: chain.count + 1,
        head: head_after(&before, line.as_bytes()),
        index: entry.index,
        ticks: 0,
        elapsed_ms: 0,
    };
    Some(Recorded {
        count: chain.count,
        before,
        head: chain.head,
        salt: entry.salt,
        line,
    })
}

fn record(
    chain: &Chain,
    entry: &Entry,
    canon: &Canon,
    verdict: &Verdict,
    manner: Manner,
) -> String {
    let mut line = Line::begin();
    line.number("n", chain.count + 1);
    line.number("index", entry.index);
    line.number("term", entry.term);
    line.number("wall_ms", entry.proposal.wall_ms);
    line.number("elapsed_ms", chain.elapsed_ms);
    line.number("ticks", chain.ticks);
    line.object("who", |who| asker(who, &entry.proposal.principal));
    line.text("command", &canon.kind);
    line.object("subjects", |line| {
        for (kind, names) in canon.subjects.iter().filter(|(_, names)| !names.is_empty()) {
            line.texts(kind, names.iter());
        }
    });
    line.digest("salt", &salted(&entry.salt, b""));
    line.digest("digest", &salted(&entry.salt, &canon.bytes));
    line.object("texts", |line| {
        for (name, text) in &canon.texts {
            line.digest(name, &salted(&entry.salt, text.as_bytes()));
        }
    });
    if let Some(decision) = &entry.proposal.decision {
        line.object("policy", |line| decided(line, decision));
    }
    if let Command::RecordDenials { denials } = &entry.proposal.command {
        let denials: Vec<String> = denials.iter().map(denied).collect();
        line.texts("denials", denials.iter());
    }
    if let Command::NoteDeed { deed, .. } = &entry.proposal.command {
        line.text("deed", &deed.to_string());
    }
    if let Command::Chaos(wish) = &entry.proposal.command {
        line.text("deed", &wish.to_string());
    }
    line.object("verdict", |line| told(line, entry, verdict, manner));
    line.end()
}

fn asker(line: &mut Line, principal: &Principal) {
    match &principal.who {
        Who::Human(name) => line.text("human", name.as_str()),
        Who::Node(node) => line.text("node", &node.to_string()),
        Who::Ledger => line.text("ledger", "clock"),
        Who::Manager { term } => line.number("manager", *term),
        Who::Butler { team, epoch } => {
            line.text("butler", team.as_str());
            line.number("epoch", epoch.0);
        }
        Who::Worker { worker, epoch } => {
            line.text("worker", &worker.to_string());
            line.number("epoch", epoch.0);
        }
    }
    if let Some(token) = &principal.token {
        line.text("token", token.as_str());
    }
    if let Some(human) = &principal.on_behalf_of {
        line.text("on_behalf_of", human.as_str());
    }
}

fn decided(line: &mut Line, decision: &Decision) {
    line.number("revision", decision.revision);
    if decision.is_allowed() {
        line.flag("allowed");
    }
    let rights: Vec<String> = decision.judged.iter().map(right).collect();
    line.texts("rights", rights.iter());
    line.texts("policies", decision.policies.iter());
}

/// A right as it was judged: `createCase sre@4`, with a `!` before it where it is missing.
fn right(judged: &Judged) -> String {
    let missing = if judged.is_allowed { "" } else { "!" };
    let right = judged.demand.right.name();
    match &judged.demand.team {
        Some(team) => format!("{missing}{right} {team}@{}", judged.revision),
        None => format!("{missing}{right}"),
    }
}

/// Who was denied what, how often: `ada: createCase sre, 3 times`. They are no texts of anybody: the
/// leader wrote down whom it refused.
fn denied(denial: &Denial) -> String {
    let who = shortened(&denial.who);
    let right = denial.right.map_or("unknown", Right::name);
    let team = denial.team.as_ref().map_or("", TeamName::as_str);
    let space = if team.is_empty() { "" } else { " " };
    format!("{who}: {right}{space}{team}, {} times", denial.count)
}

/// Who was denied something, and in which team, as a record tells it.
pub fn of_denial(told: &str) -> Option<(&str, Option<&str>)> {
    let (told, _) = told.rsplit_once(", ")?;
    // Neither a right nor a team has a colon in it; who was denied may be called anything.
    let (who, what) = told.rsplit_once(": ")?;
    Some((who, what.split_once(' ').map(|(_, team)| team)))
}

fn told(line: &mut Line, entry: &Entry, verdict: &Verdict, manner: Manner) {
    match verdict {
        Ok(outcome) => line.text("accepted", &Canon::of(outcome).kind),
        Err(rejection) => {
            line.text("rejected", &Canon::of(rejection).kind);
            let reason = rejection.to_string();
            if matches!(rejection, Rejection::Invalid(_)) {
                // Such a reason quotes what was asked.
                line.digest("reason_digest", &salted(&entry.salt, reason.as_bytes()));
            } else {
                line.text("reason", shortened(&reason));
            }
        }
    }
    if manner.is_repeated {
        line.flag("repeated");
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MAX_REASON_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
