//! A value read off by its types: its canonical bytes, what it speaks of, and the texts in it.
//!
//! ```text
//! number   its bytes, the lowest first      text, list   u32 how long, then its parts
//! choice   u32 which, then its parts        maybe        0, or 1 and the value
//! ```
//!
//! # Invariant
//! Equal values give equal bytes, and different values of a type different ones.
//!
//! # Why
//! A form of our own, and not the one on the disk: a digest outlives every codec. It is one walk
//! through the value, since each entry pays for it.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::Serialize;

use crate::id::CaseId;
use crate::limits;
use walk::Unwritable;

/// Texts of one command that have a digest of their own; more of them are a document, whose digest
/// is that of the whole command.
const MAX_TEXTS: usize = 16;
/// Most commands fit without their bytes being moved.
const USUAL_BYTES: usize = 512;

/// What a command speaks of: names and numbers, by kind.
pub type Subjects = BTreeMap<&'static str, BTreeSet<String>>;

/// What was read off a value.
#[derive(Debug, Default)]
pub struct Canon {
    /// Which choice it is, in `snake_case`; empty for what is no choice.
    pub kind: String,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// What it speaks of.
    pub subjects: Subjects,
    /// The cases among that.
    pub cases: BTreeSet<CaseId>,
    /// The first texts in it, each with the way to it.
    pub texts: Vec<(String, String)>,
    way: Vec<&'static str>,
    /// The kind of the name or number that comes next.
    named: Option<&'static str>,
    attempt_of: Option<u64>,
    team_of: Option<String>,
}

impl Canon {
    /// Reads a value.
    pub fn of(value: &impl Serialize) -> Self {
        let mut canon = Self {
            bytes: Vec::with_capacity(USUAL_BYTES),
            ..Self::default()
        };
        let read = value.serialize(&mut canon);
        debug_assert!(
            read.is_ok(),
            "the rules hold nothing that cannot be written"
        );
        canon
    }

    fn length(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_le_bytes());
    }

    fn choice(&mut self, index: u32, name: &'static str) {
        self.bytes.extend(index.to_le_bytes());
        if self.kind.is_empty() && self.way.is_empty() {
            self.kind = snake(name);
        }
    }

    fn speaks_of(&mut self, kind: &'static str, name: String) {
        self.subjects.entry(kind).or_default().insert(name);
    }

    fn number(&mut self, number: u64) {
        match self.named.take() {
            Some("CaseId") => {
                self.cases.insert(CaseId(number));
                self.speaks_of("cases", CaseId(number).to_string());
                if self.is_within("AttemptId") {
                    self.attempt_of = Some(number);
                }
            }
            Some("NodeId") => self.speaks_of("nodes", format!("n-{number}")),
            Some(_) | None => {
                if self.is_within("AttemptId")
                    && let Some(case) = self.attempt_of.take()
                {
                    self.speaks_of("attempts", format!("c-{case}.{number}"));
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        // What comes over a wire may call anything a name.
        let named = self.named.take().filter(|kind| is_name(kind, text));
        let kind = match named {
            Some("TeamName") => {
                if self.is_within("WorkerId") {
                    self.team_of = Some(text.to_owned());
                }
                "teams"
            }
            Some("WorkerName") => {
                let team = self.team_of.take();
                let name = team.map_or_else(|| text.to_owned(), |team| format!("{team}/{text}"));
                return self.speaks_of("workers", name);
            }
            Some("StageName") => "stages",
            Some("HumanName") => "humans",
            Some("TargetName") => "targets",
            Some("TokenName") => "tokens",
            Some("PolicyName") => "policies",
            Some("PlaybookName") => "playbooks",
            Some("SkillName") => "skills",
            Some("EffectKey") => "effects",
            Some(_) | None => {
                if self.texts.len() < MAX_TEXTS {
                    self.texts.push((self.way_here(), text.to_owned()));
                }
                return;
            }
        };
        self.speaks_of(kind, text.to_owned());
    }

    /// The fields that lead here; the second text at the same place has a number.
    fn way_here(&self) -> String {
        let fields = self.way.iter().copied().filter(is_field);
        let way = fields.collect::<Vec<&str>>().join(".");
        let is_alike = |(name, _): &&(String, String)| {
            let rest = name.strip_prefix(way.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
        };
        match self.texts.iter().filter(is_alike).count() {
            0 => way,
            before => format!("{way}#{}", before + 1),
        }
    }

    /// Whether what comes is a field of that type.
    fn is_within(&self, name: &str) -> bool {
        let [.., within, _] = self.way.as_slice() else {
            return false;
        };
        *within == name
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.way.push(name);
        let written = value.serialize(&mut *self);
        self.way.pop();
        written
    }
}

/// Whether a text is short and plain enough to be a name of that kind.
fn is_name(kind: &str, text: &str) -> bool {
    let most = match kind {
        "EffectKey" => limits::MAX_EFFECT_KEY_BYTES,
        _ => limits::MAX_NAME_BYTES,
    };
    text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a part of the way is the name of a field: types on it begin with a capital.
fn is_field(part: &&str) -> bool {
    !part.starts_with(|c: char| c.is_ascii_uppercase())
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::Canon;
    use crate::attempt::{AttemptOutcome, Body};
    use crate::case::Brief;
    use crate::command::Command;
    use crate::id::{AttemptId, CaseId, TeamName, WorkerId, WorkerName};

    fn team() -> TeamName {
        TeamName::new("sre").unwrap()
    }

    #[test]
    fn names_and_numbers_are_subjects_and_every_other_text_is_private() {
        let open = Canon::of(&Command::OpenCase {
            team: Some(team()),
            title: "a title".to_owned(),
            brief: Brief {
                text: Body::Inline("a brief".to_owned()),
            },
            attachments: Vec::new(),
            playbook: None,
        });
        assert_eq!(open.kind, "open_case");
        let texts = [("title", "a title"), ("brief.text", "a brief")];
        let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(open.texts, texts);
        assert_eq!(format!("{:?}", open.subjects), r#"{"teams": {"sre"}}"#);

        let worker = WorkerId {
            team: team(),
            name: WorkerName::new("w").unwrap(),
        };
        let replace = Canon::of(&Command::ReplaceWorker {
            worker,
            reason: "it hangs".to_owned(),
        });
        let subjects = r#"{"teams": {"sre"}, "workers": {"sre/w"}}"#;
        assert_eq!(format!("{:?}", replace.subjects), subjects);

        let finish = Canon::of(&Command::FinishAttempt {
            attempt: AttemptId {
                case: CaseId(7),
                number: 3,
            },
            outcome: AttemptOutcome::Failed {
                reason: "exit code 1".to_owned(),
            },
        });
        let subjects = r#"{"attempts": {"c-7.3"}, "cases": {"c-7"}}"#;
        assert_eq!(format!("{:?}", finish.subjects), subjects);
        assert_eq!(finish.cases.first(), Some(&CaseId(7)));
    }

    #[test]
    fn texts_at_the_same_place_are_told_apart() {
        let refuse = Canon::of(&Command::RefusePlan {
            case: CaseId(1),
            generation: 1,
            reasons: ["a", "b", "c"].map(str::to_owned).to_vec(),
        });
        let names: Vec<&str> = refuse.texts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["reasons", "reasons#2", "reasons#3"]);
    }

    #[test]
    fn the_canonical_bytes_are_those_that_were_always_written() {
        let cancel = Canon::of(&Command::CancelCase {
            case: CaseId(0x0102),
            reason: "no".to_owned(),
        });
        let expected = [2, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'n', b'o'];
        assert_eq!(cancel.bytes, expected);
    }
}
