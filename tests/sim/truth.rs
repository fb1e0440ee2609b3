//! The truths: what must hold in every trial, each in a file of its own.

mod acknowledged;
mod agreed;
mod forward;
mod linear;
mod once;
mod one_leader;
mod rest;

use super::oracle::Evidence;

/// A sentence about each place where a truth does not hold.
type Judge = fn(&Evidence) -> Vec<String>;

const ALL: [(&str, Judge); 7] = [
    ("acknowledged survives", acknowledged::broken),
    ("the same entries, the same bytes", agreed::broken),
    ("no step back", forward::broken),
    ("reads are linearizable", linear::broken),
    ("done once", once::broken),
    ("one leader for each term", one_leader::broken),
    ("comes to rest", rest::broken),
];

/// Everything that does not hold, with the truth that says so.
pub fn breaches(evidence: &Evidence) -> Vec<String> {
    let mut all = Vec::new();
    for (name, judge) in ALL {
        let broken = judge(evidence).into_iter();
        all.extend(broken.map(|what| format!("{name}: {what}")));
    }
    all
}
