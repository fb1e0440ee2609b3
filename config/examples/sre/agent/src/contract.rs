//! The agent's side of the agent contract, version 1: what lies in `in/`, and progress lines.
//!
//! ```text
//!   in/  case.json brief.md SOUL.md skills/ team.json refusals.md attachments/ results/
//!   out/ result.json progress.log artifacts/
//! ```
//!
//! # Invariant
//! Of all input only so much is read as the limits below say; what is damaged is named, and only
//! what the work cannot do without ends it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::outcome::Outcome;
use crate::phrase;

/// The version of the contract that this agent keeps.
pub const VERSION: u32 = 1;
/// A brief is text for people; what is longer belongs into an attachment.
const MAX_TEXT_BYTES: u64 = 256 * 1024;
/// A result of an earlier stage: the contract's largest result.
const MAX_RESULT_BYTES: u64 = 4 * 1024 * 1024;
/// More earlier stages than a plan may have.
const MAX_RESULTS: usize = 200;
/// One line of progress.
const MAX_PROGRESS_BYTES: usize = 300;

/// Why an agent cannot do its work; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The caller named a skill that is not one of these agents'.
    ChooseSkill(String),
    /// A file of the contract is missing or damaged.
    MendInput(String),
    /// The result could not be written.
    MakeRoom(String),
    /// No plan can be made for this team.
    MendTeam(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ChooseSkill(name) => {
                let known = crate::SKILLS.join(", ");
                write!(
                    f,
                    "unknown skill `{}`: choose one of {known}",
                    phrase::line(name, 80)
                )
            }
            Self::MendInput(what) | Self::MakeRoom(what) | Self::MendTeam(what) => {
                f.write_str(what)
            }
        }
    }
}

impl std::error::Error for Failure {}

/// `in/case.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct CaseCard {
    #[serde(default = "version_one")]
    version: u32,
    /// Which case it is.
    #[serde(default)]
    pub case: String,
    /// Which attempt of the stage.
    #[serde(default = "one")]
    pub attempt: u64,
    /// Which version of the brief; above 1 it was amended.
    #[serde(default = "one")]
    pub brief_version: u64,
}

fn version_one() -> u32 {
    VERSION
}

fn one() -> u64 {
    1
}

/// `in/team.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Team {
    /// The team's name.
    #[serde(default)]
    pub team: String,
    /// Its workers.
    #[serde(default)]
    pub workers: Vec<TeamWorker>,
}

/// One worker of the team.
#[derive(Debug, Clone, Deserialize)]
pub struct TeamWorker {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it can do.
    #[serde(default)]
    pub skills: Vec<String>,
}

/// The input folder of one attempt.
#[derive(Debug, Clone)]
pub struct Assignment {
    folder: PathBuf,
    /// Which case, attempt and version of the brief.
    pub card: CaseCard,
    /// What the human wrote.
    pub brief: String,
}

impl Assignment {
    /// Reads what every skill needs.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Err(Failure::MendInput(format!(
                "the input folder {} is not there: set MAJORDOMO_IN to the attempt's in/ folder",
                folder.display()
            )));
        }
        let card = match text(&folder.join("case.json"), MAX_TEXT_BYTES)? {
            None => CaseCard {
                version: VERSION,
                case: String::new(),
                attempt: 1,
                brief_version: 1,
            },
            Some(json) => serde_json::from_str::<CaseCard>(&json).map_err(|e| {
                Failure::MendInput(format!("case.json is not what the contract says: {e}"))
            })?,
        };
        if card.version != VERSION {
            return Err(Failure::MendInput(format!(
                "case.json has version {} of the agent contract; this agent keeps version \
                 {VERSION}: use an agent of the same release as the daemon",
                card.version
            )));
        }
        let brief = text(&folder.join("brief.md"), MAX_TEXT_BYTES)?.unwrap_or_default();
        Ok(Self {
            folder: folder.to_owned(),
            card,
            brief,
        })
    }

    /// Where the attachments lie.
    pub fn attachments(&self) -> PathBuf {
        self.folder.join("attachments")
    }

    /// The team that is planned for.
    pub fn team(&self) -> Result<Team, Failure> {
        let Some(json) = text(&self.folder.join("team.json"), MAX_TEXT_BYTES)? else {
            return Err(Failure::MendInput(
                "team.json is missing: a plan needs the team's workers and their skills".to_owned(),
            ));
        };
        serde_json::from_str(&json).map_err(|e| {
            Failure::MendInput(format!("team.json is not what the contract says: {e}"))
        })
    }

    /// Why earlier plans were refused; empty when none was.
    pub fn refusals(&self) -> Result<String, Failure> {
        Ok(text(&self.folder.join("refusals.md"), MAX_TEXT_BYTES)?.unwrap_or_default())
    }

    /// The results of earlier stages by stage, and what could not be used.
    pub fn results(&self) -> (BTreeMap<String, Outcome>, Vec<String>) {
        let (mut results, mut unused) = (BTreeMap::new(), Vec::new());
        let Ok(entries) = fs::read_dir(self.folder.join("results")) else {
            return (results, unused);
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for path in paths
            .into_iter()
            .filter(|p| p.extension().is_some_and(|e| e == "json"))
        {
            let stage = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if results.len() >= MAX_RESULTS {
                unused.push(format!("{stage}: more than {MAX_RESULTS} results"));
                break;
            }
            let read = text(&path, MAX_RESULT_BYTES).map_err(|e| e.to_string());
            match read.and_then(|json| parse_result(&json.unwrap_or_default())) {
                Ok(outcome) => {
                    results.insert(stage, outcome);
                }
                Err(reason) => unused.push(format!("{stage}: {reason}")),
            }
        }
        (results, unused)
    }
}

fn parse_result(json: &str) -> Result<Outcome, String> {
    serde_json::from_str(json).map_err(|e| format!("not a result of the contract: {e}"))
}

/// The text of a file, wrong UTF-8 replaced, cut at `max_bytes`; none when there is no file.
fn text(path: &Path, max_bytes: u64) -> Result<Option<String>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    };
    let mut bytes = Vec::new();
    file.take(max_bytes)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Failure::MendInput(format!("{name} cannot be read: {error}"))
}

/// Writes one human sentence after the other into `progress.log`.
///
/// Progress is a courtesy: a line that cannot be written is dropped.
#[derive(Debug)]
pub struct Progress(Option<File>);

impl Progress {
    /// Appends to `progress.log` in `folder`.
    pub fn into_folder(folder: &Path) -> Self {
        Self(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("progress.log"))
                .ok(),
        )
    }

    /// Says nothing to anybody.
    pub fn silent() -> Self {
        Self(None)
    }

    /// Says one sentence.
    pub fn say(&mut self, sentence: &str) {
        if let Some(file) = &mut self.0 {
            let line = format!("{}\n", phrase::line(sentence, MAX_PROGRESS_BYTES));
            // One write for one line: a reader never sees half of one.
            if file.write_all(line.as_bytes()).is_err() {
                self.0 = None;
            }
        }
    }
}
