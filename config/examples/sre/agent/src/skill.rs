//! The skills: each asks one question of the recording.

use std::path::Path;

use crate::contract::{Assignment, Failure, Progress};
use crate::outcome::Outcome;
use crate::phrase;
use crate::recording::Recording;

/// Answers the question of the skill called `name`.
pub fn answer(name: &str, input: &Path, progress: &mut Progress) -> Result<Outcome, Failure> {
    if !crate::SKILLS.contains(&name) {
        return Err(Failure::ChooseSkill(name.to_owned()));
    }
    let assignment = Assignment::read(input)?;
    let recording = Recording::read(&assignment.attachments());
    progress.say(&format!("Read {}.", recording.shown()));
    let mut outcome = Outcome::new(phrase::sentence(&recording.shown()), 0.0);
    outcome.findings = recording.findings();
    Ok(outcome)
}
