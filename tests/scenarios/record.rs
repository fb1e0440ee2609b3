//! What is asked about the record, in the words of the scenarios: deeds of one node, and erasing.

use rules::command::Command;
use rules::deed::Deed;

use super::words::{Words, Wrong};

/// Reads a command about the record, if it is one.
pub fn read(words: &mut Words<'_>) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("note that") {
        let node = words.parse()?;
        let deed = deed(words)?;
        Command::NoteDeed { node, deed }
    } else if words.take("erase") {
        let (case, reason) = (words.parse()?, words.text()?);
        Command::EraseCase { case, reason }
    } else {
        return Ok(None);
    }))
}

fn deed(words: &mut Words<'_>) -> Result<Deed, Wrong> {
    Ok(if words.take("set the secret of") {
        Deed::SetSecret(words.parse()?)
    } else if words.take("removed the secret of") {
        Deed::RemoveSecret(words.parse()?)
    } else if words.take("checked") {
        Deed::CheckTarget(words.parse()?)
    } else if words.take("held the manager") {
        Deed::HoldManager
    } else {
        words.expect("crashed the butler of")?;
        Deed::CrashButler(words.parse()?)
    })
}
