//! Each entry has its record: it continues the chain, says who asked, and holds no text of theirs.

use rules::audit::{Canon, head_after, salted};
use rules::{Command, Who};

use super::broken;
use crate::lab::Told;

/// Shorter texts stand in a record by chance: a name, a number, a word of the rules.
const MIN_TEXT_BYTES: usize = 12;

pub fn each_entry_has_its_record(told: &Told<'_>) -> Result<(), String> {
    let (before, after) = (&told.before.audit, &told.after.audit);
    let Some(recorded) = &told.applied.recorded else {
        let is_idle = matches!(told.entry.proposal.command, Command::Tick)
            && told.applied.verdict.is_ok()
            && told.applied.touched.is_empty()
            && told.before.tokens == told.after.tokens;
        if is_idle && before.head == after.head && before.count == after.count {
            return Ok(());
        }
        return broken(format!("{:?} left no record", told.entry));
    };
    let head = head_after(&before.head, recorded.line.as_bytes());
    let is_next = recorded.before == before.head
        && (recorded.head, after.head) == (head, head)
        && (recorded.count, after.count) == (before.count + 1, before.count + 1)
        && after.index == told.entry.index;
    if !is_next {
        return broken(format!(
            "{recorded:?} does not lead from {before:?} to {after:?}"
        ));
    }
    tells(told, &recorded.line)
}

fn tells(told: &Told<'_>, line: &str) -> Result<(), String> {
    let record: serde_json::Value =
        serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
    let command = Canon::of(&told.entry.proposal.command);
    let digest = salted(&told.entry.salt, &command.bytes).into_iter();
    let digest = digest.fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let is_accepted = record["verdict"]["accepted"].is_string();
    let is_told = record["index"] == told.entry.index
        && record["command"] == command.kind
        && record["digest"] == digest
        && is_accepted == told.applied.verdict.is_ok()
        && is_accepted != record["verdict"]["rejected"].is_string();
    if !is_told {
        return broken(format!("{line} tells something else than {:?}", told.entry));
    }
    if let Who::Human(human) = &told.entry.proposal.principal.who
        && record["who"]["human"] != human.as_str()
    {
        return broken(format!("{line} does not say that {human} asked"));
    }
    let is_of_the_ledger = matches!(told.entry.proposal.command, Command::RecordDenials { .. });
    for (way, text) in command.texts {
        if !is_of_the_ledger && text.len() >= MIN_TEXT_BYTES && line.contains(&text) {
            return broken(format!("{line} holds the text at {way}: {text}"));
        }
        if record["texts"][&way]
            .as_str()
            .is_none_or(|digest| digest.len() != 64)
        {
            return broken(format!("{line} has no digest of the text at {way}"));
        }
    }
    Ok(())
}
