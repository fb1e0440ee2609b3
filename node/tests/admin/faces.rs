//! Every verb of the socket, asked by everybody about everything: the answer is the hand-written
//! table's, through the same door that people and programs use, by token and by the kernel's word.
//!
//! `DOMO_TEST_SCALE` multiplies the requests that are drawn; what is exhaustive is so at any scale.

use rules::human::TeamRole;
use rules::right::{Right, Tie};

use super::house::House;
use super::town::{Asker, Known, Town};
use crate::table::{Place, Table};

const LINES: &str = include_str!("faces.txt");
/// Requests that are drawn at scale 1.
const DRAWN: u64 = 2_000;
/// Teams that are asked about: those of the askers, and one that nobody knows.
const TEAMS: [&str; 3] = ["sre", "db", "nowhere"];

/// Rows that nobody can ask by a verb of the socket: the personas' own.
const WITHOUT_A_VERB: [&str; 5] = [
    "govern",
    "schedule",
    "reportAttempt",
    "speakForNode",
    "keepLedger",
];

/// A line of the table: what is asked, and what it takes.
pub struct Line {
    pub method: &'static str,
    pub path: &'static str,
    pub body: &'static str,
    right: Right,
    pub is_brought_back: bool,
}

impl Line {
    fn all() -> Vec<Self> {
        let lines = LINES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(Self::read).collect()
    }

    fn read(line: &'static str) -> Self {
        let mut rest = line;
        let mut word = || {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = after.trim_start();
            word
        };
        let (method, path, row) = (word(), word(), word());
        let name = row.trim_end_matches('!');
        let right = Right::ALL.into_iter().find(|right| right.name() == name);
        Self {
            method,
            path,
            body: rest,
            right: right.unwrap_or_else(|| panic!("{line}: there is no row {row}")),
            is_brought_back: row.ends_with('!'),
        }
    }

    /// Whether it speaks of a team, be it by something of it.
    fn is_of_team(&self) -> bool {
        let has = |mark: &str| self.path.contains(mark) || self.body.contains(mark);
        let is_of_cluster = matches!(self.right, Right::Manage | Right::ManageCluster);
        let marks = ["{team}", "{case}", "{mine}", "{planned}", "{victim}"];
        !is_of_cluster && (marks.into_iter().any(has) || self.names_document())
    }

    fn names_document(&self) -> bool {
        self.body.starts_with("{doc:") && self.body != "{doc:newteam}"
    }

    /// Whether there is such a thing to ask about.
    fn fits(&self, asker: &Asker, team: &str) -> bool {
        let has = |mark: &str| self.path.contains(mark);
        let is_team_there = team != "nowhere";
        let needs_team = ["{case}", "{planned}", "{victim}"].into_iter().any(has);
        (is_team_there || !needs_team && !self.names_document())
            && (!has("{mine}") || asker.has_opened_in(team))
            && (!has("{me}") || asker.is_known())
    }

    fn tie(&self) -> Tie {
        match self.path {
            path if path.contains("{mine}") => Tie::Opener,
            path if path.contains("{planned}") => Tie::Named,
            path if path.contains("{me}") => Tie::Own,
            _ => Tie::None,
        }
    }

    /// What the hand-written table says.
    fn wanted(&self, table: &Table, asker: &Asker, team: &str) -> bool {
        let Some(known) = &asker.known else {
            return false;
        };
        let team = self.is_of_team().then_some(team);
        let everybodys = matches!(self.right, Right::LookAround | Right::HandOver);
        if let Some(only) = asker.narrowed_to
            && team != Some(only)
            && !everybodys
        {
            return false;
        }
        if self.right == Right::OwnAccount && asker.token.is_some() {
            return false;
        }
        let (column, place) = Self::cell(known, team);
        table.allows(self.right, column, place, self.tie())
    }

    fn cell(known: &Known, team: Option<&str>) -> (&'static str, Place) {
        let role = known.roles.iter().find(|(of, _)| Some(*of) == team);
        match (known.is_admin, role) {
            (true, _) => ("admin", Place::Cluster),
            (false, Some((_, TeamRole::Lead))) => ("lead", Place::OwnTeam),
            (false, Some((_, TeamRole::Member))) => ("member", Place::OwnTeam),
            (false, None) if team == Some("nowhere") => ("member", Place::UnknownTeam),
            (false, None) if team.is_some() => ("member", Place::OtherTeam),
            (false, None) => ("member", Place::Cluster),
        }
    }
}

/// Asks, and compares with the table.
async fn is_as_written(town: &Town, table: &Table, line: &Line, asker: &Asker, team: &str) {
    let wanted = line.wanted(table, asker, team);
    let request = town.request(line, asker, team);
    let (status, body) = town.ask(asker, &request).await;
    let is_denied = status == 403 && !body.contains("may not be broken on purpose");
    assert!(status < 500, "{} {request}: {status} {body}", asker.name);
    assert_eq!(
        !is_denied, wanted,
        "{} about {team}: {request}\n{status} {body}",
        asker.name
    );
    if line.is_brought_back && wanted {
        town.bring_back().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_is_open_to_exactly_those_whom_the_table_names() {
    let (town, table) = (Town::found().await, Table::read());
    for line in Line::all() {
        for asker in &town.askers {
            for team in TEAMS {
                // Users of the host are processes of their own, each time: their own team is enough.
                let is_enough = asker.uid.is_some() && team != "sre";
                if line.fits(asker, team) && !is_enough {
                    is_as_written(&town, &table, &line, asker, team).await;
                }
            }
        }
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_in_whatever_order_is_answered_as_the_table_says() {
    let (town, table, lines) = (Town::found().await, Table::read(), Line::all());
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let scale = number("DOMO_TEST_SCALE").unwrap_or(1).max(1);
    let seed = number("DOMO_TEST_SEED").unwrap_or(1);
    let mut dice = seed;
    let mut roll = |sides: usize| {
        // Knuth's generator: any order will do, the same for the same seed.
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    println!("DOMO_TEST_SEED={seed} DOMO_TEST_SCALE={scale}");
    let mut left = DRAWN * scale;
    while left > 0 {
        let line = &lines[roll(lines.len())];
        let asker = &town.askers[roll(town.askers.len())];
        let team = TEAMS[roll(TEAMS.len())];
        // Those that take a file or a wait are asked once each by the other test.
        let is_quick = !["/v1/backup", "/v1/audit/verify", "/v1/audit/export"].contains(&line.path);
        if is_quick && line.fits(asker, team) && asker.uid.is_none() {
            is_as_written(&town, &table, line, asker, team).await;
            left -= 1;
        }
    }
    town.close().await;
}

#[tokio::test]
async fn no_verb_of_the_socket_is_missing_from_the_table() {
    let house = House::open().await;
    let description = house.client.openapi().await.unwrap();
    let lines = Line::all();
    let is_of = |pattern: &str, path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let (wanted, found): (Vec<&str>, Vec<&str>) =
            (pattern.split('/').collect(), path.split('/').collect());
        wanted.len() == found.len()
            && wanted
                .iter()
                .zip(found)
                .all(|(wanted, found)| wanted.starts_with('{') || *wanted == found)
    };
    for (pattern, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let is_there = lines
                .iter()
                .any(|line| line.method.eq_ignore_ascii_case(method) && is_of(pattern, line.path));
            assert!(is_there, "{method} {pattern} is not in faces.txt");
        }
    }
    for row in Table::read().rows() {
        let is_asked = lines.iter().any(|line| line.right.name() == row);
        assert!(is_asked || WITHOUT_A_VERB.contains(&row), "{row}");
    }
    house.close().await;
}
