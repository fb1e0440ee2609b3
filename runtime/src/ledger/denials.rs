//! What was denied here since it was last told: counted, so that a loop of a stranger costs one line.
//!
//! # Invariant
//! Nothing that was denied goes uncounted: what has no line of its own is counted in the one of whoever
//! asked, or in that of all others. Nobody's lines take those of the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rules::Rejection;
use rules::id::TeamName;
use rules::limits;
use rules::right::{Denial, Right};

/// Who stands for all those that have no line of their own.
const OTHERS: &str = "others";

/// Lines of one asker in a batch: what people are denied by mistake fits; whoever tries all doors has
/// the rest counted in one line of their own, and takes no line from anybody else.
const MAX_OF_ONE: usize = 16;
/// Lines that those take together whom nobody knows: they come under as many names as they like, and
/// must leave room for people.
const MAX_OF_STRANGERS: usize = limits::MAX_DENIALS / 2;

type Line = (String, Option<Right>, Option<TeamName>);

/// The denials of a node; clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials {
    lines: Arc<Mutex<BTreeMap<Line, u64>>>,
    /// Held by whoever tells them: what they took is told, or given back, before others take.
    pub telling: Arc<tokio::sync::Mutex<()>>,
}

impl Denials {
    /// Counts one more. A team that does not exist is none: names that somebody made up are not kept.
    pub fn note(
        &self,
        who: String,
        rejection: &Rejection,
        is_team: impl FnOnce(&TeamName) -> bool,
    ) {
        let (right, team) = if let Rejection::Denied { right, team, .. } = rejection {
            let team = team.as_ref().filter(|team| is_team(team));
            (Some(*right), team.cloned())
        } else {
            (None, None)
        };
        self.count((who, right, team), 1, limits::MAX_DENIALS);
    }

    /// Counts so many more of somebody whom nobody knows.
    pub fn note_strangers(&self, who: String, right: Option<Right>, count: u64) {
        self.count((who, right, None), count, MAX_OF_STRANGERS);
    }

    /// Takes all of them.
    pub fn take(&self) -> Vec<Denial> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut *lines).into_iter();
        lines
            .map(|((who, right, team), count)| Denial {
                who,
                right,
                team,
                count,
            })
            .collect()
    }

    /// Counts again what could not be told.
    pub fn give_back(&self, denials: Vec<Denial>) {
        for denial in denials {
            let line = (denial.who, denial.right, denial.team);
            self.count(line, denial.count, limits::MAX_DENIALS);
        }
    }

    /// Counts them in their line, else in the one for all else of that asker, else in that of all others.
    fn count(&self, line: Line, count: u64, most: usize) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = (line.0.clone(), None, None);
        let of_one = lines.range(rest.clone()..).map(|((who, ..), _)| who);
        let of_one = of_one.take_while(|who| **who == rest.0).count();
        let others = (OTHERS.to_owned(), None, None);
        let taken = lines.len() - usize::from(lines.contains_key(&others));
        let has_room = |line: &Line| lines.contains_key(line) || taken + 1 < most;
        let is_theirs = lines.contains_key(&line) || of_one + 1 < MAX_OF_ONE;
        let line = if is_theirs && has_room(&line) {
            line
        } else if has_room(&rest) {
            rest
        } else {
            others
        };
        let counted = lines.entry(line).or_default();
        *counted = counted.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use rules::{Principal, Who, demand};

    use super::super::tests;
    use super::*;
    use crate::audit::read::Filter;
    use crate::ledger::StoreKind;

    fn denied(right: Right, team: Option<&str>) -> Rejection {
        Rejection::Denied {
            right,
            team: team.map(|team| team.parse().unwrap()),
            forbidden_by: Vec::new(),
        }
    }

    fn total(denials: &[Denial]) -> u64 {
        denials.iter().map(|denial| denial.count).sum()
    }

    #[test]
    fn a_loop_of_a_stranger_is_one_line_and_a_crowd_is_bounded() {
        let denials = Denials::default();
        for _ in 0..1000 {
            let create = denied(Right::CreateCase, None);
            denials.note("bob".to_owned(), &create, |_| true);
        }
        for stranger in 0..1000 {
            denials.note(format!("user {stranger}"), &Rejection::Undecided, |_| true);
        }
        let taken = denials.take();
        assert_eq!(taken.len(), limits::MAX_DENIALS);
        let bob = taken.iter().find(|denial| denial.who == "bob").unwrap();
        assert_eq!((bob.count, bob.right), (1000, Some(Right::CreateCase)));
        assert_eq!(total(&taken), 2000);
        assert!(denials.take().is_empty());
        denials.give_back(taken.clone());
        assert_eq!(denials.take(), taken);
    }

    #[test]
    fn whoever_makes_up_teams_or_tries_all_doors_hides_nobody_else() {
        let denials = Denials::default();
        for number in 0..1000 {
            let team = format!("team-{number}");
            let made_up = denied(Right::ReadTeam, Some(&team));
            denials.note("mallory".to_owned(), &made_up, |_| false);
        }
        let taken = denials.take();
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!((taken[0].count, &taken[0].team), (1000, &None));

        for number in 0..1000 {
            let team = format!("team-{number}");
            let tried = denied(Right::ReadTeam, Some(&team));
            denials.note("mallory".to_owned(), &tried, |_| true);
        }
        let settle = denied(Right::Settle, None);
        denials.note("ada".to_owned(), &settle, |_| true);
        let taken = denials.take();
        assert_eq!((taken.len(), total(&taken)), (1 + MAX_OF_ONE, 1001));
        let is_rest = |denial: &&Denial| denial.who == "mallory" && denial.right.is_none();
        let rest = taken.iter().find(is_rest).unwrap();
        assert_eq!(rest.count, 1001 - MAX_OF_ONE as u64);
        assert!(taken.iter().any(|denial| denial.who == "ada"));
    }

    #[test]
    fn what_comes_when_every_line_is_taken_is_counted_with_all_others() {
        let denials = Denials::default();
        for stranger in 0..limits::MAX_DENIALS {
            denials.note(format!("user {stranger}"), &Rejection::Undecided, |_| true);
        }
        let intruder = Denial {
            who: "192.0.2.1 (no certificate)".to_owned(),
            right: Some(Right::SpeakForNode),
            team: None,
            count: 40,
        };
        denials.note_strangers(intruder.who.clone(), intruder.right, intruder.count);
        denials.give_back(vec![intruder]);
        let taken = denials.take();
        let all = limits::MAX_DENIALS as u64;
        assert_eq!(
            (taken.len(), total(&taken)),
            (limits::MAX_DENIALS, all + 80)
        );
        let others = taken.iter().find(|denial| denial.who == OTHERS).unwrap();
        assert_eq!(others.count, 81);
    }

    #[test]
    fn however_many_strangers_come_people_have_lines_of_their_own() {
        let denials = Denials::default();
        for number in 0..1000 {
            denials.note_strangers(format!("192.0.2.1 ({number})"), None, 1);
        }
        let settle = denied(Right::Settle, None);
        for person in 0..100 {
            denials.note(format!("ada-{person}"), &settle, |_| true);
        }
        let taken = denials.take();
        let people = taken.iter().filter(|denial| denial.who.starts_with("ada"));
        assert_eq!((people.count(), total(&taken)), (100, 1100));
    }

    #[tokio::test]
    async fn a_ledger_that_is_closed_has_told_what_it_had_denied() {
        let dir = tempfile::tempdir().unwrap();
        let options = tests::options(&dir, StoreKind::Sled);
        let (ledger, _changes) = tests::open(&options).await;
        let bob = Principal::own(Who::Human("bob".parse().unwrap()));
        let demands = vec![demand::cluster(Right::ManageCluster)];
        ledger.allows(&bob, demands).unwrap_err();
        ledger.note_stranger("user 7".to_owned());
        ledger.close().await;
        let (ledger, _changes) = tests::open(&options).await;
        let page = ledger
            .audit()
            .page(&Filter::default(), 10, &|_| None)
            .unwrap();
        let told = page.rows.iter().find(|row| !row.told.denials.is_empty());
        assert_eq!(
            told.unwrap().told.denials,
            ["bob: manageCluster, 1 times", "user 7: unknown, 1 times"]
        );
        ledger.close().await;
    }
}
