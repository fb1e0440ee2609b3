//! What it costs to decide whether somebody may: with the matrix alone, and with policies of an
//! organisation; remembered, and for the first time.
//!
//! # Why
//! It is measured on the judge itself, which runs while the state is held: through the socket the
//! figure would be the socket's.

use std::time::Duration;

use rules::human::{Human, TeamRole};
use rules::id::{BadName, HumanName, TeamName};
use rules::right::Right;
use rules::{Principal, State, demand};
use runtime::clock;
use runtime::ledger::Judge as _;
use runtime::policy::Policies;

use super::BenchError;
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::as_f64;

/// People who ask in turn.
const HUMANS: usize = 10_000;
/// Decisions in one measured stretch: far more than the clock's own step.
const STRETCH: usize = 1_000;

/// Decides for a while, and gives the mean of each kind.
pub async fn run(span: Duration) -> Result<Sheet, BenchError> {
    let measured = tokio::task::spawn_blocking(move || measure(span)).await;
    let measured = measured.map_err(|error| BenchError::task(&error))?;
    measured.map_err(|error| BenchError::Ended(error.to_string()))
}

fn measure(span: Duration) -> Result<Sheet, BadName> {
    let mut sheet = Sheet::new("policy");
    sheet.under(format!(
        "{HUMANS} members of a team ask in turn; the mean of each kind"
    ));
    let (mut state, askers) = crowd()?;
    let kinds = [
        ("decision, the matrix alone", ""),
        (
            "decision, with a policy of the organisation",
            "forbid (principal == Human::\"nobody\", action, resource);",
        ),
    ];
    for (name, policy) in kinds {
        if !policy.is_empty() {
            let text = policy.to_owned();
            state.people.policies.insert("own".parse()?, text);
            state.people.revision += 1;
        }
        let Ok(judge) = Policies::new(config::policy::SCHEMA, config::policy::MATRIX) else {
            // What is compiled in is read at every start of a daemon, too.
            continue;
        };
        let first = micros(&judge, &state, &askers[..STRETCH])?;
        for asker in askers.chunks(STRETCH) {
            micros(&judge, &state, asker)?;
        }
        let until = clock::Deadline::after(span / 2);
        let (mut sum, mut stretches) = (0.0, 0_u64);
        while !until.is_over() {
            for asker in askers.chunks(STRETCH) {
                sum += micros(&judge, &state, asker)?;
                stretches += 1;
            }
        }
        let again = Figure::new(name, sum / as_f64(stretches.max(1)), "µs");
        sheet.add(again.gate(Limit::AtMost(20.0)).aim(Limit::AtMost(5.0)));
        sheet.add(Figure::new(format!("{name}, first"), first, "µs"));
    }
    Ok(sheet)
}

/// Microseconds of a decision on average.
fn micros(judge: &Policies, state: &State, askers: &[Principal]) -> Result<f64, BadName> {
    let team: TeamName = "sre".parse()?;
    let began = clock::boot_us();
    for asker in askers {
        let demands = vec![demand::in_team(Right::CreateCase, &team)];
        let decision = judge.decide(state, asker, demands);
        std::hint::black_box(decision.is_allowed());
    }
    Ok(as_f64(clock::boot_us() - began) / as_f64(askers.len() as u64))
}

fn crowd() -> Result<(State, Vec<Principal>), BadName> {
    let mut state = State::default();
    let team: TeamName = "sre".parse()?;
    let mut askers = Vec::with_capacity(HUMANS);
    let people = &mut state.people;
    for number in 0..HUMANS {
        let name = HumanName::new(&format!("human-{number}"))?;
        let human = Human {
            teams: [team.clone()].into(),
            ..Human::default()
        };
        people.humans.insert(name.clone(), human);
        let roll = people.rolls.entry(team.clone()).or_default();
        roll.roles.insert(name.clone(), TeamRole::Member);
        askers.push(Principal::human(name));
    }
    Ok((state, askers))
}
