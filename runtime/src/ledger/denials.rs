//! What was denied here since it was last told: counted, so that a loop of a stranger costs one line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rules::Rejection;
use rules::id::TeamName;
use rules::limits;
use rules::right::{Denial, Right};

/// Who stands for all those that have no line of their own.
const OTHERS: &str = "others";

type Line = (String, Option<Right>, Option<TeamName>);

/// The denials of a node; clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials(Arc<Mutex<BTreeMap<Line, u64>>>);

impl Denials {
    /// Counts one more.
    pub fn note(&self, who: String, rejection: &Rejection) {
        let (right, team) = if let Rejection::Denied { right, team, .. } = rejection {
            (Some(*right), team.clone())
        } else {
            (None, None)
        };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = (who, right, team);
        let has_room = lines.len() + 1 < limits::MAX_DENIALS || lines.contains_key(&line);
        let line = if has_room {
            line
        } else {
            (OTHERS.to_owned(), None, None)
        };
        *lines.entry(line).or_default() += 1;
    }

    /// Takes all of them.
    pub fn take(&self) -> Vec<Denial> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for denial in denials {
            let line = (denial.who, denial.right, denial.team);
            if lines.len() < limits::MAX_DENIALS || lines.contains_key(&line) {
                *lines.entry(line).or_default() += denial.count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_a_stranger_is_one_line_and_a_crowd_is_bounded() {
        let denials = Denials::default();
        let denied = Rejection::Denied {
            right: Right::CreateCase,
            team: None,
            forbidden_by: Vec::new(),
        };
        for _ in 0..1000 {
            denials.note("bob".to_owned(), &denied);
        }
        for stranger in 0..1000 {
            denials.note(format!("user {stranger}"), &Rejection::Undecided);
        }
        let taken = denials.take();
        assert_eq!(taken.len(), limits::MAX_DENIALS);
        let bob = taken.iter().find(|denial| denial.who == "bob").unwrap();
        assert_eq!((bob.count, bob.right), (1000, Some(Right::CreateCase)));
        let all: u64 = taken.iter().map(|denial| denial.count).sum();
        assert_eq!(all, 2000);
        assert!(denials.take().is_empty());
        denials.give_back(taken.clone());
        assert_eq!(denials.take(), taken);
    }
}
