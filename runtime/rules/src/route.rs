//! Which team a case goes to that names none: a pure choice with its reason.

use crate::id::TeamName;
use crate::state::State;

/// Chooses the team whose topics stand most often in `text` (title and brief, any case of
/// letters), or the only team there is; otherwise says why a human must choose.
pub fn choose(state: &State, text: &str) -> Result<(TeamName, String), String> {
    let mut teams = state.teams.values();
    match (teams.next(), teams.next()) {
        (None, _) => return Err("there is no team".to_owned()),
        (Some(only), None) => {
            return Ok((only.spec.name.clone(), "it is the only team".to_owned()));
        }
        (Some(_), Some(_)) => {}
    }
    let text = text.to_lowercase();
    let mut scores: Vec<(usize, &TeamName)> = state
        .teams
        .values()
        .map(|team| {
            let spoken =
                |topic: &&String| !topic.is_empty() && text.contains(topic.to_lowercase().as_str());
            (
                team.spec.topics.iter().filter(spoken).count(),
                &team.spec.name,
            )
        })
        .filter(|(score, _)| *score > 0)
        .collect();
    scores.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    match scores.as_slice() {
        [] => Err("no team's topics stand in the brief".to_owned()),
        [(best, first), (next, second), ..] if best == next => {
            Err(format!("teams {first} and {second} fit equally well"))
        }
        [(best, team), ..] => Ok((
            (*team).clone(),
            format!("{best} of its topics stand in the brief"),
        )),
    }
}
