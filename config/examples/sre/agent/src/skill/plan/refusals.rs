//! Changes a plan where an earlier one was refused.
//!
//! # Invariant
//! Only what a reason complains about is changed; a reason that fits nothing is kept as a note, so
//! that people see it was read.

use std::collections::BTreeSet;

use crate::outcome::PlannedStage;
use crate::phrase;

use super::{MAX_NAME_BYTES, rename};

/// A title that nobody can call too long.
const SHORT_TITLE_BYTES: usize = 40;

/// Changes what the refusals, one a line, complain about.
pub fn heed(stages: &mut Vec<PlannedStage>, refusals: &str, notes: &mut Vec<String>) {
    for line in refusals
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let text = line.trim_start_matches(['-', '*', ' ']);
        let shown = phrase::line(text, 200);
        let change = Complaint::read(stages, text).heed(stages);
        let change = change.unwrap_or_else(|| "no stage at hand is like that".to_owned());
        notes.push(format!("refused before ({shown}): {change}"));
    }
}

/// One reason of a refusal.
struct Complaint {
    /// In small letters.
    text: String,
    /// The stages that it names.
    named: Vec<String>,
}

impl Complaint {
    fn read(stages: &[PlannedStage], text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let words: BTreeSet<&str> = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .collect();
        let is_named = |s: &&PlannedStage| {
            words.contains(s.name.as_str()) || words.contains(s.skill.to_ascii_lowercase().as_str())
        };
        let named = stages
            .iter()
            .filter(is_named)
            .map(|s| s.name.clone())
            .collect();
        Self { text, named }
    }

    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|w| self.text.contains(w))
    }

    /// Changes the stages; answers what was changed, if anything fits.
    fn heed(&self, stages: &mut Vec<PlannedStage>) -> Option<String> {
        if self.says(&[
            "no worker",
            "unknown skill",
            "nobody has",
            "lacks the skill",
        ]) {
            drop_stages(stages, &self.named);
            return (!self.named.is_empty()).then(|| format!("left out {}", self.names()));
        }
        if self.says(&["circle", "cycle", "wait for each other"]) {
            for stage in stages {
                stage.after.clear();
            }
            return Some("no stage waits for another".to_owned());
        }
        if self.says(&["not there", "unknown stage", "does not exist"])
            && self.says(&["after", "depend"])
        {
            let there: BTreeSet<String> = stages.iter().map(|s| s.name.clone()).collect();
            for stage in stages {
                stage.after.retain(|a| there.contains(a));
            }
            return Some("stages wait only for stages of the plan".to_owned());
        }
        if self.says(&["taken", "reserved", "stands twice", "already used"]) {
            for old in &self.named {
                let new: String = format!("do-{old}").chars().take(MAX_NAME_BYTES).collect();
                rename(stages, old, &new);
            }
            return (!self.named.is_empty()).then(|| format!("renamed {}", self.names()));
        }
        self.heed_limit(stages)
    }

    fn heed_limit(&self, stages: &mut Vec<PlannedStage>) -> Option<String> {
        // A complaint that names no stage concerns all of them.
        let concerned =
            |s: &&mut PlannedStage| self.named.is_empty() || self.named.contains(&s.name);
        if self.says(&["attempts"]) {
            let most = u32::try_from(self.bound()?).ok()?.max(1);
            for stage in stages.iter_mut().filter(concerned) {
                stage.attempts = stage.attempts.min(most);
            }
            return Some(format!("at most {most} attempts"));
        }
        if self.says(&["limit", "too long"]) && !self.says(&["title"]) {
            let most = self.bound()?.max(1).saturating_mul(self.unit_s());
            for stage in stages.iter_mut().filter(concerned) {
                stage.limit_s = stage.limit_s.min(most);
            }
            return Some(format!("a limit of at most {most} s"));
        }
        if self.says(&["stages"]) {
            let most = usize::try_from(self.bound()?).ok()?.max(1);
            // The last stages are the ones that the others are for.
            let surplus = stages.len().saturating_sub(most);
            let surplus: Vec<String> = stages
                .iter()
                .take(surplus)
                .map(|s| s.name.clone())
                .collect();
            drop_stages(stages, &surplus);
            return Some(format!("at most {most} stages"));
        }
        if self.says(&["title"]) {
            for stage in stages.iter_mut().filter(concerned) {
                stage.title = phrase::cut(&stage.title, SHORT_TITLE_BYTES);
            }
            return Some("shorter titles".to_owned());
        }
        None
    }

    fn names(&self) -> String {
        self.named.join(", ")
    }

    /// The largest number that is allowed: the one after "at most" and the like, else the last.
    fn bound(&self) -> Option<u64> {
        let first = |text: &str| {
            let from = text.find(|c: char| c.is_ascii_digit())?;
            let end = text[from..].find(|c: char| !c.is_ascii_digit());
            text[from..end.map_or(text.len(), |e| from + e)]
                .parse::<u64>()
                .ok()
        };
        let marks = [
            "at most",
            "up to",
            "1 to",
            "no more than",
            "maximum",
            "above",
            "over",
        ];
        let marked = marks.iter().find_map(|m| first(self.text.split_once(m)?.1));
        marked.or_else(|| {
            let last = self
                .text
                .split(|c: char| !c.is_ascii_digit())
                .rfind(|w| !w.is_empty());
            last.and_then(|w| w.parse().ok())
        })
    }

    fn unit_s(&self) -> u64 {
        let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
        units
            .iter()
            .find(|(word, _)| self.says(&[word]))
            .map_or(1, |(_, seconds)| *seconds)
    }
}

fn drop_stages(stages: &mut Vec<PlannedStage>, names: &[String]) {
    stages.retain(|s| !names.contains(&s.name));
    for stage in stages {
        stage.after.retain(|a| !names.contains(a));
    }
}
