//! Reading records back: the newest first, those that fit, a page at a time.

use std::collections::BTreeMap;
use std::io;

use rules::audit::of_denial;
use serde::{Deserialize, Serialize};

use super::Audit;
use super::line::Kept;
use super::segment::Segment;
use crate::disk;

/// Bytes that one page looks through: a second's work at most; the answer says where to go on.
const SCAN_BYTES: u64 = 64 * 1024 * 1024;

/// How a record names cases, and how teams.
const CASES: &str = "\"cases\":[";
const TEAMS: &str = "\"teams\":[";

/// A record, as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its number, from 1.
    pub n: u64,
    /// The entry that it tells of.
    pub index: u64,
    /// The term of the leader that gave the entry its place.
    pub term: u64,
    /// The wall clock of the node that took the command in.
    pub wall_ms: u64,
    /// Ledger time since the record before it.
    pub elapsed_ms: u64,
    /// Ticks since then that rang nothing.
    pub ticks: u64,
    /// Who asked, by the kind of asker; with `on_behalf_of` where it was for somebody else.
    pub who: BTreeMap<String, serde_json::Value>,
    /// What was asked.
    pub command: String,
    /// What it spoke of, by kind.
    pub subjects: BTreeMap<String, Vec<String>>,
    /// The digest of the salt.
    pub salt: String,
    /// The salted digest of the whole command.
    pub digest: String,
    /// The salted digests of the texts in it.
    pub texts: BTreeMap<String, String>,
    /// What was decided about whether they may; none for what is asked before anybody may anything.
    #[serde(default)]
    pub policy: BTreeMap<String, serde_json::Value>,
    /// Who was denied what, how often, where that is what it tells.
    #[serde(default)]
    pub denials: Vec<String>,
    /// What one node did by itself, where that is what it tells.
    #[serde(default)]
    pub deed: Option<String>,
    /// What came of it.
    pub verdict: BTreeMap<String, serde_json::Value>,
}

impl Told {
    /// Reads a record's canonical bytes.
    pub fn read(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    fn names_no_team(&self) -> bool {
        self.subjects.get("teams").is_none_or(Vec::is_empty)
    }

    fn speaks_of(&self, kind: &str, name: &str) -> bool {
        let names = self.subjects.get(kind);
        names.is_some_and(|names| names.iter().any(|known| known == name))
    }

    /// Leaves of a batch of denials what was denied in these teams; says whether that is less.
    fn narrow(&mut self, teams: &[String]) -> bool {
        let is_seen = |told: &String| {
            let team = of_denial(told).and_then(|(_, team)| team);
            team.is_some_and(|team| teams.iter().any(|seen| seen == team))
        };
        let all = self.denials.len();
        self.denials.retain(is_seen);
        if self.denials.len() == all {
            return false;
        }
        let who: Vec<&str> = self
            .denials
            .iter()
            .filter_map(|told| Some(of_denial(told)?.0))
            .collect();
        for (kind, names) in &mut self.subjects {
            names.retain(|name| match kind.as_str() {
                "teams" => teams.contains(name),
                _ => who.contains(&name.as_str()),
            });
        }
        self.texts.clear();
        true
    }

    fn is_by(&self, human: &str) -> bool {
        let is = |part: &str| self.who.get(part).and_then(|name| name.as_str()) == Some(human);
        is("human") || is("on_behalf_of")
    }
}

/// Says whose a case is, where a record does not: it was closed already, or had no team yet.
pub type TeamOf<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Which records are wanted; all of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what spoke of this case, written `c-1`.
    pub case: Option<String>,
    /// Only what spoke of one of these teams, or of their cases; of a batch of denials only what was
    /// denied in them.
    pub teams: Option<Vec<String>>,
    /// Only what this person asked, was asked for them, or spoke of them.
    pub human: Option<String>,
    /// Only what was taken in since then.
    pub since_ms: u64,
    /// Only what was taken in before.
    pub until_ms: Option<u64>,
    /// Only records before this one: where the page before ended.
    pub before: Option<u64>,
}

impl Filter {
    /// Whether a line may be wanted: a quick look that only says no when that is sure.
    fn may_take(&self, line: &str) -> bool {
        let has = |name: &String| line.contains(&format!("\"{name}\""));
        self.case.as_ref().is_none_or(has)
            && self.human.as_ref().is_none_or(has)
            && self.teams.as_ref().is_none_or(|teams| {
                let is_of_case_alone = line.contains(CASES) && !line.contains(TEAMS);
                is_of_case_alone || teams.iter().any(has)
            })
    }

    fn takes(&self, told: &Told, team_of: &TeamOf<'_>) -> bool {
        let is_of_case = self
            .case
            .as_ref()
            .is_none_or(|case| told.speaks_of("cases", case));
        let is_of_team = |team: &String| told.speaks_of("teams", team);
        let is_of_teams = self.teams.as_ref().is_none_or(|teams| {
            if told.names_no_team() {
                let cases = told.subjects.get("cases").into_iter().flatten();
                let mut theirs = cases.filter_map(|case| team_of(case));
                return theirs.any(|team| teams.contains(&team));
            }
            teams.iter().any(is_of_team)
        });
        let is_of = |human: &String| told.is_by(human) || told.speaks_of("humans", human);
        is_of_case
            && is_of_teams
            && self.human.as_ref().is_none_or(is_of)
            && told.wall_ms >= self.since_ms
            && self.until_ms.is_none_or(|until_ms| told.wall_ms < until_ms)
    }
}

impl Filter {
    /// The record as whoever asks may see it, where it is wanted.
    fn row(&self, kept: &Kept<'_>, team_of: &TeamOf<'_>) -> Option<Row> {
        let mut told = Told::read(kept.record)?;
        let teams = self.teams.as_deref();
        let is_less = teams.is_some_and(|teams| told.narrow(teams));
        let row = self.takes(&told, team_of).then_some(told);
        row.map(|told| Row {
            told,
            head: kept.head,
            salt: kept.salt.filter(|_| !is_less),
        })
    }
}

/// A record with the head and the salt that stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record.
    pub told: Told,
    /// The head with it.
    pub head: super::line::Head,
    /// Its salt; none once it was erased, and none of what is shown only in part: with it, the rest
    /// could be guessed.
    pub salt: Option<[u8; rules::audit::SALT_BYTES]>,
}

/// Records, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub rows: Vec<Row>,
    /// Where the next page begins, as its `before`; none at the end.
    pub next: Option<u64>,
}

impl Audit {
    /// The newest records that fit, at most `limit` of them. Blocks.
    pub fn page(&self, filter: &Filter, limit: usize, team_of: &TeamOf<'_>) -> io::Result<Page> {
        let before = filter.before.unwrap_or(u64::MAX);
        let segments: Vec<Segment> = {
            let mut files = self.locked();
            self.write(&mut files);
            let segments = files.segments.iter().rev();
            segments
                .filter(|segment| segment.first < before)
                .cloned()
                .collect()
        };
        let mut page = Page::default();
        let mut scanned = 0;
        for segment in segments {
            if scanned >= SCAN_BYTES {
                page.next = Some(segment.last + 1);
                break;
            }
            // Half a line at its end may be on its way to the disk.
            let bytes = disk::read(&segment.path)?;
            let text = String::from_utf8_lossy(&bytes);
            scanned += bytes.len() as u64;
            let kept = text.lines().skip(1).filter_map(Kept::read);
            let kept: Vec<Kept<'_>> = kept.filter(|kept| kept.number < before).collect();
            for kept in kept
                .iter()
                .rev()
                .filter(|kept| filter.may_take(kept.record))
            {
                let Some(row) = filter.row(kept, team_of) else {
                    continue;
                };
                if page.rows.len() == limit {
                    page.next = page.rows.last().map(|row| row.told.n);
                    return Ok(page);
                }
                page.rows.push(row);
            }
        }
        Ok(page)
    }

    /// The files, the oldest first, with all that was recorded before now in them.
    pub fn files(&self) -> Vec<Segment> {
        let mut files = self.locked();
        self.write(&mut files);
        files.segments.clone()
    }
}
