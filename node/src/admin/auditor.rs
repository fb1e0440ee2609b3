//! Whose records somebody may read: all of them, or those of the teams that they lead.

use rules::demand;
use rules::id::{CaseId, TeamName};
use rules::right::Right;
use runtime::ledger::Ledger;

use super::desk::Desk;
use super::people::Asker;
use super::refused::Answered;

/// The teams of which an asker is shown records; none: they may read all there are.
pub(super) fn teams(
    desk: &Desk,
    asker: &Asker,
    wanted: Option<&TeamName>,
) -> Answered<Option<Vec<String>>> {
    let right = Right::ReadAudit;
    if let Some(team) = wanted {
        desk.demand(asker, demand::in_team(right, team))?;
        return Ok(Some(vec![team.to_string()]));
    }
    let principal = asker.principal();
    let found = desk.ledger.read(|state| {
        let may = |demand| desk.ledger.may(state, &principal, demand);
        if may(demand::cluster(right)) {
            return None;
        }
        let teams = state.teams.keys();
        let theirs = teams.filter(|team| may(demand::in_team(right, team)));
        Some(theirs.map(ToString::to_string).collect::<Vec<String>>())
    });
    if found.as_ref().is_some_and(Vec::is_empty) {
        desk.demand(asker, demand::cluster(right))?;
    }
    Ok(found)
}

/// Whose a case is, also once it is closed; none of one that has left the archive too. Blocks.
pub(super) fn team_of(ledger: &Ledger, case: &str) -> Option<String> {
    let case: CaseId = case.parse().ok()?;
    let open = ledger.read(|state| state.cases.get(&case).map(|case| case.team.clone()));
    let team = match open {
        Some(team) => team,
        None => ledger.archive().summary(case).ok()??.team,
    };
    team.map(|team| team.to_string())
}
