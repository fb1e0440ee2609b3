//! Reads are linearizable, and cases are opened in an order that fits to real time.
//!
//! # Why
//! Every read shows the state after some entry, and every answer rests on one: what there was is one
//! line, and whatever ended before another began must not stand behind it there.

use rules::id::CaseId;
use rules::{Command, Outcome};

use crate::sim::oracle::Evidence;

/// Something that was done or seen at a place of the one line.
struct Point {
    begun_ms: u64,
    ended_ms: u64,
    what: String,
    /// The least that it shows to have been opened before, and the most.
    sees: (u64, u64),
    index: Option<u64>,
    closed: u64,
}

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut points: Vec<Point> = Vec::new();
    for call in &evidence.calls {
        if !matches!(call.command, Command::OpenCase { .. }) {
            continue;
        }
        if let Some(Ok(Outcome::Opened(CaseId(case)))) = call.verdicts().next() {
            points.push(Point {
                begun_ms: call.begun_ms,
                ended_ms: call.ended_ms,
                what: format!("c-{case} was opened"),
                sees: (*case - 1, *case),
                index: None,
                closed: 0,
            });
        }
    }
    for read in &evidence.reads {
        let seen = read.next_case.0 - 1;
        points.push(Point {
            begun_ms: read.begun_ms,
            ended_ms: read.ended_ms,
            what: format!("a read saw {seen} cases at entry {}", read.index),
            sees: (seen, seen),
            index: Some(read.index),
            closed: read.closed,
        });
    }
    let mut wrongs = Vec::new();
    for later in &points {
        for before in points
            .iter()
            .filter(|before| before.ended_ms < later.begun_ms)
        {
            let is_back = later.sees.1 < before.sees.1
                || later.index.is_some_and(|later| Some(later) < before.index)
                || later.index.is_some() && later.closed < before.closed;
            if is_back {
                wrongs.push(format!("{}, and after that {}", before.what, later.what));
            }
        }
    }
    wrongs
}
