//! Which team a case goes to that names none: a pure choice with its reason.

use crate::apply::may_take;
use crate::id::{PlaybookName, TeamName};
use crate::state::State;
use crate::team::Team;

/// Chooses among the teams that can take the case: the one of whose topics most stand in `text`
/// (title and brief, any case of letters), or the only one there is; otherwise says why a human
/// must choose.
pub fn choose(
    state: &State,
    text: &str,
    playbook: Option<&PlaybookName>,
) -> Result<(TeamName, String), String> {
    let refusals = |team: &Team| may_take(state, &team.spec.name, playbook).err();
    let able: Vec<&Team> = state
        .teams
        .values()
        .filter(|team| refusals(team).is_none())
        .collect();
    match (able.as_slice(), playbook) {
        ([], _) => {
            let why = state.teams.values().find_map(refusals);
            return Err(why.map_or("there is no team".to_owned(), |why| why.to_string()));
        }
        ([only], _) if state.teams.len() == 1 => {
            return Ok((only.spec.name.clone(), "it is the only team".to_owned()));
        }
        ([only], Some(playbook)) => {
            let reason = format!("it is the only one with playbook {playbook}");
            return Ok((only.spec.name.clone(), reason));
        }
        (_, _) => {}
    }
    let text = text.to_lowercase();
    let spoken = |topic: &&String| !topic.is_empty() && text.contains(&topic.to_lowercase());
    let mut scores: Vec<(usize, &TeamName)> = able
        .into_iter()
        .map(|team| {
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
