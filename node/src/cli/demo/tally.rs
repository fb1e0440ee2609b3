//! What the demo found out: its cases, and whether one was lost or something of one was done twice.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::admin::wire::{CaseLine, CaseView, HistoryLine, Report};

/// What happens to a case, or to a stage of it, once and never again, while nobody steers it.
const ONCE: [&str; 4] = ["planned", "done", "answered", "closed"];

/// The sum of a demo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Tally {
    /// Cases that were acknowledged.
    cases: u64,
    /// Of these, those that are closed.
    closed: u64,
    /// Of these, those that the node does not know any more.
    lost: u64,
    /// Transitions that happened twice.
    doubled: u64,
    /// How long nobody took cases while the Manager moved; none on one node, where he cannot.
    takeover_ms: Option<u64>,
    /// The report of the first case.
    report: Report,
}

impl Tally {
    /// The sum of acknowledged cases, from what the node knows of them in the end.
    pub(super) fn of(
        acknowledged: &[String],
        known: &[CaseLine],
        closed: &[CaseView],
        takeover: Option<Duration>,
        report: Report,
    ) -> Self {
        let is_known = |id: &&String| known.iter().any(|line| line.id == **id);
        let is_closed = |id: &&String| closed.iter().any(|case| case.line.id == **id);
        Self {
            cases: acknowledged.len() as u64,
            closed: acknowledged.iter().filter(is_closed).count() as u64,
            lost: acknowledged.iter().filter(|id| !is_known(id)).count() as u64,
            doubled: closed.iter().map(|case| doubled(&case.history)).sum(),
            takeover_ms: takeover.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            report,
        }
    }
}

/// How often something happened again that happens once.
pub(crate) fn doubled(history: &[HistoryLine]) -> u64 {
    let mut times: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
    for line in history
        .iter()
        .filter(|line| ONCE.contains(&line.kind.as_str()))
    {
        *times
            .entry((&line.kind, line.stage.as_deref()))
            .or_default() += 1;
    }
    times.values().map(|times| times - 1).sum()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases,
            closed,
            lost,
            doubled,
            takeover_ms,
            ..
        } = self;
        write!(
            f,
            "cases {cases}, closed {closed}, lost {lost}, done twice {doubled}"
        )?;
        takeover_ms.map_or(Ok(()), |ms| write!(f, ", takeover {ms} ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::doubled;
    use crate::admin::wire::{HistoryLine, Moment};

    fn line(kind: &str, stage: Option<&str>) -> HistoryLine {
        HistoryLine {
            index: 1,
            at: Moment::from_ms(0),
            by: "root".to_owned(),
            kind: kind.to_owned(),
            stage: stage.map(str::to_owned),
            attempt: None,
            text: String::new(),
        }
    }

    #[test]
    fn a_stage_that_is_done_twice_is_found() {
        let mut history = vec![
            line("planned", None),
            line("done", Some("a")),
            line("done", Some("b")),
            line("assigned", Some("a")),
            line("assigned", Some("a")),
            line("closed", None),
        ];
        assert_eq!(doubled(&history), 0);
        history.push(line("done", Some("a")));
        history.push(line("closed", None));
        assert_eq!(doubled(&history), 2);
    }
}
