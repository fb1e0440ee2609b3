//! The table that was written by hand, and what its words mean.

use std::collections::BTreeMap;

use rules::right::{Right, Tie};

const TEXT: &str = include_str!("matrix.txt");

/// Where something is, as the asker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    OwnTeam,
    OtherTeam,
    UnknownTeam,
    Cluster,
}

/// The cells by row and column.
pub struct Table(BTreeMap<(&'static str, &'static str), &'static str>);

impl Table {
    pub fn read() -> Self {
        let lines = TEXT
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut lines = lines.map(|line| line.split_whitespace());
        let heading: Vec<&str> = lines.next().unwrap().skip(1).collect();
        let mut cells = BTreeMap::new();
        for mut words in lines {
            let row = words.next().unwrap();
            let words: Vec<&str> = words.collect();
            assert_eq!(words.len(), heading.len(), "{row}");
            for (column, word) in heading.iter().zip(words) {
                assert!(
                    cells.insert((row, *column), word).is_none(),
                    "{row} stands twice"
                );
            }
        }
        Self(cells)
    }

    pub fn rows(&self) -> Vec<&'static str> {
        let rows = self.0.keys().filter(|(_, column)| *column == "admin");
        rows.map(|(row, _)| *row).collect()
    }

    /// What a cell says; a persona for a human may what both may.
    pub fn allows(&self, right: Right, asker: &str, place: Place, tie: Tie) -> bool {
        if let Some((persona, human)) = asker.split_once(" for ") {
            let persona = format!("{persona}+");
            // What a butler's team is, is its human's team in these tables.
            return self.allows(right, &persona, place, tie)
                && self.allows(right, human, place, tie);
        }
        let Some(cell) = self.0.get(&(right.name(), asker)) else {
            return false;
        };
        match *cell {
            "any" => true,
            "own" => place == Place::OwnTeam,
            "opened" => place == Place::OwnTeam && tie == Tie::Opener,
            "named" => place == Place::OwnTeam && tie == Tie::Named,
            "self" => tie == Tie::Own,
            "teamless" => place == Place::Cluster,
            "-" => false,
            other => panic!("{other} means nothing"),
        }
    }
}
