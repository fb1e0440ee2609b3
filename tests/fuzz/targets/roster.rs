//! A roster: a workbook where the bytes begin as one, else CSV.

use std::collections::BTreeSet;

use config::roster;

pub fn run(bytes: &[u8]) {
    let name = if bytes.starts_with(b"PK") {
        "people.xlsx"
    } else {
        "people.csv"
    };
    match roster::parse(name, bytes) {
        Ok(roster) => {
            let names: BTreeSet<&str> = roster
                .people
                .iter()
                .map(|listed| listed.username.as_str())
                .collect();
            assert_eq!(names.len(), roster.people.len(), "somebody is in it twice");
        }
        Err(mistakes) => super::is_readable(&mistakes.to_string()),
    }
}
